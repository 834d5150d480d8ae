//! Subcommands: what the original has no flag for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand as ClapSubcommand};
use clap_complete::Shell;
use jiff::SignedDuration;
use keys::sealing::KeySize;

use super::connection::ConnectionFlags;
use super::document_commands::{DocumentCommand, Door};
use super::flags::{CertFlags, FileFlags, KeyringFlags, PrivateKeyFlags, by};
use super::git::GitCommand;
use super::values::{self, given};
use super::verify::VerifyFlags;
use crate::commands::keyring::Action;
use crate::commands::{Command, completions, inspect, keyring, man, re_encrypt, recover, try_out};
use crate::error::CommandError;
use crate::keyring::NewPair;

/// Commands beside the flags.
#[derive(ClapSubcommand)]
#[command(disable_help_subcommand = true)]
pub(super) enum Subcommand {
    /// Open SealedSecrets with private keys, or with the local keyring's if none is named, and print them in clear
    Unseal {
        #[command(flatten)]
        files: FileFlags,
        #[command(flatten)]
        keyring: KeyringFlags,
        #[command(flatten)]
        private_keys: PrivateKeyFlags,
    },
    /// Seal every SealedSecret in files and folders anew: with private keys and a certificate, or through the controller
    ReEncrypt {
        /// Files, and folders whose .yaml, .yml and .json files are looked through
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Say what would be changed, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Leave out the annotation that says which key the values were sealed with
        #[arg(long)]
        no_key_hint: bool,
        #[command(flatten)]
        private_keys: PrivateKeyFlags,
        #[command(flatten)]
        cert: CertFlags,
        #[command(flatten)]
        keyring: KeyringFlags,
        #[command(flatten)]
        connection: Box<ConnectionFlags>,
    },
    /// Show scope, target, values and problems of SealedSecrets, without any key; exit code 1 if there is a problem
    Inspect {
        /// Files; standard input if there are none
        files: Vec<PathBuf>,
        /// Output format: text or json
        #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
        output: String,
        #[command(flatten)]
        cert: CertFlags,
    },
    /// Make, list and show local sealing keys
    #[command(subcommand)]
    Keyring(KeyringCommand),
    /// Show the whole way once, without a cluster: make a local key, seal a Secret, open it again
    Try {
        #[command(flatten)]
        keyring: KeyringFlags,
    },
    #[command(flatten)]
    Documents(DocumentCommand),
    /// Show SOPS documents in clear in git diff, and merge them in git merge
    #[command(subcommand)]
    Git(GitCommand),
    /// Say what is wrong with SOPS documents, without any key: values in clear, other recipients, broken metadata
    Verify(Box<VerifyFlags>),
    /// Print completions for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the manual as a man page, or write a page for each command
    Man {
        /// Folder to write the pages to
        #[arg(long, value_name = "FOLDER")]
        dir: Option<String>,
    },
}

/// What can be done with a local keyring.
#[derive(ClapSubcommand)]
pub(super) enum KeyringCommand {
    /// Make a key pair
    New {
        #[command(flatten)]
        keyring: KeyringFlags,
        #[command(flatten)]
        new: NewFlags,
    },
    /// List the keys: fingerprint, size, dates; never a key itself
    List {
        #[command(flatten)]
        keyring: KeyringFlags,
    },
    /// Print a certificate, the newest one's unless a key is named
    Cert {
        #[command(flatten)]
        keyring: KeyringFlags,
        /// The beginning of the key's fingerprint
        key: Option<String>,
    },
    /// Break glass: write a key, in clear, as the Secret that a controller reads; the file must not be there yet
    Export {
        #[command(flatten)]
        keyring: KeyringFlags,
        /// Namespace of the controller
        #[arg(long, value_name = "NAMESPACE", default_value = "kube-system")]
        controller_namespace: String,
        /// The file to write
        #[arg(short = 'w', long, value_name = "FILE")]
        secret_file: PathBuf,
        /// The beginning of the key's fingerprint; the newest one if left out
        key: Option<String>,
    },
}

