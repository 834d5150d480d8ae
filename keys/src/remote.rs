//! Calls to key services over HTTP: bounded in time and size, tried again where that may help, and never sent elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use bytes::Bytes;
use reqwest::{
    Client, ClientBuilder, Method, Request, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use zeroize::Zeroizing;

use crate::{env::Env, master_key::KeyError};

#[cfg(feature = "oauth")]
mod form;
#[cfg(feature = "oauth")]
mod jwt;
#[cfg(feature = "oauth")]
mod oauth;
mod opened;
mod proxies;
mod said;
mod sessions;

#[cfg(feature = "oauth")]
pub(crate) use jwt::{Algorithm, rsa_key, signed};
#[cfg(feature = "oauth")]
pub(crate) use oauth::{Hidden, place, session, token};
pub(crate) use opened::Opened;
use said::{causes, shown};
pub(crate) use said::{chain, reason, secret_header};
pub(crate) use sessions::{Session, Sessions};

/// What one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(20);
/// What all attempts of a call may take, if nothing else is said.
pub(crate) const CALL: Duration = Duration::from_secs(60);
/// How often a call is tried in all.
const TRIES: u32 = 4;
/// The wait behind the first try; it doubles, and each wait is a random part of it.
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// Longest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a service that does not answer is left alone: many documents may have keys there.
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// No answer of a key service is longer.
const LONGEST_ANSWER: usize = 1 << 20;

/// The way to one kind of service.
pub(crate) struct Service {
    client: Client,
    limits: Limits,
    /// Origins that did not answer: since when, and why.
    silent: Mutex<HashMap<String, (Instant, String)>>,
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
    /// JSON, if the headers name nothing else.
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// Whether it may be done twice, if nobody knows whether it was done.
    pub(crate) repeats: bool,
}

/// What came back, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
    #[cfg_attr(
        not(feature = "oauth"),
        expect(dead_code, reason = "whoever logs in with OAuth reads them")
    )]
    headers: HeaderMap,
    /// How long the service asks to wait.
    pause: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service was not reached.
    Unreached(String),
    /// It was, and whether it did what was asked nobody knows.
    Lost(String),
    /// It will not be better the next time.
    Lasting(String),
}

impl Service {
    /// A client with certificates and the like by `settings`, and with the proxies of the environment behind those.
    pub(crate) fn new(
        limits: Limits,
        env: &Env,
        settings: impl FnOnce(ClientBuilder) -> reqwest::Result<ClientBuilder>,
    ) -> Result<Self, KeyError> {
        // Whoever has chosen one before keeps it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(ATTEMPT)
            .timeout(ATTEMPT)
            .user_agent(concat!("kubeseal-rs/", env!("CARGO_PKG_VERSION")));
        let client = settings(builder)
            .and_then(|builder| proxies::add(builder, env))
            .and_then(ClientBuilder::build);
        Ok(Self {
            client: client.map_err(|e| KeyError(causes(&e)))?,
            limits,
            silent: Mutex::default(),
        })
    }

    /// Calls until there is an answer that does not ask to try again, or until time or tries are used up.
    ///
    /// An origin that was silent once is left alone for a while, whoever asks.
    pub(crate) async fn call(&self, call: Call<'_>, env: &Env) -> Result<Answer, KeyError> {
        let origin = call.url.origin().ascii_serialization();
        let failed = |why: &str| KeyError(format!("{} {}: {why}", call.method, shown(call.url)));
        self.silence(&origin).map_err(|why| failed(&why))?;
        let limit = self.limits.call.min(env.time_limit());
        let in_time = tokio::time::timeout(limit, self.attempts(&call)).await;
        let outcome = in_time.unwrap_or_else(|_| {
            Err(Failure::Lost(format!(
                "no answer in {} s",
                limit.as_secs_f32()
            )))
        });
        let (why, outcome) = match outcome {
            Ok(answer) if !is_overload(answer.status) => return Ok(answer),
            Ok(answer) => (format!("it answers {}", answer.status), Ok(answer)),
            Err(Failure::Lasting(why)) => return Err(failed(&why)),
            Err(Failure::Unreached(why) | Failure::Lost(why)) => {
                let error = failed(&why);
                (why, Err(error))
            }
        };
        self.leave_alone(origin, why);
        outcome
    }

    /// Why a place is not asked now, if it was silent a short while ago.
    pub(crate) fn silence(&self, place: &str) -> Result<(), String> {
        match self.silent().get(place) {
            Some((since, why)) if since.elapsed() < LEFT_ALONE => {
                Err(format!("{why}, so it is left alone for a while"))
            }
            _ => Ok(()),
        }
    }

