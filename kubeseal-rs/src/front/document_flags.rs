//! Flags of the commands on SOPS documents, the same behind both doors.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use decryptor::format::Format;
use decryptor::sops::path::Path;
use keys::DecryptionOrder;
use zeroize::Zeroizing;

use super::values::{self, given};
use crate::commands::set::{self, Json};
use crate::commands::{decrypt, encrypt, file_status, rotate, update_keys};
use crate::error::CommandError;
use crate::sops::config_file::ConfigChoice;
use crate::sops::exit;
use crate::sops::opening::Opening;
use crate::sops::recipients::{Named, RuleChoice};
use crate::sops::rewrite::Rewrite;
use crate::sops::source::{Place, Source, Target};

/// Which keys a new document is encrypted to.
#[derive(Args, Default)]
#[command(next_help_heading = "Keys (without any: those of .sops.yaml)")]
pub(super) struct RecipientFlags {
    /// age recipients, separated by commas
    #[arg(
        short,
        long,
        value_name = "RECIPIENTS",
        env = "SOPS_AGE_RECIPIENTS",
        hide_env_values = true
    )]
    age: Option<String>,
    /// PGP fingerprints, separated by commas
    #[arg(
        short,
        long,
        value_name = "FINGERPRINTS",
        env = "SOPS_PGP_FP",
        hide_env_values = true
    )]
    pgp: Option<String>,
    /// AWS KMS key ARNs, separated by commas
    #[arg(
        short,
        long,
        value_name = "ARNS",
        env = "SOPS_KMS_ARN",
        hide_env_values = true
    )]
    kms: Option<String>,
    /// AWS profile to use
    #[arg(long, value_name = "PROFILE")]
    aws_profile: Option<String>,
    /// AWS KMS encryption context, as key:value pairs separated by commas
    #[arg(long, value_name = "PAIRS")]
    encryption_context: Option<String>,
    /// Google Cloud KMS resource ids, separated by commas
    #[arg(
        long,
        value_name = "IDS",
        env = "SOPS_GCP_KMS_IDS",
        hide_env_values = true
    )]
    gcp_kms: Option<String>,
    /// Huawei Cloud KMS key ids (region:uuid), separated by commas
    #[arg(
        long,
        value_name = "IDS",
        env = "SOPS_HUAWEICLOUD_KMS_IDS",
        hide_env_values = true
    )]
    hckms: Option<String>,
    /// Azure Key Vault key URLs, separated by commas
    #[arg(
        long,
        value_name = "URLS",
        env = "SOPS_AZURE_KEYVAULT_URLS",
        hide_env_values = true
    )]
    azure_kv: Option<String>,
    /// Vault transit key URLs, separated by commas
    #[arg(
        long,
        value_name = "URLS",
        env = "SOPS_VAULT_URIS",
        hide_env_values = true
    )]
    hc_vault_transit: Option<String>,
    /// How many key groups it takes to open the document
    #[arg(long, value_name = "COUNT")]
    shamir_secret_sharing_threshold: Option<u8>,
}

impl RecipientFlags {
    /// The named keys, in the order in which sops lists them. What this command does not say, `outer` may.
    fn named(&self, outer: &Self) -> Named {
        let first = |own: &Option<String>, outer: &Option<String>| given(own).or(given(outer));
        let lists = [
            ("kms", first(&self.kms, &outer.kms)),
            ("gcp_kms", first(&self.gcp_kms, &outer.gcp_kms)),
            ("hckms", first(&self.hckms, &outer.hckms)),
            ("azure_kv", first(&self.azure_kv, &outer.azure_kv)),
            ("pgp", first(&self.pgp, &outer.pgp)),
            (
                "hc_vault",
                first(&self.hc_vault_transit, &outer.hc_vault_transit),
            ),
            ("age", first(&self.age, &outer.age)),
        ];
        let lists = lists.into_iter();
        Named {
            lists: lists
                .filter_map(|(field, list)| Some((field, list?)))
                .collect(),
            threshold: self
                .shamir_secret_sharing_threshold
                .or(outer.shamir_secret_sharing_threshold)
                .filter(|threshold| *threshold > 0),
        }
    }
}

