//! Keys of Google Cloud KMS: the share goes there in clear, and comes back as ciphertext.
//!
//! Which key it is, a document says; which server is asked, only the environment says. So no document decides where a token
//! goes.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    env::Env,
    master_key::{Backend, Fields, KeyError, MasterKey, ParseError, Pending, Wrapped},
    remote::Opened,
    secret::KeyShare,
};

mod checksum;
mod cloud;
mod credentials;
mod endpoint;

use checksum::crc32c;
use cloud::{Body, Cloud};

/// Google Cloud KMS keys.
pub static BACKEND: Backend = Backend {
    name: "gcp_kms",
    field: "gcp_kms",
    recipients_var: "SOPS_GCP_KMS_IDS",
    local: false,
    parse: |text| Ok(Box::new(GcpKey::parse(text)?)),
    load: |fields| Ok(Box::new(GcpKey::parse(fields.text("resource_id")?)?)),
    load_config: |fields| Ok(Box::new(GcpKey::parse(fields.text("resource_id")?)?)),
};

/// A key by its resource id, which is a path on the server and nothing but that.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GcpKey(String);

/// Longest ciphertext that goes into a document.
const LONGEST_CIPHERTEXT: usize = 1 << 16;

impl GcpKey {
    /// Reads `projects/P/locations/L/keyRings/R/cryptoKeys/K`. Spaces do not count, as with sops.
    fn parse(text: &str) -> Result<Self, ParseError> {
        let id = text.replace(' ', "");
        let is_project = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric());
        let names = match id.split('/').collect::<Vec<_>>().as_slice() {
            [
                "projects",
                project,
                "locations",
                location,
                "keyRings",
                ring,
                "cryptoKeys",
                key,
            ] => {
                is_name(project, b"-_.:")
                    && is_project(project)
                    && [location, ring, key]
                        .into_iter()
                        .all(|name| is_name(name, b"-_"))
            }
            _ => false,
        };
        match names {
            true => Ok(Self(id)),
            false => Err(ParseError::Malformed(format!(
                "{text:?} is not a key of Google Cloud KMS; write it as projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY"
            ))),
        }
    }
}

fn is_name(part: &str, more: &[u8]) -> bool {
    let is_of_name = |b: u8| b.is_ascii_alphanumeric() || more.contains(&b);
    !part.is_empty() && part.bytes().all(is_of_name)
}

/// An answer to `encrypt`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encrypted {
    #[serde(default)]
    ciphertext: String,
    ciphertext_crc32c: Option<String>,
    #[serde(default)]
    verified_plaintext_crc32c: Option<bool>,
}

/// An answer to `decrypt`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decrypted {
    #[serde(default)]
    plaintext: String,
    plaintext_crc32c: Option<String>,
}

impl Drop for Decrypted {
    fn drop(&mut self) {
        self.plaintext.zeroize();
    }
}

/// Whether the checksum of an answer, if it has one, is that of what came.
fn is_whole(bytes: &[u8], checksum: Option<&str>) -> bool {
    checksum.is_none_or(|checksum| checksum.parse() == Ok(crc32c(bytes)))
}

fn damaged() -> KeyError {
    KeyError("what was sent is not what came: the checksums differ".to_owned())
}

impl MasterKey for GcpKey {
    fn backend(&self) -> &'static Backend {
        &BACKEND
    }

    fn fields(&self) -> Fields {
        Fields::default().with("resource_id", &self.0)
    }

    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(async move {
            let secret = Zeroizing::new(BASE64_STANDARD.encode(share.expose_secret()));
            let body = Body::new("plaintext", secret, crc32c(share.expose_secret()));
            let answer: Encrypted = Cloud::of(env)?.ask(&self.0, "encrypt", body, env).await?;
            let ciphertext = BASE64_STANDARD.decode(&answer.ciphertext).ok();
            let ciphertext = ciphertext
                .filter(|bytes| !bytes.is_empty() && bytes.len() < LONGEST_CIPHERTEXT)
                .ok_or_else(|| KeyError("the answer holds no ciphertext".to_owned()))?;
            let was_right = answer.verified_plaintext_crc32c.unwrap_or(true);
            if !was_right || !is_whole(&ciphertext, answer.ciphertext_crc32c.as_deref()) {
                return Err(damaged());
            }
            Ok(Wrapped {
                enc: answer.ciphertext,
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

impl GcpKey {
    async fn open(&self, wrapped: &Wrapped, env: &Env) -> Result<KeyShare, KeyError> {
        let ciphertext = BASE64_STANDARD.decode(wrapped.enc.trim());
        let ciphertext =
            ciphertext.map_err(|_| KeyError("the encrypted data key is not base64".to_owned()))?;
        let text = Zeroizing::new(BASE64_STANDARD.encode(&ciphertext));
        let body = Body::new("ciphertext", text, crc32c(&ciphertext));
        let answer: Decrypted = Cloud::of(env)?.ask(&self.0, "decrypt", body, env).await?;
        let share = BASE64_STANDARD
            .decode(&answer.plaintext)
            .map(Zeroizing::new);
        let share = share
            .ok()
            .filter(|share| !share.is_empty())
            .ok_or_else(|| KeyError("the answer holds no data key".to_owned()))?;
        match is_whole(&share, answer.plaintext_crc32c.as_deref()) {
            true => Ok(KeyShare::from(share)),
            false => Err(damaged()),
        }
    }
}

impl fmt::Display for GcpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
