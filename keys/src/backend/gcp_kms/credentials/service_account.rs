//! A service account with a key of its own: it signs its token itself (RFC 7515), and no server is asked.

use std::time::Duration;

use aws_lc_rs::signature::RsaKeyPair;
use serde_json::json;

use super::{File, SCOPE, needed};
use crate::remote::{Algorithm, Session, rsa_key, signed};
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
            key: rsa_key(&file.private_key)
                .ok_or_else(|| KeyError("private_key is no RSA key in PEM".to_owned()))?,
        })
    }

    /// A token that says who this is, signed.
    pub(super) fn token(&self, env: &Env) -> Result<Session, KeyError> {
        let since = env.now().as_second() - AHEAD.as_secs().cast_signed();
        let claims = json!({
            "iss": self.email,
            "sub": self.email,
            "scope": SCOPE,
            "iat": since,
            "exp": since + LIFE.as_secs().cast_signed(),
        });
        let header = json!({"kid": self.key_id});
        let token = signed(&self.key, Algorithm::Rs256, header, &claims)?;
        Ok(Session::lent(token, LIFE - AHEAD))
    }
}
