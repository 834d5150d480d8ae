//! Where tokens may go.

use reqwest::Url;

use super::server::variable;
use crate::{env::Env, master_key::KeyError};

/// The variable with origins, separated by commas; or `all`, or `none`.
const LIST: &str = "SOPS_HC_VAULT_ALLOWLIST";

/// The origins that tokens may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    All,
    Origins(Vec<String>),
}

impl Allowed {
    /// The origins that the environment names.
    pub(super) fn of(env: &Env) -> Result<Self, KeyError> {
        let text = |value: &std::ffi::OsStr| value.to_string_lossy().into_owned();
        let Some(list) = env.variable(LIST).map(text).filter(|list| !list.is_empty()) else {
            let ambient = variable(env, "ADDR");
            return ambient
                .iter()
                .map(|one| origin(one))
                .collect::<Result<_, _>>()
                .map(Self::Origins);
        };
        match list.trim() {
            "all" => Ok(Self::All),
            "none" => Ok(Self::Origins(Vec::new())),
            list => list
                .split(',')
                .map(origin)
                .collect::<Result<_, _>>()
                .map(Self::Origins),
        }
    }

    /// Whether tokens may go to the origin of a URL.
    pub(super) fn has(&self, url: &Url) -> bool {
        match self {
            Self::All => true,
            Self::Origins(origins) => origins.contains(&url.origin().ascii_serialization()),
        }
    }

    /// Says no, and how to say yes.
    pub(super) fn refusal(url: &Url) -> KeyError {
        let origin = url.origin().ascii_serialization();
        KeyError(format!(
            "no token is sent to {origin}, which the document names and you have not; \
             set VAULT_ADDR={origin}, or {LIST} to a list of addresses with it, if you trust it"
        ))
    }
}

fn origin(text: &str) -> Result<String, KeyError> {
    let url = Url::parse(text.trim()).ok().filter(Url::has_host);
    let url = url.ok_or_else(|| KeyError(format!("{text:?} in {LIST} or VAULT_ADDR is not an address such as https://vault.example.com:8200")))?;
    Ok(url.origin().ascii_serialization())
}
