//! Flags of the commands on SOPS documents, the same behind both doors.

mod changes;
mod editing;
mod groups;
mod keys;
mod programs;
mod recipients;

use std::path::PathBuf;

use ::keys::DecryptionOrder;
use clap::{ArgAction, Args};
use decryptor::format::Format;
use decryptor::sops::path::Path;

pub(super) use self::changes::{ChangeFlags, ValueFlags};
pub(super) use self::editing::EditFlags;
pub(super) use self::groups::GroupsCommand;
pub(super) use self::keys::{KeyChangeFlags, RotateFlags, UpdateKeysFlags};
pub(super) use self::programs::{ExecEnvFlags, ExecFileFlags};
use self::recipients::{RecipientFlags, RuleFlags};
use super::values::{self, given};
use crate::commands::{decrypt, encrypt, file_status};
use crate::error::CommandError;
use crate::sops::config_file::ConfigChoice;
use crate::sops::exit;
use crate::sops::opening::Opening;
use crate::sops::source::{Place, Source, Target};

/// In which formats documents come and go.
#[derive(Args, Clone, Default)]
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
#[derive(Args, Clone, Default)]
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

    /// Many files are changed in place, or not at all.
    fn check_in_place(&self, dry_run: bool) -> Result<(), CommandError> {
        match self.target()? {
            Target::File(_) => Err(one_output()),
            Target::Stdout if !dry_run => Err(CommandError::new(
                "several files and folders are changed in place only",
            )
            .code(exit::CONFLICTING_FLAGS)
            .hint("say --in-place; with --dry-run nothing is written")),
            Target::Stdout | Target::InPlace => Ok(()),
        }
    }
}

fn one_output() -> CommandError {
    CommandError::new("--output names one file, and the results are several")
        .code(exit::CONFLICTING_FLAGS)
        .hint("say --in-place; decrypt can write below a folder with --output-dir")
}

/// Whether anything is written.
#[derive(Args, Default)]
pub(super) struct DryRunFlags {
    /// Do everything but write, and say what would be written
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Where clear texts of many files go.
#[derive(Args, Default)]
#[command(next_help_heading = "Input and output")]
pub(super) struct OutputDirFlags {
    /// Folder below which each clear text goes to the place that its file has below its own folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) output_dir: Option<PathBuf>,
}

/// Which configuration file counts.
#[derive(Args, Default)]
pub(super) struct ConfigFlags {
    /// Configuration file, instead of the .sops.yaml that is found
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

impl ConfigFlags {
    pub(super) fn choice(&self, outer: &Self) -> ConfigChoice {
        let named = self.config.clone().or_else(|| outer.config.clone());
        ConfigChoice {
            named: named.filter(|path| !path.as_os_str().is_empty()),
        }
    }
}

/// Who wraps and unwraps data keys.
#[derive(Args, Clone, Default)]
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
    /// What is to be done with a file; `outer` are the flags before the command. What comes from standard input has the name of
    /// the earlier version, if no other.
    pub(super) fn args(
        &self,
        file: Option<PathBuf>,
        update: Option<PathBuf>,
        outer: &Self,
    ) -> Result<encrypt::Args, CommandError> {
        self.services.check()?;
        outer.services.check()?;
        let target = self.result.target()?;
        let mut source = self.format.source(file, &target)?;
        if matches!(source.place, Place::Stdin) && source.name.is_none() {
            source.name = update.clone();
        }
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
            how: self.how(outer),
            update,
        })
    }

    /// What is to be done with many files and folders.
    pub(super) fn tree(
        &self,
        paths: Vec<PathBuf>,
        dry_run: bool,
        outer: &Self,
    ) -> Result<encrypt::tree::Args, CommandError> {
        self.services.check()?;
        outer.services.check()?;
        self.format.check_many()?;
        self.result.check_in_place(dry_run)?;
        Ok(encrypt::tree::Args {
            paths,
            format: self.format.input_type,
            dry_run,
            how: self.how(outer),
        })
    }

    fn how(&self, outer: &Self) -> encrypt::How {
        encrypt::How {
            output_type: self.format.output_type,
            named: self.recipients.named(&outer.recipients),
            rules: self.rules.choice(&outer.rules),
            config: self.config.choice(&outer.config),
        }
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
    /// Many files have names of their own.
    fn check_many(&self) -> Result<(), CommandError> {
        match self.filename_override {
            None => Ok(()),
            Some(_) => Err(CommandError::new("--filename-override is for one file")
                .code(exit::CONFLICTING_FLAGS)),
        }
    }

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
#[command(next_help_heading = "Opening")]
pub(super) struct OpeningFlags {
    /// Do not check that values were neither removed nor moved
    #[arg(long)]
    ignore_mac: bool,
    #[command(flatten)]
    order: OrderFlags,
}

impl OpeningFlags {
    fn opening(&self) -> Result<Opening, CommandError> {
        self.order.opening(self.ignore_mac)
    }
}

/// Which keys are tried first.
#[derive(Args, Default)]
pub(super) struct OrderFlags {
    /// Kinds of keys in the order in which they are tried, separated by commas
    #[arg(
        long,
        value_name = "KINDS",
        env = "SOPS_DECRYPTION_ORDER",
        hide_env_values = true
    )]
    decryption_order: Option<String>,
}

impl OrderFlags {
    /// How documents are opened.
    pub(super) fn opening(&self, ignore_mac: bool) -> Result<Opening, CommandError> {
        let order = match given(&self.decryption_order) {
            None => DecryptionOrder::default(),
            Some(text) => DecryptionOrder::parse(&text).map_err(|e| {
                CommandError::new(format!("Duplicate decryption key type: {}", e.0))
                    .code(exit::DUPLICATE_ORDER)
            })?,
        };
        Ok(Opening { ignore_mac, order })
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
            how: self.how()?,
        })
    }

    /// What is to be done with many files and folders.
    pub(super) fn tree(
        &self,
        paths: Vec<PathBuf>,
        dry_run: bool,
        folder: Option<PathBuf>,
    ) -> Result<decrypt::tree::Args, CommandError> {
        self.services.check()?;
        self.format.check_many()?;
        let how = self.how()?;
        if how.extract.is_some() {
            return Err(CommandError::new("--extract takes one file").code(exit::CONFLICTING_FLAGS));
        }
        let target = match (self.result.target()?, folder) {
            (Target::File(_), _) => return Err(one_output()),
            (Target::InPlace, Some(_)) => {
                return Err(CommandError::new(
                    "--in-place and --output-dir ask for different things",
                )
                .code(exit::CONFLICTING_FLAGS));
            }
            _ if dry_run => decrypt::tree::Target::DryRun,
            (Target::InPlace, None) => decrypt::tree::Target::InPlace,
            (Target::Stdout, Some(folder)) => decrypt::tree::Target::Folder(folder),
            (Target::Stdout, None) => decrypt::tree::Target::Stdout,
        };
        Ok(decrypt::tree::Args {
            paths,
            format: self.format.input_type,
            target,
            how,
        })
    }

    fn how(&self) -> Result<decrypt::How, CommandError> {
        Ok(decrypt::How {
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

    /// Which files and folders are looked at; `outer` are the flags before the command.
    pub(super) fn tree(
        &self,
        paths: Vec<PathBuf>,
        outer: &EncryptFlags,
    ) -> file_status::tree::Args {
        file_status::tree::Args {
            paths,
            format: self.input_type,
            config: ConfigFlags::default().choice(&outer.config),
        }
    }
}

fn no_file() -> CommandError {
    CommandError::new("Error: no file specified").code(exit::NO_FILE)
}
