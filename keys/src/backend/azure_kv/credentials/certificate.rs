//! An application with a certificate: it signs who it is.

use std::path::Path;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
    signature::{KeyPair, RsaKeyPair},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::json;
use x509_cert::der::Decode;
use zeroize::Zeroizing;

use super::{LONGEST_FILE, variable};
use crate::remote::{Algorithm, rsa_key, signed};
use crate::{
    env::{Env, shown},
    master_key::KeyError,
};

/// How long an assertion serves.
const LIFE: i64 = 600;

/// A certificate and its key.
pub(super) struct Certificate {
    key: RsaKeyPair,
    /// What Azure knows the certificate by.
    thumbprint: String,
}

impl Certificate {
    /// Reads both from one file.
    pub(super) fn read(file: &Path, env: &Env) -> Result<Self, KeyError> {
        let failed = |why: &str| {
            KeyError(format!(
                "AZURE_CLIENT_CERTIFICATE_PATH ({}): {why}",
                shown(file)
            ))
        };
        if variable(env, "AZURE_CLIENT_CERTIFICATE_PASSWORD").is_some() {
            return Err(failed(
                "certificates under a password are not supported: write it without one, in PEM",
            ));
        }
        let bytes = env.read(file, LONGEST_FILE);
        let bytes = bytes.map_err(|e| failed(&format!("cannot be read: {e}")))?;
        let text = str::from_utf8(&bytes).map_err(|_| failed("it is not in PEM"))?;
        let key = rsa_key(text).ok_or_else(|| failed("it holds no RSA key in PEM"))?;
        let blocks = pem::parse_many(text).map_err(|_| failed("it is not in PEM"))?;
        let mut own = blocks
            .iter()
            .filter(|block| block.tag() == "CERTIFICATE" && is_of(block.contents(), &key));
        let own = own
            .next()
            .ok_or_else(|| failed("it holds no certificate of its key"))?;
        let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, own.contents()));
        Ok(Self { key, thumbprint })
    }

    /// What shows a login server who this is.
    pub(super) fn assertion(
        &self,
        client: &str,
        audience: &str,
        env: &Env,
    ) -> Result<Zeroizing<String>, KeyError> {
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| KeyError("there is no randomness".to_owned()))?;
        let now = env.now().as_second();
        let claims = json!({
            "aud": audience, "iss": client, "sub": client,
            "jti": BASE64_URL_SAFE_NO_PAD.encode(id),
            "nbf": now, "iat": now, "exp": now + LIFE,
        });
        let header = json!({"x5t#S256": self.thumbprint});
        signed(&self.key, Algorithm::Ps256, header, &claims)
    }
}

/// Whether a certificate is that of a key.
fn is_of(der: &[u8], key: &RsaKeyPair) -> bool {
    let certificate = x509_cert::Certificate::from_der(der).ok();
    certificate.is_some_and(|certificate| {
        let info = certificate.tbs_certificate().subject_public_key_info();
        info.subject_public_key.raw_bytes() == key.public_key().as_ref()
    })
}
