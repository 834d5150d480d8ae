//! Any text as a document in clear: refused, or encrypted so that it opens to the same text again, in any format.
//!
//! The first byte says which format and which rule.
#![no_main]

use std::sync::LazyLock;

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::rules::{Rules, Selection};
use decryptor::sops::{Closing, Encrypted, Plain};
use keys::{DataKey, KeyGroups};
use libfuzzer_sys::fuzz_target;

const FORMATS: [Format; 5] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];
const RULES: [(&str, &str); 4] = [
    ("unencrypted_suffix", "_unencrypted"),
    ("encrypted_regex", "^[a-m]"),
    ("unencrypted_comment_regex", "clear"),
    ("encrypted_comment_regex", "secret"),
];

static KEY: LazyLock<DataKey> = LazyLock::new(|| DataKey::from_slice(&[7; 32]).expect("32 bytes"));

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first() else { return };
    let format = FORMATS[usize::from(*choice) % FORMATS.len()];
    let (name, rule) = RULES[usize::from(*choice) / FORMATS.len() % RULES.len()];
    let Ok(plain) = Plain::parse(text, format) else { return };
    for other in FORMATS {
        if let Ok(converted) = plain.convert(other) {
            assert!(Plain::parse(converted.expose_secret(), other).is_ok() || converted.expose_secret().is_empty());
        }
    }
    let _ = plain.variables();
    let close = |plain: &Plain| {
        let rules = Rules::new(Selection::of(name, rule).expect("a rule"));
        let metadata = Metadata::new(rules, KeyGroups::default());
        let closed = plain.close(&KEY, Closing { metadata, now: "2024-01-02T03:04:05Z", previous: None }).ok()?;
        let read = Encrypted::parse(closed.as_bytes(), format).expect("our own document is read");
        Some(read.open(&KEY).expect("our own document opens"))
    };
    // What cannot keep its style comes back in one that can: from then on every byte stays.
    let Some(once) = close(&plain) else { return };
    let again = Plain::parse(once.expose_secret(), format).expect("what was opened is a document");
    let twice = close(&again).expect("what was closed once closes again");
    assert_eq!(once.expose_secret(), twice.expose_secret(), "{}", String::from_utf8_lossy(once.expose_secret()));
});
