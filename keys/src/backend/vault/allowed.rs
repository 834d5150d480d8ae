//! Where tokens may go: what a file says of that is not asked.

use reqwest::Url;

use super::VaultKey;
use super::settings::both;
use crate::{env::Env, master_key::KeyError, remote::origin};

/// The variable with origins, separated by commas; or `all`, or `none`.
const LIST: &str = "SOPS_HC_VAULT_ALLOWLIST";

/// The origins that tokens may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Everywhere: the person says so.
    All,
    /// Those of the list, and no others.
    Listed(Vec<String>),
    /// There is no list: those of the variables with an address, and of the keys that the person typed.
    Named(Vec<String>),
}

impl Allowed {
    /// What the environment allows.
    pub(super) fn of(env: &Env) -> Result<Self, KeyError> {
        let list = env.variable(LIST).map(|list| list.to_string_lossy());
        match list.as_deref() {
            None | Some("") => Ok(Self::Named(named(env))),
            Some("all") => Ok(Self::All),
            Some("none") => Ok(Self::Listed(Vec::new())),
            Some(list) => list
                .split(',')
                .map(listed)
                .collect::<Result<_, _>>()
                .map(Self::Listed),
        }
    }

    /// Whether a token may go to the origin of a URL; else how to allow it.
    pub(super) fn check(&self, url: &Url) -> Result<(), KeyError> {
        let origin = url.origin().ascii_serialization();
        let refused = match self {
            Self::All => return Ok(()),
            Self::Listed(origins) | Self::Named(origins) if origins.contains(&origin) => {
                return Ok(());
            }
            Self::Listed(_) => {
                format!("{LIST} does not list it; add it there if you trust it")
            }
            Self::Named(_) => format!(
                "a file names it, and you have not; if you trust it, set VAULT_ADDR={origin}, or {LIST} to addresses with it"
            ),
        };
        Err(KeyError(format!("no token is sent to {origin}: {refused}")))
    }
}

fn named(env: &Env) -> Vec<String> {
    let typed = env.typed_keys().iter();
    let typed = typed.filter_map(|text| Some(VaultKey::parse(text).ok()?.address));
    both(env, "ADDR")
        .chain(typed)
        .filter_map(|address| Url::parse(&address).ok())
        .map(|url| url.origin().ascii_serialization())
        .collect()
}

fn listed(text: &str) -> Result<String, KeyError> {
    origin(text).ok_or_else(|| {
        KeyError(format!(
            "{text:?} in {LIST} is not an address such as https://vault.example.com:8200"
        ))
    })
}
