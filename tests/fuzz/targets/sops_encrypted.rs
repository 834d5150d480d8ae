//! Any text as an encrypted document: metadata and values are read or refused, and nothing opens that the key did not close.
//!
//! The first byte says which format.
#![no_main]

use std::sync::LazyLock;

use decryptor::format::Format;
use decryptor::sops::config::Config;
use decryptor::sops::path::Path;
use decryptor::sops::{Encrypted, OpenError};
use keys::DataKey;
use libfuzzer_sys::fuzz_target;

const FORMATS: [Format; 5] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];

static KEY: LazyLock<DataKey> = LazyLock::new(|| DataKey::from_slice(&[8; 32]).expect("32 bytes"));

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first() else { return };
    let _ = Config::parse(text);
    if let Ok(text) = str::from_utf8(text) {
        let _ = Path::parse(text);
    }
    let format = FORMATS[usize::from(*choice) % FORMATS.len()];
    let Ok(document) = Encrypted::parse(text, format) else { return };
    let _ = (document.metadata().copy(), document.metadata().is_complete());
    let _ = document.open_unverified(&KEY);
    match document.open(&KEY) {
        Ok(_) => panic!("nobody has sealed a MAC under this key"),
        Err(OpenError::NoMac | OpenError::MacUnreadable | OpenError::MacMismatch) => {}
        Err(error) => drop(error.to_string()),
    }
});
