//! Calls to key services over HTTP: bounded in time and size, tried again where that may help, and never sent elsewhere.

use std::time::Duration;

use aws_lc_rs::rand;
use reqwest::{
    Client, ClientBuilder, Method, StatusCode, Url,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::{Action, Attempt, Policy},
};
use zeroize::Zeroizing;

use crate::{env::Env, master_key::KeyError};

/// What one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(20);
/// What all attempts of a call may take.
const CALL: Duration = Duration::from_secs(60);
/// How often a call is tried in all.
const TRIES: u32 = 4;
/// The wait behind the first try; it doubles, and each wait is a random part of it.
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// Longest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// No answer of a key service is longer.
const LONGEST_ANSWER: usize = 1 << 20;
/// How much of a refusal is shown.
const LONGEST_REASON: usize = 300;

/// The way to one kind of service.
pub(crate) struct Service {
    client: Client,
    limits: Limits,
}

/// How long and how often.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// What all attempts of a call may take.
    pub(crate) call: Duration,
    /// How often a call is tried in all.
    pub(crate) tries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: CALL,
            tries: TRIES,
        }
    }
}

/// What is sent.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: HeaderMap,
    /// JSON.
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
}

/// What came back, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug)]
enum Failure {
    /// It may be there the next time.
    Passing(String),
    /// It will not.
    Lasting(String),
}

impl Service {
    /// A client that goes to other origins only if `may_follow` allows it.
    ///
    /// `settings` adds certificates and the like. Proxies are those of the process's environment.
    pub(crate) fn new(
        limits: Limits,
        may_follow: impl Fn(&Url) -> bool + Send + Sync + 'static,
        settings: impl FnOnce(ClientBuilder) -> reqwest::Result<ClientBuilder>,
    ) -> Result<Self, KeyError> {
        // Whoever has chosen one before keeps it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let follow = move |attempt: Attempt<'_>| -> Action {
            let known = attempt.previous().len() < 3 && may_follow(attempt.url());
            match known {
                true => attempt.follow(),
                false => attempt.stop(),
            }
        };
        let builder = Client::builder()
            .redirect(Policy::custom(follow))
            .connect_timeout(ATTEMPT)
            .timeout(ATTEMPT)
            .user_agent(concat!("kubeseal-rs/", env!("CARGO_PKG_VERSION")));
        let client = settings(builder).and_then(ClientBuilder::build);
        let client = client.map_err(|e| KeyError(causes(&e)))?;
        Ok(Self { client, limits })
    }

    /// Calls until there is an answer that does not ask to try again, or until time or tries are used up.
    pub(crate) async fn call(&self, call: Call<'_>, env: &Env) -> Result<Answer, KeyError> {
        let Limits { call: limit, tries } = self.limits;
        let limit = limit.min(env.time_limit());
        let in_time = tokio::time::timeout(limit, self.attempts(&call, tries));
        let outcome = in_time
            .await
            .unwrap_or_else(|_| Err(format!("no answer in {} s", limit.as_secs_f32())));
        outcome.map_err(|why| KeyError(format!("{} {}: {why}", call.method, shown(call.url))))
    }

    async fn attempts(&self, call: &Call<'_>, tries: u32) -> Result<Answer, String> {
        let mut wait = FIRST_WAIT;
        for _ in 1..tries {
            let pause = match self.attempt(call).await {
                Ok((answer, _)) if !is_passing(answer.status) => return Ok(answer),
                Err(Failure::Lasting(reason)) => return Err(reason),
                Ok((_, Some(asked))) => asked.min(LONGEST_WAIT),
                Ok((_, None)) | Err(Failure::Passing(_)) => part_of(wait),
            };
            tokio::time::sleep(pause).await;
            wait *= 2;
        }
        match self.attempt(call).await {
            Ok((answer, _)) => Ok(answer),
            Err(Failure::Passing(reason) | Failure::Lasting(reason)) => Err(reason),
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<(Answer, Option<Duration>), Failure> {
        let mut request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone());
        if let Some(body) = &call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_vec());
        }
        let mut response = request.send().await.map_err(|e| failure(&e))?;
        let status = response.status();
        if status.is_redirection() {
            let place = response.headers().get("location");
            let place = place
                .and_then(|place| place.to_str().ok())
                .and_then(|place| Url::parse(place).ok());
            let place = place.map_or_else(
                || "another place".to_owned(),
                |place| place.origin().ascii_serialization(),
            );
            return Err(Failure::Lasting(format!(
                "it answers {status} and sends to {place}, where nothing is sent unless it is allowed"
            )));
        }
        let asked = response.headers().get(RETRY_AFTER).and_then(seconds);
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|e| failure(&e))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Failure::Lasting(
                    "the answer is too long for a key service".to_owned(),
                ));
            }
            // Growing would leave copies behind.
            let mut longer = Zeroizing::new(Vec::with_capacity(body.len() + chunk.len()));
            longer.extend_from_slice(&body);
            longer.extend_from_slice(&chunk);
            body = longer;
        }
        Ok((Answer { status, body }, asked))
    }
}

/// A URL without what may be secret in it.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

/// What a service says, made safe to show: one line, not long, no control characters.
pub(crate) fn reason(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let words: String = printable.take(LONGEST_REASON).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A header whose value no log shows.
pub(crate) fn secret_header(value: &str) -> Result<HeaderValue, KeyError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| KeyError("the token holds characters that no header takes".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 412 | 429 | 500 | 502 | 503 | 504)
}

fn failure(error: &reqwest::Error) -> Failure {
    let text = causes(error);
    match error.is_connect() || error.is_timeout() || error.is_request() || error.is_body() {
        // A certificate does not change by asking again.
        true if text.contains("certificate") => Failure::Lasting(text),
        true => Failure::Passing(text),
        false => Failure::Lasting(text),
    }
}

/// The innermost reason: the others repeat the URL.
fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    reason(&innermost.to_string())
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    Some(Duration::from_secs(
        value.to_str().ok()?.trim().parse().ok()?,
    ))
}

/// A random part of a wait, so that many do not come back at the same moment.
fn part_of(wait: Duration) -> Duration {
    let mut byte = [0];
    match rand::fill(&mut byte) {
        Ok(()) => wait.mul_f64(f64::from(byte[0]) / 255.0),
        Err(_) => wait,
    }
}
