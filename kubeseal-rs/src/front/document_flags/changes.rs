//! Flags of `set` and `unset`.

use clap::Args;
use decryptor::format::Format;
use decryptor::sops::path::Path;
use zeroize::Zeroizing;

use super::super::values;
use super::{EncryptFlags, KeyServiceFlags, OpeningFlags};
use crate::commands::set::{self, Json};
use crate::error::CommandError;
use crate::sops::exit;
use crate::sops::rewrite::Rewrite;

/// Flags of `set` and `unset`.
#[derive(Args, Default)]
pub(in crate::front) struct ChangeFlags {
    /// Leave the file alone if it says so already
    #[arg(long)]
    idempotent: bool,
    /// Format of the file, instead of what its name says
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
    /// Taken for the sake of sops's command lines; the file keeps its format
    #[arg(long, value_name = "FORMAT", value_parser = values::format, hide = true)]
    output_type: Option<Format>,
    /// Taken, and without effect: the file keeps its threshold
    #[arg(long, value_name = "COUNT", hide = true)]
    shamir_secret_sharing_threshold: Option<u8>,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

/// Where `set` takes the value from, if not from the command line.
#[derive(Args, Default)]
pub(in crate::front) struct ValueFlags {
    /// The value is in a file, which is named instead of it
    #[arg(long)]
    value_file: bool,
    /// The value is on standard input: the command line is seen by everyone on the machine
    #[arg(long)]
    value_stdin: bool,
}

impl ChangeFlags {
    /// What `set` is told where `--set` stands before the file: path and value are one text.
    pub(in crate::front) fn by_flag(
        outer: &EncryptFlags,
        opening: OpeningFlags,
        file: &str,
        text: &str,
    ) -> Result<set::Args, CommandError> {
        let (path, json) = text.split_once("] ").ok_or_else(|| {
            CommandError::new("Invalid --set format")
                .code(exit::BAD_CHANGE)
                .hint(r#"--set '["key"] "value"'"#)
        })?;
        let flags = Self {
            input_type: outer.format.input_type,
            opening,
            services: outer.services.clone(),
            ..Self::default()
        };
        let json = Json::Typed(Zeroizing::new(json.to_owned()));
        flags.args(file, &format!("{path}]"), "--set", set::Change::Set(json))
    }

    /// What `set` is told, behind its flags: file, path, value.
    pub(in crate::front) fn set(
        &self,
        value: &ValueFlags,
        words: Vec<String>,
    ) -> Result<set::Args, CommandError> {
        let (file, path, json) = match (value.value_stdin, value.value_file, words.as_slice()) {
            (true, true, _) => {
                return Err(CommandError::new(
                    "Error: cannot use both --value-file and --value-stdin",
                )
                .code(exit::CONFLICTING_FLAGS));
            }
            (true, false, [file, path]) => (file, path, Json::Stdin),
            (false, true, [file, path, value]) => (file, path, Json::File(value.into())),
            (false, false, [file, path, value]) => {
                (file, path, Json::Typed(Zeroizing::new(value.clone())))
            }
            _ => {
                return Err(CommandError::new(
                    "Error: no file specified, or index and value are missing",
                )
                .code(exit::NO_FILE)
                .hint("set FILE '[\"key\"]' '\"value\"', or set --value-stdin FILE '[\"key\"]'"));
            }
        };
        self.args(file, path, "set", set::Change::Set(json))
    }

    /// What `unset` is told, behind its flags: file, path.
    pub(in crate::front) fn unset(&self, words: &[String]) -> Result<set::Args, CommandError> {
        let [file, path] = words else {
            return Err(
                CommandError::new("Error: no file specified, or index is missing")
                    .code(exit::NO_FILE)
                    .hint("unset FILE '[\"key\"]'"),
            );
        };
        self.args(file, path, "unset", set::Change::Unset)
    }

    fn args(
        &self,
        file: &str,
        path: &str,
        command: &str,
        change: set::Change,
    ) -> Result<set::Args, CommandError> {
        self.services.check()?;
        if let Some(other) = self.output_type
            && other != self.input_type.unwrap_or_else(|| Format::of(file.as_ref()))
        {
            return Err(
                CommandError::new(format!("{command} keeps the file's format"))
                    .code(exit::UNWRITABLE_FORMAT)
                    .hint("leave out --output-type"),
            );
        }
        let path = Path::parse(path).map_err(|e| {
            let what = match command {
                "--set" => "Invalid --set format".to_owned(),
                command => format!("Invalid {command} index format"),
            };
            CommandError::new(what).because(e).code(exit::BAD_CHANGE)
        })?;
        Ok(set::Args {
            rewrite: Rewrite {
                path: file.into(),
                format: self.input_type,
                opening: self.opening.opening()?,
                idempotent: self.idempotent,
            },
            path,
            change,
        })
    }
}
