//! Keys of Azure Key Vault: the share goes there in clear, and comes back under RSA-OAEP with SHA-256.
//!
//! Where a document says that its key is, is data of strangers, and a token goes with every call. So nothing is sent but to
//! vaults of Azure itself, or to those that the person or the administrator names.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use reqwest::{Method, Url};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    env::Env,
    master_key::{Backend, Fields, KeyError, MasterKey, ParseError, Pending, Wrapped},
    remote::Opened,
    secret::KeyShare,
};

mod allowed;
mod challenge;
mod credentials;
mod vaults;

use allowed::Allowed;
use vaults::{Body, Vaults};

/// Azure Key Vault keys.
pub static BACKEND: Backend = Backend {
    name: "azure_kv",
    field: "azure_kv",
    recipients_var: "SOPS_AZURE_KEYVAULT_URLS",
    local: false,
    parse: |text| Ok(Box::new(AzureKey::parse(text)?)),
    load: |fields| Ok(Box::new(AzureKey::load(fields, ["vault_url", "name"])?)),
    load_config: |fields| Ok(Box::new(AzureKey::load(fields, ["vaultUrl", "key"])?)),
};

/// Longest ciphertext that goes into a document.
const LONGEST_CIPHERTEXT: usize = 1 << 16;
const SHAPE: &str = "https://NAME.vault.azure.net/keys/KEY/VERSION";

/// A key in a vault.
#[derive(Clone, Debug)]
struct AzureKey {
    /// The vault's origin, as it was written.
    vault: String,
    name: String,
    /// The version that wraps and unwraps. Where none was named, it is the newest one when it first wraps.
    version: OnceLock<String>,
}

impl AzureKey {
    /// Reads `https://VAULT/keys/NAME`, with or without a version behind it.
    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        let (["https:", "", host, path], true) = (parts.as_slice(), text.is_ascii()) else {
            return Err(malformed(text));
        };
        let (name, version) = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["keys", name] => (*name, ""),
            ["keys", name, version] => (*name, *version),
            _ => return Err(malformed(text)),
        };
        Self::new(&format!("https://{host}"), name, version)
    }

    fn load(fields: &Fields, [vault, name]: [&'static str; 2]) -> Result<Self, ParseError> {
        Self::new(
            fields.text(vault)?,
            fields.text(name)?,
            fields.text("version")?,
        )
    }

    /// A key whose parts make a URL that says what they say.
    fn new(vault: &str, name: &str, version: &str) -> Result<Self, ParseError> {
        let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let right = is_origin(vault) && is_name(name) && !name.is_empty() && is_name(version);
        match right {
            true => Ok(Self {
                vault: vault.trim_end_matches('/').to_owned(),
                name: name.to_owned(),
                version: match version {
                    "" => OnceLock::new(),
                    version => OnceLock::from(version.to_owned()),
                },
            }),
            false => Err(malformed(&format!("{vault}/keys/{name}/{version}"))),
        }
    }

    /// The way to the vault, if tokens may go there. No client is made for what is not allowed.
    fn vaults(&self, env: &Env) -> Result<(Arc<Vaults>, Url), KeyError> {
        let url = Url::parse(&self.vault).map_err(|e| KeyError(e.to_string()))?;
        let allowed = env.once(|| Allowed::of(env));
        (*allowed).as_ref().map_err(KeyError::clone)?.check(&url)?;
        let vaults = env.once(|| Vaults::new(env).map(Arc::new));
        Ok(((*vaults).clone()?, url))
    }

    /// Asks the vault to `encrypt` or `decrypt` with the key.
    async fn ask(
        &self,
        action: &str,
        value: &[u8],
        env: &Env,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (vaults, url) = self.vaults(env)?;
        let version = self.version(&vaults, &url, env).await?;
        let path = format!("keys/{}/{version}/{action}", self.name);
        let body = Body::new(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(value)));
        let answer: Reply = vaults.ask(Method::POST, &url, &path, &body, env).await?;
        let value = BASE64_URL_SAFE_NO_PAD.decode(answer.value.trim_end_matches('='));
        let value = value.ok().map(Zeroizing::new);
        value
            .filter(|value| !value.is_empty() && value.len() < LONGEST_CIPHERTEXT)
            .ok_or_else(|| KeyError(format!("{action}: the answer holds no data key")))
    }

    async fn version(&self, vaults: &Vaults, url: &Url, env: &Env) -> Result<&str, KeyError> {
        if let Some(version) = self.version.get() {
            return Ok(version);
        }
        let path = format!("keys/{}", self.name);
        let body = Body::default();
        let found: Found = vaults.ask(Method::GET, url, &path, &body, env).await?;
        let version = found.key.kid.rsplit_once('/').map(|(_, version)| version);
        let is_version = |text: &&str| {
            !text.is_empty() && text.len() < 128 && text.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let version = version
            .filter(is_version)
            .ok_or_else(|| KeyError(format!("{path}: the answer names no version of the key")))?;
        Ok(self.version.get_or_init(|| version.to_owned()))
    }
}

fn malformed(text: &str) -> ParseError {
    ParseError::Malformed(format!(
        "{text:?} is not a key of Azure Key Vault; write it as {SHAPE}"
    ))
}

/// Whether text is an origin with TLS and nothing else, and reads as what it is.
fn is_origin(text: &str) -> bool {
    let is_url = |url: Url| {
        url.scheme() == "https"
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    text.starts_with("https://")
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && Url::parse(text).is_ok_and(is_url)
}

/// An answer to `encrypt` and `decrypt`.
#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    value: String,
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// An answer to who asks for a key.
#[derive(Deserialize)]
struct Found {
    key: Kid,
}

#[derive(Deserialize)]
struct Kid {
    kid: String,
}

impl MasterKey for AzureKey {
    fn backend(&self) -> &'static Backend {
        &BACKEND
    }

    fn fields(&self) -> Fields {
        Fields::default()
            .with("vault_url", &self.vault)
            .with("name", &self.name)
            .with("version", self.version.get().map_or("", String::as_str))
    }

    fn adopt(&self, present: &dyn MasterKey) {
        let own = present.field() == BACKEND.field;
        let Ok(present) = Self::load(&present.fields(), ["vault_url", "name"]) else {
            return;
        };
        if own && (&present.vault, &present.name) == (&self.vault, &self.name) {
            // The first one counts, and a version that was named before all.
            let _ = present
                .version
                .get()
                .map(|version| self.version.set(version.clone()));
        }
    }

    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(async move {
            let value = self.ask("encrypt", share.expose_secret(), env).await?;
            Ok(Wrapped {
                enc: BASE64_URL_SAFE_NO_PAD.encode(&*value),
                created_at: Some(env.now()),
            })
        })
    }

    fn unwrap_key<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>> {
        let open = async move {
            let sealed = BASE64_URL_SAFE_NO_PAD.decode(wrapped.enc.trim());
            let sealed = sealed
                .map_err(|_| KeyError("the encrypted data key is not base64url".to_owned()))?;
            self.ask("decrypt", &sealed, env).await.map(KeyShare::from)
        };
        Box::pin(async move { Opened::share(self, wrapped, env, open).await })
    }
}

impl fmt::Display for AzureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            vault,
            name,
            version,
        } = self;
        let version = version.get().map_or("", String::as_str);
        write!(f, "{vault}/keys/{name}/{version}")
    }
}

#[cfg(test)]
mod tests;
