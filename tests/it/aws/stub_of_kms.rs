//! A stub that answers as KMS and STS do, for what the real ones seldom do.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::stub::{self, Reply, Request};

/// The key of stubs.
pub(super) const KEY: &str =
    "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A running stub, told what to say to each request by its number.
pub(super) struct Stub {
    pub(super) address: String,
    stub: stub::Stub,
}

/// What was asked.
pub(super) struct Asked {
    /// The path.
    pub(super) path: String,
    /// The body, if it is text.
    pub(super) body: String,
    request: Request,
}

impl Stub {
    /// `answer` gets the number of the request, from zero, and the request. Nothing is no answer.
    pub(super) fn start(answer: impl Fn(usize, &Asked) -> String + Send + Sync + 'static) -> Self {
        let count = AtomicUsize::new(0);
        let stub = stub::Stub::start(move |request| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            match answer(number, &Asked::of(request)) {
                text if text.is_empty() => Reply::Silence,
                text => Reply::Raw(text.into_bytes()),
            }
        });
        Self {
            address: stub.address.clone(),
            stub,
        }
    }

    /// What was asked so far.
    pub(super) fn seen(&self) -> Vec<Asked> {
        self.stub.seen().iter().map(Asked::of).collect()
    }
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            path: request.path.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            request: request.clone(),
        }
    }
}

/// An answer with a status line's end and a body.
pub(super) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A KMS that does all that it is asked.
pub(super) fn obedient() -> Stub {
    Stub::start(|_, asked| obey(asked))
}

/// What KMS answers to a call; it wraps nothing.
pub(super) fn obey(asked: &Asked) -> String {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let answered = match action(asked).as_str() {
        "Encrypt" => json!({"CiphertextBlob": body["Plaintext"], "KeyId": KEY}),
        "Decrypt" => json!({"Plaintext": body["CiphertextBlob"], "KeyId": KEY}),
        _ => return session(asked),
    };
    answer("200 OK", &answered.to_string())
}

/// What STS answers to whoever wants a role.
fn session(asked: &Asked) -> String {
    let action = form(asked, "Action").unwrap_or_default();
    let xml = format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>ASIAOFROLE</AccessKeyId>\
         <SecretAccessKey>secret-of-tests-role</SecretAccessKey><SessionToken>token-of-role</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>"
    );
    answer("200 OK", &xml)
}

/// What KMS answers to what it does not do.
pub(super) fn refusal(status: &str, code: &str, message: &str) -> String {
    let body = json!({"__type": code, "message": message});
    answer(status, &body.to_string())
}

/// The action that is asked for: `Decrypt`, or `AssumeRole`.
pub(super) fn action(asked: &Asked) -> String {
    header(asked, "x-amz-target")
        .and_then(|target| Some(target.strip_prefix("TrentService.")?.to_owned()))
        .or_else(|| form(asked, "Action"))
        .unwrap_or_else(|| asked.path.clone())
}

/// A header of a request.
pub(super) fn header(asked: &Asked, name: &str) -> Option<String> {
    let value = asked.request.header(name);
    (!value.is_empty()).then(|| value.to_owned())
}

/// A field of a form, as it was sent.
pub(super) fn form(asked: &Asked, name: &str) -> Option<String> {
    let pairs = asked
        .body
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let mut pairs = pairs.filter(|(found, _)| *found == name);
    pairs.next().map(|(_, value)| value.to_owned())
}

/// The actions that were asked for, in order.
pub(super) fn actions(stub: &Stub) -> Vec<String> {
    stub.seen().iter().map(action).collect()
}
