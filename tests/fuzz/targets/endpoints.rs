//! Any bytes as the body of a request to verify or rotate: taken in within bounds, answered as documented, and never
//! with clear text or a wider scope.
//!
//! The controller's own files are compiled here by themselves: its servers and the API client are not what is tried.
#![no_main]

#[path = "../../../controller/src/http/body.rs"]
mod body;
#[path = "../../../controller/src/http/task.rs"]
mod task;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decryptor::manifest;
use decryptor::sealed::SealedSecret;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use keys::{KeyRing, SealingCert, SealingKey};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

use self::body::{Bodies, Unread};
use self::task::{Intake, Task};

/// The key of the vectors, and so of the seeds, under which these words were sealed.
const KEY: &[u8] = include_bytes!("../../vectors/sealed/sealing-key.pem");
const CERT: &[u8] = include_bytes!("../seeds/sealed_value/certificate.pem");
const CLEAR: &str = "correct horse battery staple";

const LONGEST: usize = 2048;
const INTAKE: Intake = Intake { items: 8, deprecated_data: true };

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let key = SealingKey::from_pem(KEY).expect("the key of the vectors");
    let cert = SealingCert::from_pem(CERT).expect("its certificate");
    KeyRing::new([(key, Some(cert))])
});
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
static BODIES: LazyLock<Bodies> = LazyLock::new(|| Bodies::new(LONGEST, Duration::from_secs(60)));

fuzz_target!(|bytes: &[u8]| {
    take_in(bytes);
    let ring = &*RING;
    let verified = Task::Verify.run(bytes, ring, INTAKE);
    assert!([200, 409, 500].contains(&verified.status.as_u16()));
    assert!(verified.json.is_none(), "whether it opens, and nothing else");
    let rotated = Task::Rotate.run(bytes, ring, INTAKE);
    assert!([200, 500].contains(&rotated.status.as_u16()));
    assert_eq!(rotated.json.is_some(), rotated.status == 200);
    if let Some(json) = rotated.json {
        assert_eq!(verified.status, 200, "what can be rotated opens");
        told_nothing(bytes, &json);
    }
});

/// A body in pieces of a length that it says itself, under a claim of how long it is at least.
struct Pieces {
    left: VecDeque<Bytes>,
    claim: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.left.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.claim);
        hint
    }
}

/// A body is held whole or refused, whatever it claims; and gives its memory back.
fn take_in(bytes: &[u8]) {
    let [piece, claim] = [0, 1].map(|at| usize::from(*bytes.get(at).unwrap_or(&1)));
    let left = bytes.chunks(piece.max(1) * 16).map(Bytes::copy_from_slice).collect();
    let claim = bytes.len() * claim / 64;
    let read = RUNTIME.block_on(BODIES.read(Pieces { left, claim: claim as u64 }));
    match read {
        Ok(held) => assert!(held.bytes == bytes && bytes.len() <= LONGEST),
        Err(unread) => assert!(unread == Unread::TooLong && bytes.len().max(claim) > LONGEST),
    }
}

/// Nothing came out but the same values for the same place, under the same template.
fn told_nothing(body: &[u8], answer: &[u8]) {
    let ring = &*RING;
    let asked = manifest::read(body).expect("it was answered").pop().expect("it was answered").into_value();
    let answered: serde_json::Value = serde_json::from_slice(answer).expect("JSON");
    let said = |value: &serde_json::Value| value.to_string().contains(CLEAR);
    assert!(said(&asked) || !said(&answered), "clear text");
    let [asked, answered] =
        [asked, answered].map(|value| serde_json::from_value::<SealedSecret>(value).expect("a SealedSecret"));
    assert_eq!(answered.spec.template, asked.spec.template);
    let label = |sealed: &SealedSecret| sealed.scope().label(&sealed.metadata.namespace, &sealed.metadata.name);
    assert_eq!(label(&answered).as_bytes(), label(&asked).as_bytes());
    assert!(answered.spec.encrypted_data.keys().eq(asked.spec.encrypted_data.keys()));
    for (before, after) in asked.spec.encrypted_data.values().zip(answered.spec.encrypted_data.values()) {
        let [before, after] = [before, after].map(|value| {
            let sealed = STANDARD.decode(value).expect("base64");
            ring.open(&sealed, &label(&asked), None).expect("it opens").plaintext
        });
        assert_eq!(before.expose_secret(), after.expose_secret());
    }
}
