//! HPKE (RFC 9180) as post-quantum age uses it: base mode, one message, no additional data.
//!
//! KEM 0x647a (X-Wing, whose secret comes from outside), HKDF-SHA256, ChaCha20-Poly1305.

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};
use zeroize::Zeroizing;

/// What a KEM agreed on.
pub(super) type SharedSecret = Zeroizing<[u8; 32]>;

/// "HPKE", then the numbers of KEM, KDF and AEAD.
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";
const VERSION: &[u8] = b"HPKE-v1";
const BASE_MODE: u8 = 0;

/// Encrypts the one message of a shared secret.
pub(super) fn seal(shared: &SharedSecret, info: &[u8], message: &[u8]) -> Vec<u8> {
    let (key, nonce) = schedule(shared, info);
    let mut sealed = message.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed)
        .expect("a short message is not too long");
    sealed
}

/// Decrypts it. Returns `None` if it was not made with this secret.
pub(super) fn open(
    shared: &SharedSecret,
    info: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (key, nonce) = schedule(shared, info);
    let mut opened = Zeroizing::new(sealed.to_vec());
    let length = key
        .open_in_place(nonce, Aad::empty(), &mut opened)
        .ok()?
        .len();
    opened.truncate(length);
    Some(opened)
}

/// RFC 9180, 5.1: the key, and the nonce of the first message.
fn schedule(shared: &SharedSecret, info: &[u8]) -> (LessSafeKey, Nonce) {
    let mut context = vec![BASE_MODE];
    for (label, part) in [("psk_id_hash", b"".as_slice()), ("info_hash", info)] {
        context.extend(extract_bytes(label, part));
    }
    let secret = extract(shared.as_slice(), "secret", b"");
    let key = expand::<32>(&secret, "key", &context);
    let nonce = expand::<12>(&secret, "base_nonce", &context);
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).expect("the key has 32 bytes");
    (LessSafeKey::new(key), Nonce::assume_unique_for_key(*nonce))
}

/// LabeledExtract.
fn extract(salt: &[u8], label: &str, input: &[u8]) -> Prk {
    let input = Zeroizing::new([VERSION, SUITE, label.as_bytes(), input].concat());
    Salt::new(HKDF_SHA256, salt).extract(&input)
}

/// LabeledExtract without a salt, as bytes: HKDF's extraction is HMAC.
fn extract_bytes(label: &str, input: &[u8]) -> impl IntoIterator<Item = u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[0; 32]);
    let input = [VERSION, SUITE, label.as_bytes(), input].concat();
    aws_lc_rs::hmac::sign(&key, &input).as_ref().to_vec()
}

/// LabeledExpand.
fn expand<const LENGTH: usize>(
    secret: &Prk,
    label: &str,
    context: &[u8],
) -> Zeroizing<[u8; LENGTH]> {
    let length = u16::try_from(LENGTH).expect("keys are short").to_be_bytes();
    let info = [&length, VERSION, SUITE, label.as_bytes(), context];
    let mut expanded = Zeroizing::new([0; LENGTH]);
    secret
        .expand(&info, Length(LENGTH))
        .and_then(|filler| filler.fill(expanded.as_mut()))
        .expect("it is asked for as many bytes as there is room for");
    expanded
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
