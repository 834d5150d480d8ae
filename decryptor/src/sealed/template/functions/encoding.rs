//! Base64 and base32. Decoding gives Go's error text as its result where it fails, as sprig does.

use super::super::signature::{Arguments, Context, Type::String};
use super::super::value::Value;
use super::{Entry, Outcome, fixed};

pub(super) const TABLE: &[Entry] = &[
    fixed("b32dec", &[String], |_, arguments| {
        decoded(decode32(arguments.text(0)), "base32")
    }),
    fixed("b32enc", &[String], |context, arguments| {
        encoded(context, arguments, BASE32, 5)
    }),
    fixed("b64dec", &[String], |_, arguments| {
        decoded(decode64(arguments.text(0)), "base64")
    }),
    fixed("b64enc", &[String], |context, arguments| {
        encoded(context, arguments, BASE64, 6)
    }),
];

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Where the input is no encoding.
struct Corrupt(usize);

fn decoded(result: Result<Vec<u8>, Corrupt>, encoding: &str) -> Outcome {
    Ok(match result {
        Ok(bytes) => Value::text(bytes),
        Err(Corrupt(at)) => Value::text(format!("illegal {encoding} data at input byte {at}")),
    })
}

fn encoded(
    context: &mut Context<'_>,
    arguments: &Arguments,
    alphabet: &[u8],
    bits: usize,
) -> Outcome {
    context
        .budget
        .bytes(arguments.text(0).len().saturating_mul(2))?;
    Ok(Value::text(encode(arguments.text(0), alphabet, bits)))
}

/// Encodes `bits` bits a character, padded to whole groups.
pub(super) fn encode(bytes: &[u8], alphabet: &[u8], bits: usize) -> Vec<u8> {
    let (group, width) = if bits == 6 { (3, 4) } else { (5, 8) };
    let mut out = Vec::with_capacity(bytes.len().div_ceil(group) * width);
    for chunk in bytes.chunks(group) {
        let mut value = 0_u64;
        for at in 0..group {
            value = value << 8 | u64::from(chunk.get(at).copied().unwrap_or(0));
        }
        let used = (chunk.len() * 8).div_ceil(bits);
        for at in 0..width {
            let index = (value >> (bits * (width - 1 - at))) as usize & ((1 << bits) - 1);
            out.push(if at < used { alphabet[index] } else { b'=' });
        }
    }
    out
}

/// Standard base64 with padding, as sprig's random bytes are shown.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    encode(bytes, BASE64, 6)
}

fn value_of(alphabet: &[u8], byte: u8) -> Option<u32> {
    alphabet
        .iter()
        .position(|&candidate| candidate == byte)
        .and_then(|at| u32::try_from(at).ok())
}

/// Go's standard base64: newlines are skipped anywhere, padding is needed.
fn decode64(text: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let skip = |mut at: usize| {
        while matches!(text.get(at), Some(b'\n' | b'\r')) {
            at += 1;
        }
        at
    };
    let (mut group, mut count, mut at) = (0_u32, 0_usize, 0_usize);
    while let Some(&byte) = text.get(at) {
        at += 1;
        if let Some(value) = value_of(BASE64, byte) {
            group = group << 6 | value;
            count += 1;
            if count == 4 {
                out.extend_from_slice(&group.to_be_bytes()[1..]);
                (group, count) = (0, 0);
            }
            continue;
        }
        match byte {
            b'\n' | b'\r' => continue,
            b'=' if count >= 2 => {}
            _ => return Err(Corrupt(at - 1)),
        }
        if count == 2 {
            at = skip(at);
            match text.get(at) {
                None => return Err(Corrupt(text.len())),
                Some(b'=') => at += 1,
                Some(_) => return Err(Corrupt(at - 1)),
            }
        }
        at = skip(at);
        if at < text.len() {
            return Err(Corrupt(at));
        }
        let bytes = (group << (6 * (4 - count))).to_be_bytes();
        out.extend_from_slice(&bytes[1..count]);
        return Ok(out);
    }
    if count == 0 {
        Ok(out)
    } else {
        Err(Corrupt(at - count))
    }
}

/// Go's standard base32: newlines are dropped before anything is counted, padding is needed.
fn decode32(text: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let mut out = Vec::with_capacity(text.len() / 8 * 5 + 5);
    let mut at = 0;
    while at < text.len() {
        let (mut group, mut count) = (0_u64, 0);
        while count < 8 {
            let Some(&byte) = text.get(at) else {
                return Err(Corrupt(text.len() - count));
            };
            at += 1;
            let left = text.len() - at;
            if byte == b'=' && count >= 2 && left < 8 {
                if left + count < 7 {
                    return Err(Corrupt(text.len()));
                }
                for k in 0..7 - count {
                    if text.get(at + k).is_some_and(|&byte| byte != b'=') {
                        return Err(Corrupt((at + k).wrapping_sub(1)));
                    }
                }
                if matches!(count, 1 | 3 | 6) {
                    return Err(Corrupt(at - 1));
                }
                let bytes = (group << (5 * (8 - count))).to_be_bytes();
                out.extend_from_slice(&bytes[3..3 + count * 5 / 8]);
                return Ok(out);
            }
            let value = value_of(BASE32, byte).ok_or(Corrupt(at - 1))?;
            group = group << 5 | u64::from(value);
            count += 1;
        }
        out.extend_from_slice(&group.to_be_bytes()[3..]);
    }
    Ok(out)
}
