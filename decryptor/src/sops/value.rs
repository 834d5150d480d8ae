//! `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` ⇄ a typed scalar, with its path as authenticated data.

use std::ops::Deref;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use keys::Plaintext;
use keys::aead::{ValueCipher, ValueNonce};
use zeroize::Zeroizing;

use super::time;
use crate::manifest::go_float::{Bits, go_float};
use crate::tree::Scalar;

const HEAD: &str = "ENC[AES256_GCM,data:";
const TAG_LEN: usize = 16;

/// What an encrypted value says its plaintext is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    Str,
    Int,
    Float,
    Bool,
    Time,
    Bytes,
    Comment,
}

/// Why an encrypted value does not open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It has not the form of an encrypted value.
    #[error("the value is not encrypted, or cut")]
    NotEncrypted,
    /// A type that SOPS does not have.
    #[error("the value has an unknown type")]
    UnknownType,
    /// Another key, another place in the document, or changed bytes.
    #[error("the value does not open: it was changed, moved, or belongs to another data key")]
    NotAuthentic,
    /// What was encrypted is not of the type that stands beside it.
    #[error("the value is not of the type that it claims")]
    WrongType,
}

/// An encrypted value taken apart.
struct Envelope<'t> {
    data: &'t str,
    iv: &'t str,
    tag: &'t str,
    kind: Type,
}

/// A value that was opened.
pub(crate) struct Opened {
    pub(crate) kind: Type,
    /// The bytes that were encrypted: for numbers, they may be written in another way than the canonical one.
    pub(crate) text: Plaintext,
    /// Their meaning. `None` for comments.
    pub(crate) scalar: Option<Scalar>,
}

impl Opened {
    /// Whether programs encrypt such a value as these bytes. A label that somebody else wrote may give them another meaning.
    pub(crate) fn is_canonical(&self) -> bool {
        match &self.scalar {
            None | Some(Scalar::Text(_) | Scalar::Bytes(_)) => true,
            Some(scalar) => *canonical(scalar) == *self.text.expose_secret(),
        }
    }

    /// The value as dotenv and INI have it.
    pub(crate) fn in_words(&self) -> Result<Zeroizing<String>, &'static str> {
        let scalar = self.scalar.as_ref();
        let scalar = scalar.ok_or("a comment stands where only a value can")?;
        in_words(scalar).ok_or("the value is no text: the format cannot hold it")
    }
}

/// The bytes of a scalar that MACs take, and that ciphers take by default. Nothing for null.
pub(crate) fn canonical(scalar: &Scalar) -> Canonical<'_> {
    Canonical::Borrowed(match scalar {
        Scalar::Null => &[],
        Scalar::Bool(true) => b"True",
        Scalar::Bool(false) => b"False",
        Scalar::Int(value) => return Canonical::of(value.to_string()),
        Scalar::Float(value) => return Canonical::of(float(*value)),
        Scalar::Time(text) => text.as_bytes(),
        Scalar::Text(text) => text.as_bytes(),
        Scalar::Bytes(bytes) => bytes,
    })
}

/// Bytes of a scalar: its own, or made of it.
pub(crate) enum Canonical<'s> {
    Borrowed(&'s [u8]),
    Owned(Zeroizing<Vec<u8>>),
}

impl Canonical<'_> {
    fn of(text: String) -> Self {
        Self::Owned(Zeroizing::new(text.into_bytes()))
    }

    pub(crate) fn into_owned(self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Borrowed(bytes) => Zeroizing::new(bytes.to_vec()),
            Self::Owned(bytes) => bytes,
        }
    }
}

impl Deref for Canonical<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// Whether two scalars are of one type and have the same canonical bytes.
pub(crate) fn is_same(one: &Scalar, other: &Scalar) -> bool {
    match (one, other) {
        (Scalar::Int(one), Scalar::Int(other)) => one == other,
        (Scalar::Float(one), Scalar::Float(other)) => {
            one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
        }
        _ => Type::of(one) == Type::of(other) && *canonical(one) == *canonical(other),
    }
}

