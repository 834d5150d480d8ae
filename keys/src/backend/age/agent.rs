//! Passphrases of identity files from gpg-agent, which asks in a window of its own and remembers the answer, as with sops.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
};

use age::armor::ArmoredReader;
use age_core::secrecy::SecretString;
use zeroize::Zeroizing;

use crate::env::Env;

/// The longest line of the protocol is 1000 bytes.
const LONGEST_LINE: usize = 1 << 11;
/// Lines that are read in answer to one.
const MOST_LINES: usize = 1 << 6;

/// What gpg-agent says to a request.
enum Answer {
    Is(Zeroizing<String>),
    Refused(String),
}

/// Asks for the passphrase of an identity file. Returns `None` if there is no gpg-agent.
pub(super) fn ask(file: &[u8], question: &str, env: &Env) -> Option<Result<SecretString, String>> {
    let mut agent = connect(env)?;
    say_where(&mut agent, env)?;
    let request = format!(
        "GET_PASSPHRASE {} X Passphrase {}",
        remembered_as(file)?,
        escaped(question)
    );
    let failed = |why: &str| format!("could not read passphrase ({question}): gpg-agent: {why}");
    Some(match send(&mut agent, &request) {
        Ok(Answer::Is(hex)) => passphrase(&hex).ok_or_else(|| failed("it answers no text")),
        Ok(Answer::Refused(why)) => Err(failed(&why)),
        Err(error) => Err(failed(&error.to_string())),
    })
}

/// Lets gpg-agent forget a passphrase that was wrong.
pub(super) fn forget(file: &[u8], env: &Env) {
    if let (Some(mut agent), Some(name)) = (connect(env), remembered_as(file)) {
        // If it cannot, it will be asked in vain once more.
        let _ = send(&mut agent, &format!("CLEAR_PASSPHRASE {name}"));
    }
}

/// Connects where sops does; gpg's own folder may be named, too.
fn connect(env: &Env) -> Option<UnixStream> {
    let socket = match (said(env, "GPG_AGENT_INFO"), said(env, "GNUPGHOME")) {
        (Some(info), _) => PathBuf::from(info.split(':').next()?),
        (None, Some(folder)) => PathBuf::from(folder).join("S.gpg-agent"),
        (None, None) => env.home()?.join(".gnupg").join("S.gpg-agent"),
    };
    let mut agent = UnixStream::connect(socket).ok()?;
    agent.set_read_timeout(Some(env.time_limit())).ok()?;
    agent.set_write_timeout(Some(env.time_limit())).ok()?;
    let Answer::Is(_) = answer(&mut agent).ok()? else {
        return None;
    };
    Some(agent)
}

/// Says where a window may appear.
fn say_where(agent: &mut UnixStream, env: &Env) -> Option<()> {
    for (option, value) in [
        ("display", said(env, "DISPLAY").map(str::to_owned)),
        (
            "ttyname",
            said(env, "GPG_TTY").map(str::to_owned).or_else(terminal),
        ),
        ("ttytype", said(env, "TERM").map(str::to_owned)),
    ] {
        if let Some(value) = value.filter(|value| !value.contains(char::is_whitespace)) {
            send(agent, &format!("OPTION {option}={value}")).ok()?;
        }
    }
    Some(())
}

fn said<'e>(env: &'e Env, name: &str) -> Option<&'e str> {
    env.variable(name)?.to_str().filter(|text| !text.is_empty())
}

/// The terminal that a person sits at.
fn terminal() -> Option<String> {
    let path = std::fs::read_link("/proc/self/fd/0").ok()?;
    path.to_str()
        .filter(|path| path.starts_with("/dev/"))
        .map(str::to_owned)
}

/// The name that sops has gpg-agent keep it under: by the file's content without armour.
fn remembered_as(file: &[u8]) -> Option<String> {
    let mut bytes = Vec::new();
    ArmoredReader::new(file).read_to_end(&mut bytes).ok()?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    Some(format!("SopsAge{}", base32(&hash.as_ref()[..25])))
}

/// Base 32 (RFC 4648) of a multiple of five bytes.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len() / 5 * 8);
    for chunk in bytes.chunks_exact(5) {
        let bits = chunk
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let digits = (0..8).rev().map(|at| (bits >> (at * 5)) as usize & 31);
        text.extend(digits.map(|digit| char::from(ALPHABET[digit])));
    }
    text
}

/// As an argument of the protocol: a plus is a space, and whatever else could be misread is in hexadecimal.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn send(agent: &mut UnixStream, line: &str) -> io::Result<Answer> {
    agent.write_all(format!("{line}\n").as_bytes())?;
    answer(agent)
}

/// Reads to the line that ends an answer.
fn answer(agent: &mut UnixStream) -> io::Result<Answer> {
    for _ in 0..MOST_LINES {
        let line = line(agent)?;
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "OK" => return Ok(Answer::Is(Zeroizing::new(rest.to_owned()))),
            "ERR" => {
                let why = rest.split_once(' ').map_or(rest, |(_, why)| why);
                let why = why.chars().filter(|c| !c.is_control()).collect();
                return Ok(Answer::Refused(why));
            }
            "INQUIRE" => agent.write_all(b"END\n")?,
            _ => {}
        }
    }
    Err(io::Error::other("it does not come to an end"))
}

/// A line, byte by byte: what is read ahead would be left in memory.
fn line(agent: &mut UnixStream) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE));
    let mut byte = Zeroizing::new([0]);
    loop {
        agent.read_exact(byte.as_mut())?;
        match byte[0] {
            b'\n' => break,
            _ if line.len() == LONGEST_LINE => return Err(io::ErrorKind::InvalidData.into()),
            other => line.push(other),
        }
    }
    let text = str::from_utf8(&line).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The text that hexadecimal digits spell.
fn passphrase(hex: &str) -> Option<SecretString> {
    let digits = hex.as_bytes().chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u8::from_str_radix(pair, 16).ok())?
    });
    let bytes = Zeroizing::new(digits.collect::<Option<Vec<u8>>>()?);
    str::from_utf8(&bytes).ok().map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use age_core::secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn texts_are_escaped_and_spelled() {
        assert_eq!(escaped("for 'a':+%"), "for+%27a%27%3A%2B%25");
        let spelled = |hex| passphrase(hex).map(|text| text.expose_secret().to_owned());
        assert_eq!(spelled("6162C3A9").as_deref(), Some("abé"));
        assert_eq!(spelled("").as_deref(), Some(""));
        for hex in ["6", "6g", "FF", "+1", "é"] {
            assert_eq!(spelled(hex), None, "{hex}");
        }
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
    }
}
