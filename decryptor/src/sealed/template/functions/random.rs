//! Randomness: passwords, numbers, identifiers. Everything here varies.

use super::super::error::Problem;
use super::super::signature::{Arguments, Context, Type};
use super::super::unicode::{characters, push};
use super::super::value::Value;
use super::encoding::base64;
use super::{Entry, Outcome, varying};

pub(super) const TABLE: &[Entry] = &[
    varying("bcrypt", &[Type::String], |context, arguments| {
        Ok(Value::text(bcrypt(context, arguments.text(0))?))
    }),
    varying("htpasswd", &[Type::String, Type::String], htpasswd),
    varying("randAlpha", &[Type::Int], |context, arguments| {
        text_of(context, arguments, b"AZaz")
    }),
    varying("randAlphaNum", &[Type::Int], |context, arguments| {
        text_of(context, arguments, b"AZaz09")
    }),
    varying("randAscii", &[Type::Int], |context, arguments| {
        text_of(context, arguments, b" ~")
    }),
    varying("randBytes", &[Type::Int], bytes),
    varying("randInt", &[Type::Int, Type::Int], int),
    varying("randNumeric", &[Type::Int], |context, arguments| {
        text_of(context, arguments, b"09")
    }),
    varying("shuffle", &[Type::String], shuffle),
    varying("uuidv4", &[], uuid),
];

fn fill(context: &mut Context<'_>, buffer: &mut [u8]) -> Result<(), Problem> {
    context.budget.steps(1 + buffer.len() / 64)?;
    context
        .ambient
        .random(buffer)
        .map_err(|_| Problem::Execution("no randomness"))
}

/// An evenly distributed number below `bound`, which is not zero.
fn below(context: &mut Context<'_>, bound: u64) -> Result<u64, Problem> {
    // Numbers of the last, incomplete run of `bound` are drawn again.
    let usable = u64::MAX - (u64::MAX % bound + 1) % bound;
    loop {
        let mut buffer = [0; 8];
        fill(context, &mut buffer)?;
        let number = u64::from_le_bytes(buffer);
        if number <= usable {
            return Ok(number % bound);
        }
    }
}

/// `count` characters out of `ranges`, which are pairs of first and last.
fn text_of(context: &mut Context<'_>, arguments: &Arguments, ranges: &[u8]) -> Outcome {
    let count = usize::try_from(arguments.int(0)).unwrap_or(0);
    context.budget.bytes(count)?;
    let alphabet: Vec<u8> = ranges
        .chunks(2)
        .flat_map(|range| range[0]..=range[1])
        .collect();
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        let at = below(context, alphabet.len() as u64)?;
        out.push(alphabet[at as usize]);
    }
    Ok(Value::text(out))
}

fn bytes(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let count =
        usize::try_from(arguments.int(0)).map_err(|_| Problem::Execution("negative count"))?;
    context.budget.bytes(count.saturating_mul(3))?;
    let mut buffer = zeroize::Zeroizing::new(vec![0; count]);
    fill(context, &mut buffer)?;
    Ok(Value::text(base64(&buffer)))
}

/// A number from the first argument to before the second.
fn int(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let (least, end) = (arguments.int(0), arguments.int(1));
    let span = end
        .checked_sub(least)
        .and_then(|span| u64::try_from(span).ok())
        .filter(|&span| span > 0);
    let number = below(context, span.ok_or(Problem::Execution("an empty range"))?)?;
    Ok(Value::Int(least.wrapping_add_unsigned(number)))
}

fn shuffle(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut all: Vec<char> = characters(arguments.text(0)).map(|(_, c, _)| c).collect();
    context.budget.bytes(all.len().saturating_mul(8))?;
    for last in (1..all.len()).rev() {
        let other = below(context, last as u64 + 1)?;
        all.swap(last, other as usize);
    }
    let mut out = Vec::with_capacity(arguments.text(0).len());
    for c in all {
        push(&mut out, c);
    }
    Ok(Value::text(out))
}

fn uuid(context: &mut Context<'_>, _: &Arguments) -> Outcome {
    let mut bytes = [0; 16];
    fill(context, &mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-");
    Ok(Value::text(text))
}

/// A hash with cost 10 takes so long that a template may make only a few.
const BCRYPT_STEPS: usize = 100_000;

fn bcrypt(context: &mut Context<'_>, password: &[u8]) -> Result<Vec<u8>, Problem> {
    context.budget.steps(BCRYPT_STEPS)?;
    let mut salt = [0; 16];
    fill(context, &mut salt)?;
    let hash = bcrypt::hash_with_salt(password, 10, salt);
    let hash = hash.map_err(|_| Problem::Execution("the password can't be hashed"))?;
    Ok(hash.format_for_version(bcrypt::Version::TwoA).into_bytes())
}

fn htpasswd(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    if arguments.text(0).contains(&b':') {
        return Ok(Value::text(
            [b"invalid username: ", arguments.text(0)].concat(),
        ));
    }
    let hash = bcrypt(context, arguments.text(1))?;
    Ok(Value::text([arguments.text(0), b":", &hash].concat()))
}
