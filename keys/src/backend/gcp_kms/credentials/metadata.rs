//! A machine or a pod of Google's: a server beside it says who it is.

use std::time::Duration;

use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderValue},
};
use zeroize::Zeroizing;

use crate::backend::gcp_kms::cloud::variable;
use crate::remote::{Call, Limits, Service, Session, reason, session};
use crate::{env::Env, master_key::KeyError};

/// Where that server is, on all of Google's machines.
const HOST: &str = "169.254.169.254";
const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
/// It is near, or it is not there.
const LIMITS: Limits = Limits {
    call: Duration::from_secs(5),
    tries: 3,
};

pub(super) async fn token(env: &Env) -> Result<Session, KeyError> {
    let host = variable(env, "GCE_METADATA_HOST").unwrap_or_else(|| HOST.to_owned());
    let url = Url::parse(&format!("http://{host}{PATH}"));
    let url =
        url.map_err(|_| KeyError(format!("GCE_METADATA_HOST is {host:?}, which is no host")))?;
    let service = Service::new(LIMITS, env, Ok)?;
    let mut headers = HeaderMap::new();
    headers.insert("metadata-flavor", HeaderValue::from_static("Google"));
    let call = Call {
        method: Method::GET,
        url: &url,
        headers,
        body: Zeroizing::default(),
        repeats: true,
    };
    let answer = service.call(call, env).await.map_err(|KeyError(why)| {
        KeyError(format!(
            "{why} (there are no other credentials: log in with `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a file of them)"
        ))
    })?;
    let refused = |why: String| {
        Err(KeyError(format!(
            "no token of the machine's service account: {}: {why}",
            answer.status
        )))
    };
    if !answer.status.is_success() {
        return refused(reason(&String::from_utf8_lossy(&answer.body), &[]));
    }
    if answer.header("metadata-flavor") != Some("Google") {
        // It may be a token all the same: nothing of it is shown.
        return refused(format!("{host} is no metadata server of Google's"));
    }
    session(&answer.body).ok_or_else(|| KeyError("the answer holds no token".to_owned()))
}
