//! Any bytes as what a value holds, sealed by somebody who has the key, under any type: refused, or a document again.
//!
//! The first byte says which format, which type and what stands around the value. Without the rest of a document the MAC
//! cannot be right, so it is left out of account.
#![no_main]

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine};
use decryptor::format::Format;
use decryptor::sops::{Encrypted, OpenError, Plain};
use keys::DataKey;
use keys::aead::ValueCipher;
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 8] = ["str", "int", "float", "bool", "bytes", "time", "comment", "none"];

/// A document of each format with a value at `a`, and how values may be written there.
const SHAPES: [(Format, &str); 8] = [
    (Format::Yaml, "a: {}\nsops:\n    mac: \"\"\n    lastmodified: \"2024-01-02T03:04:05Z\"\n    version: 3.9.0\n"),
    (Format::Yaml, "a: |-\n    {}\nsops:\n    mac: \"\"\n    lastmodified: \"2024-01-02T03:04:05Z\"\n    version: 3.9.0\n"),
    (Format::Yaml, "a: {b: [\"{}\"]} # {}\nsops:\n    mac: \"\"\n    lastmodified: \"2024-01-02T03:04:05Z\"\n    version: 3.9.0\n"),
    (Format::Yaml, "a:\n#{}\n    b: '{}' # c\nsops:\n    mac: \"\"\n    lastmodified: \"2024-01-02T03:04:05Z\"\n    version: 3.9.0\n"),
    (Format::Json, r#"{"a":"{}","sops":{"mac":"","lastmodified":"2024-01-02T03:04:05Z","version":"3.9.0"}}"#),
    (Format::Dotenv, "#{}\na={}\nsops_mac=\nsops_lastmodified=2024-01-02T03:04:05Z\nsops_version=3.9.0\n"),
    (Format::Ini, "[s]\n; {}\na = {}\n[sops]\nmac = \nlastmodified = 2024-01-02T03:04:05Z\nversion = 3.9.0\n"),
    (Format::Binary, r#"{"data":"{}","sops":{"mac":"","lastmodified":"2024-01-02T03:04:05Z","version":"3.9.0"}}"#),
];

/// Where the values of [`SHAPES`] may stand, as their ciphertext says it.
const PLACES: [&[u8]; 5] = [b"a:", b"a:b:", b"s:a:", b"data:", b""];

static KEY: LazyLock<DataKey> = LazyLock::new(|| DataKey::from_slice(&[7; 32]).expect("32 bytes"));

fuzz_target!(|bytes: &[u8]| {
    let [shape, kind, text @ ..] = bytes else { return };
    let (format, shape) = SHAPES[usize::from(*shape) % SHAPES.len()];
    let kind = TYPES[usize::from(*kind) % TYPES.len()];
    let cipher = ValueCipher::new(&KEY);
    for place in PLACES {
        let (data, tag) = cipher.seal(&[9; 32], place, text);
        let [data, iv, tag] = [&data[..], &[9; 32], &tag].map(|part| BASE64_STANDARD.encode(part));
        let value = format!("ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{kind}]");
        let document = shape.replace("{}", &value);
        let document = Encrypted::parse(document.as_bytes(), format).expect("it has the form of a document");
        assert!(!matches!(document.open(&KEY), Ok(_)), "the MAC is missing");
        match document.open_unverified(&KEY) {
            Ok(plain) => {
                let text = plain.expose_secret();
                assert!(Plain::parse(text, format).is_ok() || text.is_empty(), "{}", String::from_utf8_lossy(text));
            }
            Err(OpenError::NoMac) => panic!("it is not asked for"),
            Err(error) => drop(error.to_string()),
        }
    }
});
