//! Flags of the commands on SOPS documents, the same behind both doors.

mod changes;
mod keys;
mod programs;
mod recipients;

use std::path::PathBuf;

use ::keys::DecryptionOrder;
use clap::{ArgAction, Args};
use decryptor::format::Format;
use decryptor::sops::path::Path;

pub(super) use self::changes::{ChangeFlags, ValueFlags};
pub(super) use self::keys::{RotateFlags, UpdateKeysFlags};
pub(super) use self::programs::{EditFlags, ExecEnvFlags};
use self::recipients::{RecipientFlags, RuleFlags};
use super::values::{self, given};
use crate::commands::{decrypt, encrypt, file_status};
use crate::error::CommandError;
use crate::sops::config_file::ConfigChoice;
use crate::sops::exit;
use crate::sops::opening::Opening;
use crate::sops::source::{Place, Source, Target};

/// In which formats documents come and go.
#[derive(Args, Default)]
#[command(next_help_heading = "Input and output")]
pub(super) struct FormatFlags {
    /// Format of the input, instead of what the file's name says: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
    /// Format of the output, instead of the input's
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    output_type: Option<Format>,
    /// Name that stands for the input's in .sops.yaml and for its format; needed for standard input
    #[arg(long, value_name = "NAME")]
    filename_override: Option<PathBuf>,
}

/// Where results go.
#[derive(Args, Default)]
#[command(next_help_heading = "Input and output")]
pub(super) struct ResultFlags {
    /// Write the result into the file itself
    #[arg(short, long)]
    in_place: bool,
    /// File for the result, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ResultFlags {
    fn target(&self) -> Result<Target, CommandError> {
        match (&self.output, self.in_place) {
            (Some(_), true) => Err(CommandError::new(
                "Error: cannot operate on both --output and --in-place",
            )
            .code(exit::CONFLICTING_FLAGS)),
            (Some(path), false) => Ok(Target::File(path.clone())),
            (None, true) => Ok(Target::InPlace),
            (None, false) => Ok(Target::Stdout),
        }
    }
}

/// Which configuration file counts.
#[derive(Args, Default)]
pub(super) struct ConfigFlags {
    /// Configuration file, instead of the .sops.yaml that is found
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

impl ConfigFlags {
    fn choice(&self, outer: &Self) -> ConfigChoice {
        let named = self.config.clone().or_else(|| outer.config.clone());
        ConfigChoice {
            named: named.filter(|path| !path.as_os_str().is_empty()),
        }
    }
}

/// Who wraps and unwraps data keys.
#[derive(Args, Default)]
#[command(next_help_heading = "Key services")]
pub(super) struct KeyServiceFlags {
    /// Use this machine's keys; there is no other way yet
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = values::boolean, env = "SOPS_ENABLE_LOCAL_KEYSERVICE", hide_env_values = true)]
    enable_local_keyservice: Option<bool>,
    /// Address of a key service: not built yet
    #[arg(long, value_name = "URI", action = ArgAction::Append, env = "SOPS_KEYSERVICE", hide_env_values = true)]
    keyservice: Vec<String>,
}

impl KeyServiceFlags {
    fn check(&self) -> Result<(), CommandError> {
        if self.keyservice.iter().any(|uri| !uri.is_empty()) {
            return Err(CommandError::new("key services are not built yet").hint(
                "leave out --keyservice and $SOPS_KEYSERVICE: this machine's own keys are used",
            ));
        }
        if self.enable_local_keyservice == Some(false) {
            return Err(CommandError::new(
                "without the local key service there is no way to wrap or unwrap a data key",
            )
            .hint("leave out --enable-local-keyservice=false"));
        }
        Ok(())
    }
}

