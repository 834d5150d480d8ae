//! Checksums and digests, in hexadecimal.

use std::fmt::Write;

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};

use super::super::signature::{Arguments, Type};
use super::super::value::Value;
use super::{Entry, Outcome, fixed};

pub(super) const TABLE: &[Entry] = &[
    fixed("adler32sum", &[Type::String], |_, arguments| {
        Ok(Value::text(adler32(arguments.text(0)).to_string()))
    }),
    fixed("sha1sum", &[Type::String], |_, arguments| {
        hashed(&SHA1_FOR_LEGACY_USE_ONLY, arguments)
    }),
    fixed("sha256sum", &[Type::String], |_, arguments| {
        hashed(&SHA256, arguments)
    }),
    fixed("sha512sum", &[Type::String], |_, arguments| {
        hashed(&SHA512, arguments)
    }),
];

fn hashed(algorithm: &'static Algorithm, arguments: &Arguments) -> Outcome {
    let mut text = String::new();
    for byte in digest(algorithm, arguments.text(0)).as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(Value::text(text))
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % MODULUS;
        b = (b + a) % MODULUS;
    }
    b << 16 | a
}