/// What a new key pair is to be like.
#[derive(Args)]
pub(super) struct NewFlags {
    /// Bits of the RSA key: 2048, 3072, 4096 or 8192
    #[arg(long, value_name = "BITS", default_value = "4096", value_parser = str::parse::<KeySize>)]
    key_size: KeySize,
    /// How long the certificate is valid
    #[arg(long, value_name = "DURATION", default_value = "87600h", value_parser = values::duration)]
    key_ttl: Duration,
    /// Name in the certificate
    #[arg(long, value_name = "NAME")]
    my_cn: Option<String>,
    /// Protect the private key by a passphrase
    #[arg(long)]
    passphrase: bool,
}

impl Subcommand {
    pub(super) fn command(self) -> Result<Command, CommandError> {
        match self {
            Self::Unseal {
                files,
                keyring,
                private_keys,
            } => {
                let named = private_keys.keys(keyring.keyring()?);
                let keys = match named.is_empty() {
                    true => private_keys.keys(Some(keyring.keyring_or_default()?)),
                    false => named,
                };
                let (input, output) = (files.input(), files.output()?);
                Ok(Command::Recover(recover::Args {
                    input,
                    output,
                    keys,
                }))
            }
            Self::ReEncrypt {
                paths,
                dry_run,
                no_key_hint,
                private_keys,
                cert,
                keyring,
                connection,
            } => Ok(Command::ReEncrypt(re_encrypt::Args {
                what: re_encrypt::What::Trees { paths, dry_run },
                by: by(&private_keys, &cert, &keyring, &connection)?,
                key_hint: !no_key_hint,
            })),
            Self::Inspect {
                files,
                output,
                cert,
            } => {
                let (json, cert) = (output == "json", cert.named());
                Ok(Command::Inspect(inspect::Args { files, json, cert }))
            }
            Self::Keyring(command) => command.command().map(Command::Keyring),
            Self::Try { keyring } => Ok(Command::TryOut(try_out::Args {
                keyring: keyring.keyring_or_default()?,
            })),
            Self::Documents(command) => command.command(Door::Kubeseal),
            Self::Completion { shell } => Ok(Command::Completions(completions::Args {
                shell,
                called_sops: false,
            })),
            Self::Git(command) => command.args().map(Command::Git),
            Self::Verify(flags) => Ok(Command::Verify(Box::new(flags.args()?))),
            Self::Man { dir } => Ok(Command::Man(man::Args {
                folder: given(&dir).map(PathBuf::from),
            })),
        }
    }
}

impl KeyringCommand {
    fn command(self) -> Result<keyring::Args, CommandError> {
        let (keyring, action) = match self {
            Self::New { keyring, new } => (keyring, Action::New(new.pair()?)),
            Self::List { keyring } => (keyring, Action::List),
            Self::Cert { keyring, key } => (
                keyring,
                Action::Cert {
                    key: key.unwrap_or_default(),
                },
            ),
            Self::Export {
                keyring,
                controller_namespace,
                secret_file,
                key,
            } => {
                let (namespace, path) = (controller_namespace, secret_file);
                (
                    keyring,
                    Action::Export {
                        key: key.unwrap_or_default(),
                        namespace,
                        path,
                    },
                )
            }
        };
        Ok(keyring::Args {
            keyring: keyring.keyring_or_default()?,
            action,
        })
    }
}

impl NewFlags {
    fn pair(self) -> Result<NewPair, CommandError> {
        Ok(NewPair {
            size: self.key_size,
            common_name: self.my_cn.unwrap_or_default(),
            lifetime: SignedDuration::try_from(self.key_ttl)
                .map_err(|e| CommandError::new("--key-ttl is too long").because(e))?,
            with_passphrase: self.passphrase,
        })
    }
}
