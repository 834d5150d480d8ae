//! A person who has logged in with `gcloud`: a refresh token gives tokens.

use reqwest::{Url, header::HeaderMap};

use super::{File, needed};
use crate::remote::{Hidden, Service, Session, place, token};
use crate::{env::Env, master_key::KeyError};

const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

pub(super) struct User {
    url: Url,
    id: String,
    secret: Hidden,
    refresh: Hidden,
}

impl User {
    pub(super) fn of(file: File) -> Result<Self, KeyError> {
        if file.refresh_token.is_empty() {
            return Err(KeyError("refresh_token is missing".to_owned()));
        }
        Ok(Self {
            url: place(file.token_uri.as_deref().unwrap_or(TOKEN_URL))?,
            id: needed("client_id", file.client_id)?,
            secret: file.client_secret,
            refresh: file.refresh_token,
        })
    }

    pub(super) async fn token(&self, service: &Service, env: &Env) -> Result<Session, KeyError> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.id),
            ("client_secret", &self.secret),
            ("refresh_token", &self.refresh),
        ];
        let token = token(service, &self.url, HeaderMap::new(), &fields, env).await;
        token.map_err(|KeyError(why)| match why.contains("invalid_grant") {
            true => KeyError(format!(
                "{why} (log in again: gcloud auth application-default login)"
            )),
            false => KeyError(why),
        })
    }
}