/// Which values of a new document are encrypted.
#[derive(Args, Default)]
#[command(
    next_help_heading = "What is encrypted (without any: what .sops.yaml says, or everything)"
)]
pub(super) struct RuleFlags {
    /// Leave in clear what lies under keys that end so
    #[arg(long, value_name = "SUFFIX")]
    unencrypted_suffix: Option<String>,
    /// Encrypt only what lies under keys that end so
    #[arg(long, value_name = "SUFFIX")]
    encrypted_suffix: Option<String>,
    /// Leave in clear what lies under keys that match
    #[arg(long, value_name = "REGEX")]
    unencrypted_regex: Option<String>,
    /// Encrypt only what lies under keys that match
    #[arg(long, value_name = "REGEX")]
    encrypted_regex: Option<String>,
    /// Leave in clear what stands under comments that match
    #[arg(long, value_name = "REGEX")]
    unencrypted_comment_regex: Option<String>,
    /// Encrypt only what stands under comments that match
    #[arg(long, value_name = "REGEX")]
    encrypted_comment_regex: Option<String>,
    /// Let the MAC cover encrypted values only
    #[arg(long)]
    mac_only_encrypted: bool,
}

impl RuleFlags {
    fn choice(&self, outer: &Self) -> RuleChoice {
        let all = |flags: &Self| {
            [
                ("unencrypted_suffix", given(&flags.unencrypted_suffix)),
                ("encrypted_suffix", given(&flags.encrypted_suffix)),
                ("unencrypted_regex", given(&flags.unencrypted_regex)),
                ("encrypted_regex", given(&flags.encrypted_regex)),
                (
                    "unencrypted_comment_regex",
                    given(&flags.unencrypted_comment_regex),
                ),
                (
                    "encrypted_comment_regex",
                    given(&flags.encrypted_comment_regex),
                ),
            ]
        };
        let flags = all(self).into_iter().zip(all(outer));
        RuleChoice {
            fields: flags
                .filter_map(|((name, own), (_, outer))| Some((name, own.or(outer)?)))
                .collect(),
            mac_only_encrypted: self.mac_only_encrypted || outer.mac_only_encrypted,
        }
    }
}

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

