//! Where tokens may go: what a file says of that is not asked, unless it is a vault of Azure itself.

use reqwest::Url;

use super::AzureKey;
use crate::{env::Env, master_key::KeyError, remote::origin};

/// The variable with origins, separated by commas; or `none`.
const LIST: &str = "SOPS_AZURE_KEYVAULT_ALLOWLIST";

/// Under these names Microsoft alone gives out hosts: a token that goes there goes to Azure.
const AZURE: [&str; 6] = [
    ".vault.azure.net",
    ".vault.azure.cn",
    ".vault.usgovcloudapi.net",
    ".managedhsm.azure.net",
    ".managedhsm.azure.cn",
    ".managedhsm.usgovcloudapi.net",
];

/// The origins that tokens may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Those of the list, and no others.
    Listed(Vec<String>),
    /// There is no list: vaults of Azure, and those of the keys that the person typed.
    Named(Vec<String>),
}

impl Allowed {
    /// What the environment allows.
    pub(super) fn of(env: &Env) -> Result<Self, KeyError> {
        let list = env.variable(LIST).map(|list| list.to_string_lossy());
        match list.as_deref() {
            None | Some("") => Ok(Self::Named(typed(env))),
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
            Self::Listed(origins) | Self::Named(origins) if origins.contains(&origin) => {
                return Ok(());
            }
            Self::Named(_) if is_of_azure(url) => return Ok(()),
            Self::Listed(_) => format!("{LIST} does not list it; add it there if you trust it"),
            Self::Named(_) => format!(
                "it is no vault of Azure; a file names it, and you have not; if you trust it, set {LIST} to addresses with it"
            ),
        };
        Err(KeyError(format!("no token is sent to {origin}: {refused}")))
    }
}

fn is_of_azure(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let known = AZURE.iter().any(|suffix| {
        let name = host.strip_suffix(suffix);
        name.is_some_and(|name| !name.is_empty() && !name.starts_with('.'))
    });
    known && url.scheme() == "https" && url.port().is_none()
}

fn typed(env: &Env) -> Vec<String> {
    let keys = env.typed_keys().iter();
    keys.filter_map(|text| Url::parse(&AzureKey::parse(text).ok()?.vault).ok())
        .map(|url| url.origin().ascii_serialization())
        .collect()
}

fn listed(text: &str) -> Result<String, KeyError> {
    origin(text).ok_or_else(|| {
        KeyError(format!(
            "{text:?} in {LIST} is not an address such as https://shop.vault.azure.net"
        ))
    })
}
