//! Groups of flags that several commands share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use super::connection::ConnectionFlags;
use super::values::{self, given};
use crate::cert::{CertChoice, Pin, Policy, Source};
use crate::commands::re_encrypt::By;
use crate::error::CommandError;
use crate::files::Input;
use crate::keyring::Keyring;
use crate::output::Output;
use crate::passphrase::Passphrases;
use crate::private_keys::PrivateKeys;

/// Flags about where input comes from and output goes.
#[derive(Args)]
#[command(next_help_heading = "Input and output")]
pub(super) struct FileFlags {
    /// Input file, instead of standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(super) secret_file: Option<String>,
    /// Output file, instead of standard output; written whole or not at all
    #[arg(short = 'w', long, value_name = "FILE")]
    pub(super) sealed_secret_file: Option<String>,
    /// Output format: json or yaml. The name of an output file that ends in .yaml or .yml overrules it
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "json")]
    pub(super) format: String,
}

impl FileFlags {
    pub(super) fn input(&self) -> Input {
        Input::of(given(&self.secret_file))
    }

    pub(super) fn output(&self) -> Result<Output, CommandError> {
        Output::of(given(&self.sealed_secret_file), &self.format)
    }
}

/// Flags about the certificate to seal with.
#[derive(Args)]
#[command(next_help_heading = "Certificate")]
pub(super) struct CertFlags {
    /// Certificate file or URL (http, https, file), instead of the controller's
    #[arg(long, value_name = "FILE|URL")]
    pub(super) cert: Option<String>,
    /// Public key that the certificate must have, as sha256//BASE64; several by repetition or commas
    #[arg(long, value_name = "PIN", value_delimiter = ',', value_parser = str::parse::<Pin>)]
    cert_pin: Vec<Pin>,
    /// How often the cluster renews its sealing key: an older certificate is warned about; 0 for never
    #[arg(long, value_name = "DURATION", default_value = "720h", value_parser = values::duration)]
    cert_renew_period: Duration,
}

impl CertFlags {
    /// The certificate that was asked for: a named one, a keyring's, or the controller's.
    pub(super) fn choice(
        &self,
        keyring: &KeyringFlags,
        connection: &ConnectionFlags,
    ) -> Result<CertChoice, CommandError> {
        let source = match (keyring.keyring()?, given(&self.cert)) {
            (Some(_), Some(_)) => {
                return Err(
                    CommandError::new("--cert and --keyring both say what to seal with")
                        .hint("leave one of them out, and its variable too"),
                );
            }
            (Some(keyring), None) => Source::Keyring(keyring),
            (None, Some(place)) => Source::Place(place),
            (None, None) => Source::Controller(Box::new(connection.controller())),
        };
        Ok(CertChoice {
            source,
            policy: self.policy(),
        })
    }

    /// The certificate named by `--cert`. Returns `None` if there is none.
    pub(super) fn named(&self) -> Option<CertChoice> {
        given(&self.cert).map(|place| CertChoice {
            source: Source::Place(place),
            policy: self.policy(),
        })
    }

    fn policy(&self) -> Policy {
        Policy {
            pins: self.cert_pin.clone(),
            renew_period: SignedDuration::try_from(self.cert_renew_period)
                .unwrap_or(SignedDuration::MAX),
        }
    }
}

/// Flags about a local keyring.
#[derive(Args)]
#[command(next_help_heading = "Local keyring")]
pub(super) struct KeyringFlags {
    /// Folder of local keys to seal or open with, instead of a cluster; without FOLDER the one in the home folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "")]
    keyring: Option<String>,
    /// File whose first line is the keyring's passphrase; /dev/fd/3 for an open descriptor
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<String>,
}

impl KeyringFlags {
    /// The keyring that was asked for. Returns `None` if none was.
    pub(super) fn keyring(&self) -> Result<Option<Keyring>, CommandError> {
        let open = |folder: &String| Keyring::at(Path::new(folder), self.passphrases());
        self.keyring.as_ref().map(open).transpose()
    }

    /// The keyring that was asked for, or the one in the home folder.
    pub(super) fn keyring_or_default(&self) -> Result<Keyring, CommandError> {
        let folder = self.keyring.as_deref().unwrap_or_default();
        Keyring::at(Path::new(folder), self.passphrases())
    }

    fn passphrases(&self) -> Passphrases {
        Passphrases {
            file: given(&self.passphrase_file).map(PathBuf::from),
        }
    }
}

/// Flags about private keys.
#[derive(Args)]
#[command(next_help_heading = "Private keys")]
pub(super) struct PrivateKeyFlags {
    /// Private key file: PEM, or the controller's key Secrets as JSON or YAML; several by repetition or commas
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    recovery_private_key: Vec<String>,
}

impl PrivateKeyFlags {
    /// The keys that were named, or those of a keyring.
    pub(super) fn keys(&self, keyring: Option<Keyring>) -> PrivateKeys {
        let named = self.recovery_private_key.iter();
        PrivateKeys {
            files: named
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .collect(),
            keyring,
        }
    }
}

/// Who seals anew: ourselves if there are private keys, else the controller.
pub(super) fn by(
    private_keys: &PrivateKeyFlags,
    cert: &CertFlags,
    keyring: &KeyringFlags,
    connection: &ConnectionFlags,
) -> Result<By, CommandError> {
    let keyring = keyring.keyring()?;
    let keys = private_keys.keys(keyring.clone());
    if keys.is_empty() {
        return Ok(By::Controller(Box::new(connection.controller())));
    }
    let source = match (given(&cert.cert), keyring) {
        (Some(place), _) => Source::Place(place),
        (None, Some(keyring)) => Source::Keyring(keyring),
        (None, None) => Source::Controller(Box::new(connection.controller())),
    };
    let cert = CertChoice {
        source,
        policy: cert.policy(),
    };
    Ok(By::Keys { keys, cert })
}
