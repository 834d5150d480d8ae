//! Which server is asked: only the environment says.

use reqwest::Url;

use super::cloud::variable;
use crate::{env::Env, master_key::KeyError};

const ENDPOINT: &str = "SOPS_GCP_KMS_ENDPOINT";
const UNIVERSE: &str = "SOPS_GCP_KMS_UNIVERSE_DOMAIN";
/// Where Google is, if nobody says otherwise.
const GOOGLE: &str = "googleapis.com";

/// Where Cloud KMS is.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The address in front of `v1/`; it ends in a slash.
    base: Url,
    /// The cloud that it belongs to: `googleapis.com`, or that of a partner.
    pub(super) universe: String,
}

impl Endpoint {
    /// What the environment says.
    pub(super) fn of(env: &Env) -> Result<Self, KeyError> {
        let universe = variable(env, UNIVERSE)
            .or_else(|| variable(env, "GOOGLE_CLOUD_UNIVERSE_DOMAIN"))
            .unwrap_or_else(|| GOOGLE.to_owned());
        let is_domain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        if !universe.bytes().all(is_domain) {
            let text = format!("{UNIVERSE} is {universe:?}, which is no domain");
            return Err(KeyError(text));
        }
        let text = variable(env, ENDPOINT).unwrap_or_else(|| format!("cloudkms.{universe}"));
        let base = address(&text).ok_or_else(|| {
            KeyError(format!(
                "{ENDPOINT} is {text:?}, which is no address such as https://cloudkms.example.com"
            ))
        })?;
        Ok(Self { base, universe })
    }

    /// Where an action of a key is asked for.
    pub(super) fn url(&self, key: &str, action: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}v1/{key}:{action}", self.base.path()));
        url
    }
}

/// An address, with `https` in front if it names no scheme.
fn address(text: &str) -> Option<Url> {
    let text = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    let mut url = Url::parse(&text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    url.set_path(&format!("{}/", url.path().trim_end_matches('/')));
    plain.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_the_one_that_the_environment_names() {
        let url = |variables: &[(&str, &str)]| {
            let env: Env = variables.iter().copied().collect();
            Endpoint::of(&env).map(|endpoint| endpoint.url("k", "encrypt").to_string())
        };
        for (variables, expected) in [
            (&[][..], "https://cloudkms.googleapis.com/v1/k:encrypt"),
            (
                &[(UNIVERSE, "s3nsapis.fr")],
                "https://cloudkms.s3nsapis.fr/v1/k:encrypt",
            ),
            (
                &[(ENDPOINT, "kms.example:8443"), (UNIVERSE, "s3nsapis.fr")],
                "https://kms.example:8443/v1/k:encrypt",
            ),
            (
                &[(ENDPOINT, "http://127.0.0.1:80/prefix/")],
                "http://127.0.0.1/prefix/v1/k:encrypt",
            ),
        ] {
            assert_eq!(url(variables).as_deref(), Ok(expected), "{variables:?}");
        }
        for wrong in [
            (ENDPOINT, "ftp://kms.example"),
            (ENDPOINT, "https://me:pw@kms.example"),
            (ENDPOINT, "https://kms.example?x"),
            (UNIVERSE, "googleapis.com/x"),
            (UNIVERSE, "me@example.com"),
        ] {
            assert!(url(&[wrong]).is_err(), "{wrong:?}");
        }
    }
}