    /// Keeps everybody from a place for a while.
    pub(crate) fn leave_alone(&self, place: String, why: String) {
        self.silent().insert(place, (Instant::now(), why));
    }

    fn silent(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, String)>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn attempts(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let mut wait = FIRST_WAIT;
        for _ in 1..self.limits.tries {
            let outcome = self.attempt(call).await;
            let pause = match &outcome {
                Ok(answer) if call.is_to_be_repeated(answer.status) => answer.pause,
                Err(Failure::Unreached(_)) => None,
                Err(Failure::Lost(_)) if call.repeats => None,
                _ => return outcome,
            };
            let pause = pause.map_or_else(|| part_of(wait), |asked| asked.min(LONGEST_WAIT));
            tokio::time::sleep(pause).await;
            wait = LONGEST_WAIT.min(wait * 2);
        }
        self.attempt(call).await
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let mut headers = call.headers.clone();
        let json = HeaderValue::from_static("application/json");
        headers.entry(CONTENT_TYPE).or_insert(json);
        let request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .headers(headers)
            .body(Bytes::from_owner(call.body.clone()));
        let request = request.build().map_err(|e| Failure::of(&e, ATTEMPT))?;
        let (head, body) = self.once(request).await?;
        Ok(Answer {
            status: head.status(),
            headers: head.headers().clone(),
            body,
            pause: head.headers().get(RETRY_AFTER).and_then(seconds),
        })
    }

    /// One try, for whoever counts tries by other rules: the head of the answer, and its body.
    pub(crate) async fn once(
        &self,
        request: Request,
    ) -> Result<(Response, Zeroizing<Vec<u8>>), Failure> {
        let limit = request.timeout().copied().unwrap_or(ATTEMPT);
        let failed = |error| Failure::of(&error, limit);
        let mut response = self.client.execute(request).await.map_err(failed)?;
        if response.status().is_redirection() {
            return Err(Failure::Lasting(redirected(&response)));
        }
        let body = whole(&mut response, limit).await?;
        Ok((response, body))
    }
}

impl Answer {
    /// A header. Returns `None` if it is missing, or is not text.
    #[cfg(feature = "oauth")]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Call<'_> {
    fn is_to_be_repeated(&self, status: StatusCode) -> bool {
        match status.as_u16() {
            // Nothing was done.
            412 | 429 | 503 => true,
            500 | 502 | 504 => self.repeats,
            _ => false,
        }
    }
}

impl Failure {
    fn of(error: &reqwest::Error, limit: Duration) -> Self {
        let text = causes(error);
        match () {
            // A certificate does not change by asking again.
            () if text.contains("certificate") => Self::Lasting(text),
            () if error.is_connect() => Self::Unreached(text),
            () if error.is_timeout() => {
                Self::Lost(format!("no answer in {} s", limit.as_secs_f32()))
            }
            () if error.is_request() || error.is_body() || error.is_decode() => Self::Lost(text),
            () => Self::Lasting(text),
        }
    }
}

/// What is said of a redirection: whoever follows one takes secrets along.
fn redirected(response: &Response) -> String {
    let place = response.headers().get("location");
    let place = place.and_then(|place| response.url().join(place.to_str().ok()?).ok());
    let status = response.status();
    let place = place.map_or_else(|| "another place".to_owned(), |place| shown(&place));
    format!(
        "it answers {status} and sends to {place}; nothing is sent there: name that address if it is the right one"
    )
}

async fn whole(response: &mut Response, limit: Duration) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut body = Zeroizing::new(Vec::new());
    let failed = |error| Failure::of(&error, limit);
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        let length = body.len() + chunk.len();
        if length > LONGEST_ANSWER {
            let text = "the answer is too long for a key service";
            return Err(Failure::Lasting(text.to_owned()));
        }
        // Growing would leave copies behind.
        let mut longer = Zeroizing::new(Vec::with_capacity(length));
        longer.extend_from_slice(&body);
        longer.extend_from_slice(&chunk);
        body = longer;
    }
    Ok(body)
}

/// Whether the service has no time for anybody.
fn is_overload(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A random part of a wait, so that many do not come back at the same moment.
fn part_of(wait: Duration) -> Duration {
    let mut byte = [0];
    match rand::fill(&mut byte) {
        Ok(()) => wait.mul_f64(f64::from(byte[0]) / 255.0),
        Err(_) => wait,
    }
}

/// The origin that a text names, and nothing besides: whoever lists a path means less than a whole origin.
pub(crate) fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let is_all =
        url.has_host() && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    is_all.then(|| url.origin().ascii_serialization())
}
