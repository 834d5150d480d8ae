//! A machine of Azure's: a server beside it says who it is.

use std::time::Duration;

use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Refusal, variable};
use crate::backend::azure_kv::challenge::Challenge;
use crate::remote::{Call, Hidden, Limits, Service, Session, reason, secret_header};
use crate::{env::Env, master_key::KeyError};

/// Where that server is, on all of Azure's machines.
const HOST: &str = "http://169.254.169.254";
/// It is near, or it is not there: so much for finding out, where there are other ways.
const PROBE: Limits = Limits {
    call: Duration::from_secs(1),
    tries: 1,
};
/// A token takes its time where a machine has just begun.
const LIMITS: Limits = Limits {
    call: Duration::from_secs(20),
    tries: 5,
};

#[derive(Deserialize)]
struct Reply {
    access_token: Hidden,
    /// A number, or text of one: when it ends.
    #[serde(default)]
    expires_on: Value,
}

/// A token of the machine. If this is not the only way, nobody waits for a server that is not there.
pub(super) async fn token(
    is_alone: bool,
    challenge: &Challenge,
    service: &Service,
    env: &Env,
) -> Result<Session, Refusal> {
    let mut headers = HeaderMap::new();
    let (place, version, nearby) = match variable(env, "IDENTITY_ENDPOINT") {
        // Functions, App Service, Container Apps.
        Some(place) => {
            let secret = variable(env, "IDENTITY_HEADER").unwrap_or_default();
            headers.insert("x-identity-header", secret_header(&secret)?);
            (place, "2019-08-01", None)
        }
        None => {
            let host = variable(env, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
            let host = host.unwrap_or_else(|| HOST.to_owned());
            headers.insert("metadata", HeaderValue::from_static("true"));
            let place = format!(
                "{}/metadata/identity/oauth2/token",
                host.trim_end_matches('/')
            );
            let nearby = Service::new(LIMITS, env, Ok)?;
            if !is_alone {
                probe(&place, env).await?;
            }
            (place, "2018-02-01", Some(nearby))
        }
    };
    let url = Url::parse(&place).map_err(|_| KeyError(format!("{place:?} is no address")));
    let mut url = url?;
    url.query_pairs_mut()
        .append_pair("api-version", version)
        .append_pair("resource", &challenge.resource);
    if let Some(client) = variable(env, "AZURE_CLIENT_ID") {
        url.query_pairs_mut().append_pair("client_id", &client);
    }
    let call = Call {
        method: Method::GET,
        url: &url,
        headers,
        body: Zeroizing::default(),
        repeats: true,
    };
    let is_near = nearby.is_some();
    let answer = nearby.as_ref().unwrap_or(service).call(call, env).await;
    let answer = answer.map_err(|KeyError(why)| match is_near {
        true => Refusal::NotHere(why),
        false => Refusal::Failed(KeyError(why)),
    })?;
    if !answer.status.is_success() {
        let said = reason(&String::from_utf8_lossy(&answer.body), &[]);
        let text = format!("{}: {said}", answer.status);
        return Err(match answer.status.as_u16() {
            // No identity was given to this machine, or something else answers in its place.
            400 | 403 | 404 if is_near => Refusal::NotHere(text),
            _ => Refusal::Failed(KeyError(text)),
        });
    }
    let session = session(&answer.body, env);
    Ok(session.ok_or_else(|| KeyError("the answer holds no token".to_owned()))?)
}

/// Asks without the header that a token takes: whoever answers is there.
async fn probe(place: &str, env: &Env) -> Result<(), Refusal> {
    let url = Url::parse(place).map_err(|_| KeyError(format!("{place:?} is no address")))?;
    let call = Call {
        method: Method::GET,
        url: &url,
        headers: HeaderMap::new(),
        body: Zeroizing::default(),
        repeats: true,
    };
    let answer = Service::new(PROBE, env, Ok)?.call(call, env).await;
    let is_there = answer.map(drop);
    is_there.map_err(|KeyError(why)| Refusal::NotHere(why))
}

fn session(answer: &[u8], env: &Env) -> Option<Session> {
    let reply: Reply = serde_json::from_slice(answer).ok()?;
    let end = match &reply.expires_on {
        Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    let left = end.saturating_sub(env.now().as_second());
    let left = Duration::from_secs(u64::try_from(left).ok()?.max(1));
    (!reply.access_token.is_empty()).then(|| Session::lent(reply.access_token.clone(), left))
}