/// A scalar as dotenv, INI and environments have it. Returns `None` if it is no text.
pub(crate) fn in_words(scalar: &Scalar) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(match scalar {
        Scalar::Null => String::new(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Float(value) => {
            let text = go_float(*value, Bits::Double).replace('e', "E");
            match value.is_finite() && !text.contains(['.', 'E']) {
                true => format!("{value:.1}"),
                false => text,
            }
        }
        Scalar::Time(text) => time::to_the_second(text)?,
        Scalar::Text(text) => text.to_string(),
        Scalar::Bytes(_) => return None,
    }))
}

/// Fixed notation, never an exponent.
fn float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

impl Type {
    /// The type of a scalar. Null is never encrypted.
    pub(crate) fn of(scalar: &Scalar) -> Self {
        match scalar {
            Scalar::Bool(_) => Self::Bool,
            Scalar::Int(_) => Self::Int,
            Scalar::Float(_) => Self::Float,
            Scalar::Time(_) => Self::Time,
            Scalar::Null | Scalar::Text(_) | Scalar::Bytes(_) => Self::Str,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Bytes => "bytes",
            Self::Comment => "comment",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [
            Self::Str,
            Self::Int,
            Self::Float,
            Self::Bool,
            Self::Time,
            Self::Bytes,
            Self::Comment,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }

    /// What a plaintext of this type means. Returns `None` if it is not of the type.
    pub(crate) fn read(self, bytes: &[u8]) -> Option<Scalar> {
        let text = str::from_utf8(bytes);
        match self {
            Self::Str | Self::Bytes | Self::Comment => Some(match text {
                Ok(text) => Scalar::text(text),
                Err(_) => Scalar::Bytes(Zeroizing::new(bytes.to_vec())),
            }),
            Self::Int => text.ok()?.parse().ok().map(Scalar::Int),
            Self::Float => read_float(text.ok()?).map(Scalar::Float),
            Self::Bool => match text.ok()? {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(Scalar::Bool(true)),
                "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(Scalar::Bool(false)),
                _ => None,
            },
            Self::Time => time::canonical(text.ok()?).map(Scalar::Time),
        }
    }
}

/// Decimal numbers as Go's `ParseFloat` takes them. Hexadecimal ones were never written by anyone.
fn read_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let names_infinity = text.to_ascii_lowercase().contains("inf");
    (value.is_finite() || value.is_nan() || names_infinity).then_some(value)
}

/// Encrypts the bytes of a leaf or a comment.
pub(crate) fn seal(
    cipher: &ValueCipher,
    nonces: &mut Nonces,
    kind: Type,
    text: &[u8],
    aad: &[u8],
) -> String {
    seal_with(cipher, &nonces.draw(), kind, text, aad)
}

/// Random nonces, each given out once. They are drawn many at a time, since asking costs more than what is given.
#[derive(Default)]
pub(crate) struct Nonces(Vec<ValueNonce>);

impl Nonces {
    fn draw(&mut self) -> ValueNonce {
        const AT_ONCE: usize = 64;
        if self.0.is_empty() {
            self.0.resize(AT_ONCE, [0; 32]);
            aws_lc_rs::rand::fill(self.0.as_flattened_mut())
                .expect("the system's randomness does not fail");
        }
        self.0.pop().expect("there are some now")
    }
}

fn seal_with(
    cipher: &ValueCipher,
    nonce: &ValueNonce,
    kind: Type,
    text: &[u8],
    aad: &[u8],
) -> String {
    let (data, tag) = cipher.seal(nonce, aad, text);
    // Exact: many of them wait in memory until all are written.
    let fixed = HEAD.len() + ",iv:".len() + 44 + ",tag:".len() + 24 + ",type:]".len();
    let mut out = Vec::with_capacity(fixed + data.len().div_ceil(3) * 4 + kind.name().len());
    for (name, bytes) in [
        (HEAD, data.as_slice()),
        (",iv:", nonce.as_slice()),
        (",tag:", tag.as_slice()),
    ] {
        out.extend_from_slice(name.as_bytes());
        let start = out.len();
        out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        BASE64_STANDARD
            .encode_slice(bytes, &mut out[start..])
            .expect("there is room for four digits for three bytes");
    }
    for text in [",type:", kind.name(), "]"] {
        out.extend_from_slice(text.as_bytes());
    }
    String::from_utf8(out).expect("it is ASCII")
}

/// Decrypts a value. What stands behind its bracket is ignored, as by SOPS.
pub(crate) fn open(cipher: &ValueCipher, text: &str, aad: &[u8]) -> Result<Opened, ValueError> {
    let envelope = Envelope::parse(text)?;
    let (mut iv, mut tag) = ([0; 64], [0; 64]);
    let iv = decode_short(envelope.iv, &mut iv)?;
    let tag = decode_short(envelope.tag, &mut tag)?;
    let data = BASE64_STANDARD
        .decode(envelope.data)
        .map_err(|_| ValueError::NotEncrypted)?;
    let opened = cipher
        .open(iv, aad, data, tag)
        .map_err(|_| ValueError::NotAuthentic)?;
    let kind = envelope.kind;
    let scalar = match kind {
        Type::Comment => None,
        kind => Some(
            kind.read(opened.expose_secret())
                .ok_or(ValueError::WrongType)?,
        ),
    };
    Ok(Opened {
        kind,
        text: opened,
        scalar,
    })
}

/// Whether a text has the form of an encrypted value, and the type that it claims. What it holds is not looked at.
pub(crate) fn check_form(text: &str) -> Result<Type, ValueError> {
    let envelope = Envelope::parse(text)?;
    let length = |part: &str| {
        let decoded = BASE64_STANDARD.decode(part);
        decoded.map_or(0, |bytes| bytes.len())
    };
    let is_whole = length(envelope.data) > 0
        && [12, 16, 32].contains(&length(envelope.iv))
        && length(envelope.tag) == TAG_LEN;
    match is_whole {
        true => Ok(envelope.kind),
        false => Err(ValueError::NotEncrypted),
    }
}

/// Whether a text begins as encrypted values do.
pub(crate) fn claims_to_be_one(text: &str) -> bool {
    text.starts_with("ENC[")
}

/// Decodes a nonce or a tag: no real one is longer than the buffer.
fn decode_short<'b>(part: &str, buffer: &'b mut [u8; 64]) -> Result<&'b [u8], ValueError> {
    let length = BASE64_STANDARD
        .decode_slice(part, buffer)
        .map_err(|_| ValueError::NotEncrypted)?;
    Ok(&buffer[..length])
}

