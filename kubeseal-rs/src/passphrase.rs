//! Passphrases: typed at a terminal, or handed over by a file or a variable; and what they protect (age scrypt).

use std::io::IsTerminal;
use std::path::PathBuf;

use age::scrypt;
use age::secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::files;

/// The variable that may hold the passphrase of a keyring.
const VARIABLE: &str = "SEALED_SECRETS_KEYRING_PASSPHRASE";

/// Where passphrases come from.
#[derive(Clone, Default)]
pub(crate) struct Passphrases {
    /// A file whose first line is the passphrase; `/dev/fd/3` for an open descriptor.
    pub(crate) file: Option<PathBuf>,
}

impl Passphrases {
    /// A passphrase for something new. A person types it twice.
    pub(crate) fn choose(&self) -> Result<SecretString, CommandError> {
        let passphrase = match self.given()? {
            Some(passphrase) => passphrase,
            None => {
                let first = type_in("Passphrase for the new key: ")?;
                if type_in("The same again: ")? != first {
                    return Err(CommandError::new("the two passphrases differ"));
                }
                first
            }
        };
        if passphrase.is_empty() {
            return Err(CommandError::new("the passphrase is empty"));
        }
        Ok(secret(&passphrase))
    }

    /// The passphrase of something that is there.
    pub(crate) fn ask(&self, what: &str) -> Result<SecretString, CommandError> {
        let passphrase = match self.given()? {
            Some(passphrase) => passphrase,
            None => type_in(&format!("Passphrase of {what}: "))?,
        };
        Ok(secret(&passphrase))
    }

    fn given(&self) -> Result<Option<Zeroizing<String>>, CommandError> {
        if let Some(path) = &self.file {
            let unreadable = || {
                CommandError::new(format!(
                    "cannot read the passphrase from {}",
                    path.display()
                ))
            };
            let bytes = files::read(path).map_err(|e| unreadable().because(e))?;
            let text =
                str::from_utf8(&bytes).map_err(|_| unreadable().because("it is not text"))?;
            let line = text.lines().next().unwrap_or_default();
            return Ok(Some(Zeroizing::new(line.to_owned())));
        }
        Ok(std::env::var(VARIABLE).ok().map(Zeroizing::new))
    }
}

/// Asks the person at the terminal.
pub(crate) fn type_in(text: &str) -> Result<Zeroizing<String>, CommandError> {
    let no_terminal = || {
        CommandError::new("a passphrase is needed, and there is no terminal to ask for it").hint(
            format!("hand it over with --passphrase-file or ${VARIABLE}"),
        )
    };
    if !std::io::stderr().is_terminal() {
        return Err(no_terminal());
    }
    rpassword::prompt_password(text)
        .map(Zeroizing::new)
        .map_err(|e| no_terminal().because(e))
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

/// Encrypts bytes under a passphrase, as `age --passphrase` does.
pub(crate) fn wrap(bytes: &[u8], passphrase: SecretString) -> Result<Vec<u8>, CommandError> {
    age::encrypt(&scrypt::Recipient::new(passphrase), bytes)
        .map_err(|e| CommandError::new("cannot encrypt under the passphrase").because(e))
}

/// Opens what [`wrap`] made.
pub(crate) fn unwrap(
    bytes: &[u8],
    passphrase: SecretString,
) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    age::decrypt(&scrypt::Identity::new(passphrase), bytes)
        .map(Zeroizing::new)
        .map_err(|_| CommandError::new("the passphrase does not open it"))
}
