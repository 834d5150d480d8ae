//! Keys of the transit engine of HashiCorp Vault and OpenBao: the share goes there in clear, and comes back as `vault:v1:…`.
//!
//! Where a document says that its key is, is data of strangers, and a token goes with every call. So nothing is sent but to
//! origins that the person or the administrator names: those of `SOPS_HC_VAULT_ALLOWLIST`, or else that of `VAULT_ADDR` and
//! those of keys that were typed.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    env::Env,
    master_key::{Backend, Fields, KeyError, MasterKey, ParseError, Pending, Wrapped},
    remote::Opened,
    secret::KeyShare,
};

mod allowed;
mod login;
mod server;
mod settings;

use allowed::Allowed;
use server::{Body, Servers};

/// Vault transit keys.
pub static BACKEND: Backend = Backend {
    name: "hc_vault",
    field: "hc_vault",
    recipients_var: "SOPS_VAULT_URIS",
    local: false,
    parse: |text| Ok(Box::new(VaultKey::parse(text)?)),
    load: |fields| Ok(Box::new(VaultKey::load(fields)?)),
    load_config: |fields| Ok(Box::new(VaultKey::load(fields)?)),
};

/// A key of a transit engine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct VaultKey {
    /// The server's origin, as it was written: `https://vault.example.com:8200`.
    address: String,
    /// Where the engine is mounted; it may have several parts.
    engine: String,
    name: String,
}

const SHAPE: &str = "https://vault.example.com:8200/v1/transit/keys/name";

impl VaultKey {
    /// Reads `ADDRESS/v1/ENGINE/keys/NAME`.
    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        let malformed = |why: &str| {
            let why = format!("{text:?} is not a Vault transit key: {why}; write it as {SHAPE}");
            ParseError::Malformed(why)
        };
        let url = Url::parse(text).map_err(|_| malformed("it is not a URL"))?;
        let path = url.path().trim_matches('/');
        let address = text.find(url.path()).map(|at| &text[..at]);
        let (_, host) = address
            .filter(|_| !path.is_empty())
            .and_then(|address| address.split_once("://"))
            .ok_or_else(|| malformed("it has no path"))?;
        // As Go writes it.
        let address = format!("{}://{host}", url.scheme());
        let parts: Vec<&str> = path.split('/').collect();
        let is_version = |part: &str| {
            part.strip_prefix('v')
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        };
        let [version, engine @ .., _keys, name] = parts.as_slice() else {
            return Err(malformed("its path is too short"));
        };
        if !is_version(version) {
            return Err(malformed(
                "the path must begin with /v1, right behind the host",
            ));
        }
        if engine.is_empty() {
            return Err(malformed("its path is too short"));
        }
        Self::new(&address, &engine.join("/"), name)
    }

    fn load(fields: &Fields) -> Result<Self, ParseError> {
        Self::new(
            fields.text("vault_address")?,
            fields.text("engine_path")?,
            fields.text("key_name")?,
        )
    }

    /// A key whose parts make a URL that says what they say.
    fn new(address: &str, engine: &str, name: &str) -> Result<Self, ParseError> {
        let malformed = |text: &str, what: &str| {
            ParseError::Malformed(format!("{text:?} is not {what} of a Vault transit key"))
        };
        if !is_origin(address) {
            return Err(malformed(address, "the address"));
        }
        let is_part = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"/?#%\\".contains(&b))
        };
        if !engine.split('/').all(is_part) {
            return Err(malformed(engine, "the engine path"));
        }
        if !is_part(name) {
            return Err(malformed(name, "the name"));
        }
        Ok(Self {
            address: address.to_owned(),
            engine: engine.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Asks the engine to `encrypt` or `decrypt` with the key. No client is made for what is not allowed.
    async fn ask(&self, action: &str, body: Body, env: &Env) -> Result<Data, KeyError> {
        let url = Url::parse(&self.address).map_err(|e| KeyError(e.to_string()))?;
        let allowed = env.once(|| Allowed::of(env));
        (*allowed).as_ref().map_err(KeyError::clone)?.check(&url)?;
        let servers = env.once(|| Servers::new(env));
        let servers = (*servers).as_ref().map_err(KeyError::clone)?;
        let path = format!("{}/{action}/{}", self.engine, self.name);
        let answer: Reply = servers.ask(&url, &path, &body, env).await?;
        Ok(answer.data)
    }
}

/// Whether text is an origin and nothing else, and reads as what it is.
fn is_origin(text: &str) -> bool {
    let is_url = |url: Url| {
        matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    text.contains("://")
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && Url::parse(text).is_ok_and(is_url)
}

#[derive(Deserialize)]
struct Reply {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    ciphertext: String,
    #[serde(default)]
    plaintext: String,
}

impl Drop for Data {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.plaintext);
    }
}

impl MasterKey for VaultKey {
    fn backend(&self) -> &'static Backend {
        &BACKEND
    }

    fn fields(&self) -> Fields {
        Fields::default()
            .with("vault_address", &self.address)
            .with("engine_path", &self.engine)
            .with("key_name", &self.name)
    }

    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(async move {
            let secret = Zeroizing::new(BASE64_STANDARD.encode(share.expose_secret()));
            let mut json = Zeroizing::new(Vec::with_capacity(secret.len() + 20));
            for part in ["{\"plaintext\":\"", &secret, "\"}"] {
                json.extend_from_slice(part.as_bytes());
            }
            let mut data = self.ask("encrypt", Body { json, secret }, env).await?;
            if !is_ciphertext(&data.ciphertext) {
                return Err(KeyError(
                    "the server's answer holds no ciphertext".to_owned(),
                ));
            }
            Ok(Wrapped {
                enc: std::mem::take(&mut data.ciphertext),
                created_at: Some(env.now()),
            })
        })
    }

    fn unwrap_key<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>> {
        Box::pin(async move { Opened::share(self, wrapped, env, self.open(wrapped, env)).await })
    }
}

impl VaultKey {
    async fn open(&self, wrapped: &Wrapped, env: &Env) -> Result<KeyShare, KeyError> {
        let json = serde_json::json!({"ciphertext": wrapped.enc.trim()});
        let json = Zeroizing::new(json.to_string().into_bytes());
        let secret = Zeroizing::default();
        let data = self.ask("decrypt", Body { json, secret }, env).await?;
        let share = BASE64_STANDARD.decode(&data.plaintext);
        let share = share.ok().filter(|share| !share.is_empty());
        let share =
            share.ok_or_else(|| KeyError("the server's answer holds no data key".to_owned()))?;
        Ok(KeyShare::from(Zeroizing::new(share)))
    }
}

/// Whether text is what a transit engine makes: it goes into documents.
fn is_ciphertext(text: &str) -> bool {
    text.starts_with("vault:v")
        && text.len() < 1 << 16
        && text.bytes().all(|b| b.is_ascii_graphic())
}

impl fmt::Display for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            engine,
            name,
        } = self;
        write!(f, "{address}/v1/{engine}/keys/{name}")
    }
}

#[cfg(test)]
mod tests;