/// Flags of `encrypt`.
#[derive(Args, Default)]
pub(super) struct EncryptFlags {
    #[command(flatten)]
    result: ResultFlags,
    #[command(flatten)]
    format: FormatFlags,
    #[command(flatten)]
    recipients: RecipientFlags,
    #[command(flatten)]
    rules: RuleFlags,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

impl EncryptFlags {
    /// What is to be done with a file; `outer` are the flags before the command.
    pub(super) fn args(
        &self,
        file: Option<PathBuf>,
        outer: &Self,
    ) -> Result<encrypt::Args, CommandError> {
        self.services.check()?;
        outer.services.check()?;
        let target = self.result.target()?;
        let source = self.format.source(file, &target)?;
        if matches!(source.place, Place::Stdin) && source.name.is_none() {
            return Err(CommandError::new(
                "Error: must specify --filename-override when reading from stdin",
            )
            .code(exit::CONFLICTING_FLAGS)
            .hint("its end says the format, and .sops.yaml which keys: --filename-override secrets.yaml"));
        }
        Ok(encrypt::Args {
            source,
            target,
            output_type: self.format.output_type,
            named: self.recipients.named(&outer.recipients),
            rules: self.rules.choice(&outer.rules),
            config: self.config.choice(&outer.config),
        })
    }
}

impl EncryptFlags {
    /// What `decrypt` is told where both share the flags before the command.
    pub(super) fn for_decrypt(self, extract: ExtractFlags, opening: OpeningFlags) -> DecryptFlags {
        DecryptFlags {
            extract,
            result: self.result,
            format: self.format,
            opening,
            services: self.services,
        }
    }
}

impl FormatFlags {
    fn source(&self, file: Option<PathBuf>, target: &Target) -> Result<Source, CommandError> {
        let place = match file {
            Some(path) => Place::File(path),
            None if matches!(target, Target::InPlace) => {
                return Err(no_file());
            }
            None => Place::Stdin,
        };
        Ok(Source {
            place,
            name: self.filename_override.clone(),
            format: self.input_type,
        })
    }
}

/// How an encrypted document is opened.
#[derive(Args, Default)]
pub(super) struct OpeningFlags {
    /// Do not check that values were neither removed nor moved
    #[arg(long)]
    ignore_mac: bool,
    /// Kinds of keys in the order in which they are tried, separated by commas
    #[arg(
        long,
        value_name = "KINDS",
        env = "SOPS_DECRYPTION_ORDER",
        hide_env_values = true
    )]
    decryption_order: Option<String>,
}

impl OpeningFlags {
    fn opening(&self) -> Result<Opening, CommandError> {
        let order = match given(&self.decryption_order) {
            None => DecryptionOrder::default(),
            Some(text) => DecryptionOrder::parse(&text).map_err(|e| {
                CommandError::new(format!("Duplicate decryption key type: {}", e.0))
                    .code(exit::DUPLICATE_ORDER)
            })?,
        };
        Ok(Opening {
            ignore_mac: self.ignore_mac,
            order,
        })
    }
}

/// Which part is wanted.
#[derive(Args, Default)]
pub(super) struct ExtractFlags {
    /// Print only the value or branch there, such as `["key"][0]`
    #[arg(long, value_name = "PATH")]
    extract: Option<String>,
}

impl ExtractFlags {
    fn path(&self) -> Result<Option<Path>, CommandError> {
        let path = given(&self.extract).map(|text| {
            Path::parse(&text).map_err(|e| {
                CommandError::new("error parsing --extract path")
                    .because(e)
                    .code(exit::BAD_PATH)
            })
        });
        path.transpose()
    }
}

/// Flags of `decrypt`.
#[derive(Args, Default)]
pub(super) struct DecryptFlags {
    #[command(flatten)]
    extract: ExtractFlags,
    #[command(flatten)]
    result: ResultFlags,
    #[command(flatten)]
    format: FormatFlags,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

impl DecryptFlags {
    /// What is to be done with a file.
    pub(super) fn args(&self, file: Option<PathBuf>) -> Result<decrypt::Args, CommandError> {
        self.services.check()?;
        let target = self.result.target()?;
        Ok(decrypt::Args {
            source: self.format.source(file, &target)?,
            target,
            output_type: self.format.output_type,
            extract: self.extract.path()?,
            opening: self.opening.opening()?,
        })
    }
}

/// Flags of `filestatus`.
#[derive(Args, Default)]
pub(super) struct FileStatusFlags {
    /// Format of the file, instead of what its name says
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
}

impl FileStatusFlags {
    /// Which file is looked at.
    pub(super) fn args(&self, file: Option<PathBuf>) -> Result<file_status::Args, CommandError> {
        let path = file.ok_or_else(no_file)?;
        Ok(file_status::Args {
            path,
            format: self.input_type,
        })
    }
}

fn no_file() -> CommandError {
    CommandError::new("Error: no file specified").code(exit::NO_FILE)
}
