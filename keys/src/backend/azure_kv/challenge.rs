//! What a vault says to whoever shows no token: for what a token must be, and whose.

use reqwest::Url;

use super::credentials::variable;
use crate::{env::Env, master_key::KeyError};

/// Where Azure logs people in, if nobody says otherwise.
const LOGIN: &str = "https://login.microsoftonline.com";
/// Other names of the same.
const ALIASES: [&str; 2] = ["https://login.windows.net", "https://login.microsoft.com"];

/// What a token must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// What it is for: `https://vault.azure.net`.
    pub(super) resource: String,
    /// Whose directory gives it.
    pub(super) tenant: String,
}

impl Challenge {
    /// Reads the header `WWW-Authenticate` that a vault has sent.
    pub(super) fn read(header: &str, vault: &Url, env: &Env) -> Result<Self, KeyError> {
        let wrong = |what: &str| KeyError(format!("the vault asks for a token, and {what}"));
        let fields = header
            .strip_prefix("Bearer ")
            .ok_or_else(|| wrong("not for one that is borne"))?;
        let field = |name: &str| {
            let fields = fields.split([',', ' ']);
            let mut fields = fields.filter_map(|field| field.trim().split_once('='));
            let (_, value) = fields.find(|(found, _)| *found == name)?;
            Some(value.trim_matches('"').to_owned())
        };
        let resource = field("resource").or_else(|| field("scope"));
        let resource = resource.ok_or_else(|| wrong("does not say what for"))?;
        let resource = resource.trim_end_matches("/.default").to_owned();
        // A vault that asks for a token for something else wants to use it there.
        if !is_of_resource(vault, &resource) {
            return Err(wrong(&format!(
                "for {resource:?}, to which it does not belong"
            )));
        }
        let place = field("authorization").or_else(|| field("authorization_uri"));
        let place = place.and_then(|place| Url::parse(&place).ok());
        let place = place.ok_or_else(|| wrong("does not say from where"))?;
        let origin = place.origin().ascii_serialization();
        let known = login(env)?.origin().ascii_serialization();
        let is_alias = known == LOGIN && ALIASES.contains(&origin.as_str());
        if origin != known && !is_alias {
            let what = format!(
                "one that {origin} gives, while the login is at {known}; if that is right, set AZURE_AUTHORITY_HOST={origin}"
            );
            return Err(wrong(&what));
        }
        let tenant = place.path().trim_matches('/').split('/').next();
        Ok(Self {
            resource,
            tenant: checked(tenant.unwrap_or_default().to_owned())?,
        })
    }
}

/// Where the login is.
pub(super) fn login(env: &Env) -> Result<Url, KeyError> {
    let text = variable(env, "AZURE_AUTHORITY_HOST").unwrap_or_else(|| LOGIN.to_owned());
    let text = match text.contains("://") {
        true => text,
        false => format!("https://{text}"),
    };
    crate::remote::place(&text)
        .map_err(|KeyError(why)| KeyError(format!("AZURE_AUTHORITY_HOST: {why}")))
}

/// A tenant's name or number, and nothing that would be another place.
pub(super) fn checked(tenant: String) -> Result<String, KeyError> {
    let is_of_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    match !tenant.starts_with('.') && tenant.bytes().all(is_of_name) {
        true => Ok(tenant),
        false => Err(KeyError(format!("{tenant:?} is no tenant"))),
    }
}

/// Whether a vault's host lies under that of a resource, as Azure's own client demands.
fn is_of_resource(vault: &Url, resource: &str) -> bool {
    let place = |host: &str, port: Option<u16>| match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    // Not as a URL: the host need not be one that can be reached.
    let Some(under) = resource.strip_prefix("https://") else {
        return false;
    };
    let under = under.trim_end_matches('/');
    let host = place(vault.host_str().unwrap_or_default(), vault.port());
    !under.is_empty() && host.ends_with(&format!(".{under}"))
}