/// Flags of `set` and `unset`.
#[derive(Args, Default)]
pub(super) struct ChangeFlags {
    /// Leave the file alone if it says so already
    #[arg(long)]
    idempotent: bool,
    /// Format of the file, instead of what its name says
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
    /// Taken for the sake of sops's command lines; the file keeps its format
    #[arg(long, value_name = "FORMAT", value_parser = values::format, hide = true)]
    output_type: Option<Format>,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

/// Where `set` takes the value from, if not from the command line.
#[derive(Args, Default)]
pub(super) struct ValueFlags {
    /// The value is in a file, which is named instead of it
    #[arg(long)]
    value_file: bool,
    /// The value is on standard input: the command line is seen by everyone on the machine
    #[arg(long)]
    value_stdin: bool,
}

impl ChangeFlags {
    /// What `set` is told, behind its flags: file, path, value.
    pub(super) fn set(
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
    pub(super) fn unset(&self, words: &[String]) -> Result<set::Args, CommandError> {
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
            CommandError::new(format!("Invalid {command} index format"))
                .because(e)
                .code(exit::BAD_CHANGE)
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

/// Which keys are added to a document, and which are removed.
#[derive(Args, Default)]
#[command(next_help_heading = "Keys")]
pub(super) struct KeyChangeFlags {
    /// age recipients to add, separated by commas
    #[arg(long, value_name = "RECIPIENTS")]
    add_age: Option<String>,
    /// age recipients to remove, separated by commas
    #[arg(long, value_name = "RECIPIENTS")]
    rm_age: Option<String>,
    /// PGP fingerprints to add, separated by commas
    #[arg(long, value_name = "FINGERPRINTS")]
    add_pgp: Option<String>,
    /// PGP fingerprints to remove, separated by commas
    #[arg(long, value_name = "FINGERPRINTS")]
    rm_pgp: Option<String>,
    #[arg(long, hide = true)]
    add_kms: Option<String>,
    #[arg(long, hide = true)]
    rm_kms: Option<String>,
    #[arg(long, hide = true)]
    add_gcp_kms: Option<String>,
    #[arg(long, hide = true)]
    rm_gcp_kms: Option<String>,
    #[arg(long, hide = true)]
    add_hckms: Option<String>,
    #[arg(long, hide = true)]
    rm_hckms: Option<String>,
    #[arg(long, hide = true)]
    add_azure_kv: Option<String>,
    #[arg(long, hide = true)]
    rm_azure_kv: Option<String>,
    #[arg(long, hide = true)]
    add_hc_vault_transit: Option<String>,
    #[arg(long, hide = true)]
    rm_hc_vault_transit: Option<String>,
}

impl KeyChangeFlags {
    fn add(&self) -> Named {
        named([
            ("kms", &self.add_kms),
            ("gcp_kms", &self.add_gcp_kms),
            ("hckms", &self.add_hckms),
            ("azure_kv", &self.add_azure_kv),
            ("pgp", &self.add_pgp),
            ("hc_vault", &self.add_hc_vault_transit),
            ("age", &self.add_age),
        ])
    }

    fn remove(&self) -> Named {
        named([
            ("kms", &self.rm_kms),
            ("gcp_kms", &self.rm_gcp_kms),
            ("hckms", &self.rm_hckms),
            ("azure_kv", &self.rm_azure_kv),
            ("pgp", &self.rm_pgp),
            ("hc_vault", &self.rm_hc_vault_transit),
            ("age", &self.rm_age),
        ])
    }
}

fn named(lists: [(&'static str, &Option<String>); 7]) -> Named {
    let lists = lists.into_iter();
    Named {
        lists: lists
            .filter_map(|(field, list)| Some((field, given(list)?)))
            .collect(),
        threshold: None,
    }
}

/// Flags of `rotate`.
#[derive(Args, Default)]
pub(super) struct RotateFlags {
    #[command(flatten)]
    result: ResultFlags,
    #[command(flatten)]
    format: FormatFlags,
    #[command(flatten)]
    keys: KeyChangeFlags,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

impl RotateFlags {
    /// What is to be done with a file.
    pub(super) fn args(&self, file: Option<PathBuf>) -> Result<rotate::Args, CommandError> {
        self.services.check()?;
        let path = file.ok_or_else(no_file)?;
        let target = self.result.target()?;
        let name = self.format.filename_override.as_deref().unwrap_or(&path);
        let format = self.format.input_type.unwrap_or_else(|| Format::of(name));
        if self.format.output_type.is_some_and(|other| other != format) {
            return Err(CommandError::new("rotate keeps the file's format")
                .code(exit::UNWRITABLE_FORMAT)
                .hint("leave out --output-type"));
        }
        Ok(rotate::Args {
            path,
            format: Some(format),
            opening: self.opening.opening()?,
            add: self.keys.add(),
            remove: self.keys.remove(),
            target,
        })
    }
}

/// Flags of `updatekeys`.
#[derive(Args, Default)]
pub(super) struct UpdateKeysFlags {
    /// Ask nobody
    #[arg(short, long)]
    yes: bool,
    /// Format of the files, instead of what their names say
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

impl UpdateKeysFlags {
    /// Which files get which keys; `outer` are the flags before the command.
    pub(super) fn args(
        &self,
        paths: Vec<PathBuf>,
        outer: &EncryptFlags,
    ) -> Result<update_keys::Args, CommandError> {
        self.services.check()?;
        if paths.is_empty() {
            return Err(no_file());
        }
        Ok(update_keys::Args {
            paths,
            format: self.input_type,
            config: self.config.choice(&outer.config),
            opening: self.opening.opening()?,
            yes: self.yes,
        })
    }
}

fn no_file() -> CommandError {
    CommandError::new("Error: no file specified").code(exit::NO_FILE)
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