/// What stands behind the bracket of an encrypted value.
pub(crate) fn mark(text: &str) -> &str {
    text.rsplit_once(']').map_or("", |(_, mark)| mark)
}

/// The encrypted value without what stands behind its bracket.
pub(crate) fn without_mark(text: &str) -> &str {
    &text[..text.len() - mark(text).len()]
}

impl<'t> Envelope<'t> {
    /// As the original's greedy pattern, anchored at the beginning only.
    fn parse(text: &'t str) -> Result<Self, ValueError> {
        let inner = text
            .strip_prefix(HEAD)
            .and_then(|rest| rest.rsplit_once(']'));
        let (inner, _) = inner.ok_or(ValueError::NotEncrypted)?;
        let cut = |text: &'t str, name: &str| {
            // Every name begins with a comma, which is found faster.
            let bytes = text.as_bytes();
            let mut at = bytes.len();
            loop {
                let comma = bytes[..at].iter().rposition(|byte| *byte == b',');
                at = comma.ok_or(ValueError::NotEncrypted)?;
                if bytes[at..].starts_with(name.as_bytes()) {
                    break;
                }
            }
            let (before, part) = (&text[..at], &text[at + name.len()..]);
            match part.is_empty() {
                true => Err(ValueError::NotEncrypted),
                false => Ok((before, part)),
            }
        };
        let (rest, kind) = cut(inner, ",type:")?;
        let (rest, tag) = cut(rest, ",tag:")?;
        let (data, iv) = cut(rest, ",iv:")?;
        if data.is_empty() {
            return Err(ValueError::NotEncrypted);
        }
        let kind = Type::named(kind).ok_or(ValueError::UnknownType)?;
        Ok(Self {
            data,
            iv,
            tag,
            kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use keys::DataKey;

    use super::*;

    const IV: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    fn cipher() -> ValueCipher {
        let key: Vec<u8> = (0..32).collect();
        ValueCipher::new(&DataKey::from_slice(&key).expect("32 bytes"))
    }

    /// Made by sops 3.13.3.
    const VECTORS: [(&str, Type, &str, &str, &str); 6] = [
        (
            "hello",
            Type::Str,
            "a:b:",
            "f6SdJOI=",
            "TEFu+ejkdT0ijPtelDWwfg==",
        ),
        (
            "True",
            Type::Bool,
            "flag:",
            "Q7OELQ==",
            "OAxCU+J6nicSCpxmQvT0Cw==",
        ),
        ("-42", Type::Int, "n:", "OvXD", "ab0EUY1/25wv/zaikfdCWg=="),
        (
            "1.5",
            Type::Float,
            "list:",
            "Ju/E",
            "joLuyK6Xgai1kGaJdwO58w==",
        ),
        (
            " note",
            Type::Comment,
            "a:",
            "N6+ePOg=",
            "ZL5YIZCHLox7JwHWCR0W2g==",
        ),
        (
            "2024-01-02T00:00:00Z",
            Type::Time,
            "d:",
            "JfHDfKA/5w72YzJH1rpRz72hh/4=",
            "11oD2fVYx4GSpkamAxy2vw==",
        ),
    ];

    #[test]
    fn values_are_those_of_the_original() {
        let nonce: ValueNonce = std::array::from_fn(|at| 32 + u8::try_from(at).expect("small"));
        for (text, kind, path, data, tag) in VECTORS {
            let sealed = seal_with(&cipher(), &nonce, kind, text.as_bytes(), path.as_bytes());
            let name = kind.name();
            assert_eq!(
                sealed,
                format!("{HEAD}{data},iv:{IV},tag:{tag},type:{name}]")
            );
            let opened = open(&cipher(), &format!("{sealed} mark"), path.as_bytes()).expect("ours");
            assert_eq!(opened.text.expose_secret(), text.as_bytes());
            assert_eq!(opened.kind, kind);
            let moved = open(&cipher(), &sealed, b"elsewhere:");
            assert_eq!(moved.err(), Some(ValueError::NotAuthentic));
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let sealed = seal(
            &cipher(),
            &mut Nonces::default(),
            Type::Int,
            b"no number",
            b"a:",
        );
        assert_eq!(
            open(&cipher(), &sealed, b"a:").err(),
            Some(ValueError::WrongType)
        );
        for (text, reason) in [
            (
                "ENC[AES256_GCM,data:,iv:a,tag:b,type:str]",
                ValueError::NotEncrypted,
            ),
            (
                "ENC[AES128_GCM,data:a,iv:a,tag:b,type:str]",
                ValueError::NotEncrypted,
            ),
            (
                "ENC[AES256_GCM,data:a,iv:a,tag:b,type:list]",
                ValueError::UnknownType,
            ),
            (
                "ENC[AES256_GCM,data:!,iv:a,tag:b,type:str]",
                ValueError::NotEncrypted,
            ),
            ("", ValueError::NotEncrypted),
        ] {
            assert_eq!(open(&cipher(), text, b"a:").err(), Some(reason), "{text}");
        }
    }

    #[test]
    fn numbers_in_words_keep_a_decimal() {
        for (value, text) in [
            (1.0, "1.0"),
            (1.1, "1.1"),
            (200_000.0, "200000.0"),
            (-2e10, "-2E+10"),
            (2e-10, "2E-10"),
            (f64::INFINITY, "+Inf"),
        ] {
            let words = in_words(&Scalar::Float(value)).expect("a number");
            assert_eq!(*words, text);
        }
    }

    #[test]
    fn numbers_have_one_canonical_form() {
        for (value, text) in [
            (1.0, "1"),
            (1e30, "1000000000000000000000000000000"),
            (1e-10, "0.0000000001"),
            (-0.0, "-0"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(*canonical(&Scalar::Float(value)), *text.as_bytes());
        }
    }
}
