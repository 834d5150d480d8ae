//! The program `gpg`, called as sops calls it. Secrets go through pipes only.

use std::{ffi::OsStr, path::PathBuf};

use super::LONGEST_SHARE;
use crate::{env::Env, process, secret::KeyShare};

/// Names another program in place of `gpg`.
const PROGRAM: &str = "SOPS_GPG_EXEC";
/// Variables with secret keys, which are not for `gpg`.
const SECRETS: [&str; 2] = [super::exported::KEY, "SOPS_AGE_KEY"];
/// The most that is told of what `gpg` says.
const LONGEST_MESSAGE: usize = 2000;

/// Encrypts a share to a key in the person's keyring. Whether the key is trusted is the caller's decision, as in sops.
pub(super) fn encrypt(fingerprint: &str, share: &KeyShare, env: &Env) -> Result<String, String> {
    let args = [
        "--no-default-recipient",
        "--yes",
        "--encrypt",
        "-a",
        "-r",
        fingerprint,
        "--trusted-key",
        key_id(fingerprint),
        "--no-encrypt-to",
    ];
    let output = run(&args, share.expose_secret(), env)?;
    let text = str::from_utf8(&output.stdout).map_err(|_| "it printed no armor")?;
    let text = text.trim();
    if !text.starts_with("-----BEGIN PGP MESSAGE-----") {
        return Err("it printed no message".to_owned());
    }
    Ok(text.to_owned())
}

/// Decrypts with whatever key the person's `gpg` has for the message.
pub(super) fn decrypt(enc: &str, env: &Env) -> Result<KeyShare, String> {
    let output = run(&["-d"], enc.as_bytes(), env)?;
    match output.stdout.len() {
        // Old versions say nothing about messages of a newer kind.
        0 => Err("it printed nothing".to_owned()),
        1..=LONGEST_SHARE => Ok(output.stdout.into()),
        _ => Err("what the message holds is too long for a data key".to_owned()),
    }
}

/// The last 16 digits, with the mark of an exact subkey.
fn key_id(fingerprint: &str) -> &str {
    let end = fingerprint.trim_end_matches('!').len();
    &fingerprint[end.saturating_sub(16)..]
}

fn run(args: &[&str], input: &[u8], env: &Env) -> Result<process::Output, String> {
    let path = program(env)?;
    let mut command = env.command(&path);
    command.args(args);
    for secret in SECRETS {
        command.env_remove(secret);
    }
    let output = process::run(command, input, path.as_os_str(), env)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = shown(&output.stderr);
    match said.is_empty() {
        true => Err(format!("{}: {}", path.display(), output.status)),
        false => Err(said),
    }
}

fn program(env: &Env) -> Result<PathBuf, String> {
    let named = env.variable(PROGRAM).filter(|name| !name.is_empty());
    let name = named.unwrap_or(OsStr::new("gpg"));
    env.program(name).ok_or_else(|| {
        format!(
            "{name:?} is in no absolute folder of PATH; without it, {} may name an exported secret key",
            super::exported::KEY_FILE
        )
    })
}

/// What it says, fit for a terminal: names of keys are chosen by those who make them.
fn shown(said: &str) -> String {
    let visible = |c: &char| *c == '\n' || !c.is_control();
    let said = said.trim().chars().filter(visible);
    said.take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_keep_the_mark_of_a_subkey() {
        for (fingerprint, expected) in [
            (
                "AC33013050E0EEBB4D2B6622D0FC907D2A06B1D5",
                "D0FC907D2A06B1D5",
            ),
            (
                "AC33013050E0EEBB4D2B6622D0FC907D2A06B1D5!",
                "D0FC907D2A06B1D5!",
            ),
            ("D0FC907D2A06B1D5!", "D0FC907D2A06B1D5!"),
        ] {
            assert_eq!(key_id(fingerprint), expected);
        }
    }

    #[test]
    fn messages_cannot_drive_a_terminal() {
        assert_eq!(shown(" a\u{1b}[2J\r\nb\u{7} \n"), "a[2J\nb");
        assert_eq!(shown(&"x".repeat(9000)).len(), LONGEST_MESSAGE);
    }
}
