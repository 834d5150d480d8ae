//! Google Cloud KMS as its REST contract has it: real cryptography, tokens that are looked at, and faults on demand.
//!
//! There is no server to be had. What keeps this one honest is that the original program talks to it in the same tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::stub::{Reply, Request, Stub};

/// The token that may do everything.
pub const TOKEN: &str = "ya29.token-of-tests";

/// A running server.
pub struct Gcp {
    /// Where it listens, and what was asked.
    pub stub: Stub,
    state: Arc<Mutex<State>>,
}

/// What a test sets.
#[derive(Default)]
struct State {
    keys: HashMap<String, [u8; 32]>,
    /// What is said of a key, whatever is asked.
    refused: HashMap<String, (u16, String)>,
}

/// Whether a token counts.
pub type Check = dyn Fn(&str) -> bool + Send + Sync;

impl Gcp {
    /// Starts a server that knows [`TOKEN`].
    pub fn start() -> Self {
        Self::start_for(|token| token == TOKEN)
    }

    /// Starts a server with a say in which tokens count.
    pub fn start_for(check: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let known = state.clone();
        let stub = Stub::start(move |asked| known.lock().expect("no panic").answer(asked, &check));
        Self { stub, state }
    }

    /// What a key of this server is called. It is made when it is first used.
    pub fn key(&self, name: &str) -> String {
        format!("projects/p/locations/global/keyRings/tests/cryptoKeys/{name}")
    }

    /// From now on a key is refused with a status and a reason.
    pub fn refuse(&self, name: &str, status: u16, reason: &str) {
        let mut state = self.state.lock().expect("no panic");
        state
            .refused
            .insert(self.key(name), (status, reason.to_owned()));
    }

    /// How often an action of a key was asked for.
    pub fn calls(&self, name: &str, action: &str) -> usize {
        self.stub.calls(&format!("{}:{action}", self.key(name)))
    }
}

impl State {
    fn answer(&mut self, asked: &Request, check: &Check) -> Reply {
        let token = asked.header("authorization").strip_prefix("Bearer ");
        if !token.is_some_and(check) {
            let message = "Request had invalid authentication credentials.";
            return refusal(401, message, "UNAUTHENTICATED");
        }
        let target = asked.path.strip_prefix("/v1/");
        let target = target.and_then(|target| target.rsplit_once(':'));
        let (Some((name, action)), "POST") = (target, asked.method.as_str()) else {
            return refusal(404, "Not found.", "NOT_FOUND");
        };
        if let Some((status, reason)) = self.refused.get(name) {
            return refusal(*status, reason, "REFUSED");
        }
        let secret = self.keys.entry(name.to_owned()).or_insert_with(|| {
            let mut bytes = [0; 32];
            rand::fill(&mut bytes).expect("randomness");
            bytes
        });
        let key = UnboundKey::new(&AES_256_GCM, secret).expect("32 bytes");
        match act(&LessSafeKey::new(key), name, action, &asked.json()) {
            Some(answer) => Reply::json(200, &answer),
            None => refusal(
                400,
                "Decryption failed: the ciphertext is invalid.",
                "INVALID_ARGUMENT",
            ),
        }
    }
}

fn act(key: &LessSafeKey, name: &str, action: &str, asked: &Value) -> Option<Value> {
    let bytes = |field: &str| BASE64_STANDARD.decode(asked[field].as_str()?).ok();
    match action {
        "encrypt" => {
            let mut sealed = bytes("plaintext")?;
            let checked = is_right(&sealed, &asked["plaintextCrc32c"])?;
            let mut nonce = [0; 12];
            rand::fill(&mut nonce).ok()?;
            let unique = Nonce::assume_unique_for_key(nonce);
            key.seal_in_place_append_tag(unique, Aad::empty(), &mut sealed)
                .ok()?;
            let sealed = [&nonce[..], &sealed].concat();
            let mut answer = json!({
                "name": format!("{name}/cryptoKeyVersions/1"),
                "ciphertext": BASE64_STANDARD.encode(&sealed),
                "ciphertextCrc32c": crc32c(&sealed).to_string(),
                "protectionLevel": "SOFTWARE",
            });
            if checked {
                answer["verifiedPlaintextCrc32c"] = json!(true);
            }
            Some(answer)
        }
        "decrypt" => {
            let mut sealed = bytes("ciphertext")?;
            is_right(&sealed, &asked["ciphertextCrc32c"])?;
            if sealed.len() < 12 {
                return None;
            }
            let mut rest = sealed.split_off(12);
            let nonce = Nonce::try_assume_unique_for_key(&sealed).ok()?;
            let plain = key.open_in_place(nonce, Aad::empty(), &mut rest).ok()?;
            Some(json!({
                "plaintext": BASE64_STANDARD.encode(&*plain),
                "plaintextCrc32c": crc32c(plain).to_string(),
                "usedPrimary": true,
            }))
        }
        _ => None,
    }
}

/// Whether there is a checksum; `None` if it is wrong.
fn is_right(bytes: &[u8], checksum: &Value) -> Option<bool> {
    match checksum.as_str() {
        None => Some(false),
        Some(text) => (text == crc32c(bytes).to_string()).then_some(true),
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1 == 1;
            crc >>= 1;
            if carry {
                crc ^= 0x82f6_3b78;
            }
        }
    }
    !crc
}

fn refusal(status: u16, message: &str, name: &str) -> Reply {
    let error = json!({"code": status, "message": message, "status": name});
    Reply::json(status, &json!({"error": error}))
}
