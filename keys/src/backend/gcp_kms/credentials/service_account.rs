//! A service account with a key of its own: it signs its token itself (RFC 7515), and no server is asked.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::json;
use zeroize::Zeroizing;

use super::{File, SCOPE, needed};
use crate::remote::Session;
use crate::{env::Env, master_key::KeyError};

/// How long a token serves. Google takes none that serves for longer.
const LIFE: Duration = Duration::from_secs(3600);
/// So much may the clock here be ahead of Google's.
const AHEAD: Duration = Duration::from_secs(10);

pub(super) struct ServiceAccount {
    email: String,
    key_id: String,
    key: RsaKeyPair,
}

impl ServiceAccount {
    pub(super) fn of(file: File) -> Result<Self, KeyError> {
        Ok(Self {
            email: needed("client_email", file.client_email)?,
            key_id: file.private_key_id,
            key: private_key(&file.private_key)
                .ok_or_else(|| KeyError("private_key is no RSA key in PEM".to_owned()))?,
        })
    }

    /// A token that says who this is, signed.
    pub(super) fn token(&self, env: &Env) -> Result<Session, KeyError> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let since = env.now().as_second() - AHEAD.as_secs().cast_signed();
        let claims = json!({
            "iss": self.email,
            "sub": self.email,
            "scope": SCOPE,
            "iat": since,
            "exp": since + LIFE.as_secs().cast_signed(),
        });
        let encode = |json: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| KeyError("the private key does not sign".to_owned()))?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        let token = Zeroizing::new([signed, signature].join("."));
        Ok(Session::lent(token, LIFE - AHEAD))
    }
}

/// A key as Google writes it (PKCS#8), or as OpenSSL did (PKCS#1).
fn private_key(text: &str) -> Option<RsaKeyPair> {
    let block = pem::parse(text).ok()?;
    let tag = block.tag().to_owned();
    let der = Zeroizing::new(block.into_contents());
    match tag.as_str() {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der).ok(),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).ok(),
        _ => None,
    }
}
