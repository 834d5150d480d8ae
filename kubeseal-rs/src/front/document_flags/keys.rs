//! Flags of the commands that give documents other keys.

use std::path::PathBuf;

use clap::Args;
use decryptor::format::Format;

use super::super::document_commands::Door;
use super::super::values::{self, given};
use super::{
    ConfigFlags, EncryptFlags, FormatFlags, KeyServiceFlags, OpeningFlags, ResultFlags, no_file,
};
use crate::commands::{rotate, update_keys};
use crate::error::CommandError;
use crate::sops::exit;
use crate::sops::for_kms::ForKms;
use crate::sops::policy::Policy;
use crate::sops::recipients::Named;

/// Which keys are added to a document, and which are removed.
#[derive(Args, Default)]
#[command(next_help_heading = "Keys")]
pub(in crate::front) struct KeyChangeFlags {
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
    /// Vault transit key URLs to add, separated by commas
    #[arg(long, value_name = "URLS")]
    add_hc_vault_transit: Option<String>,
    /// Vault transit key URLs to remove, separated by commas
    #[arg(long, value_name = "URLS")]
    rm_hc_vault_transit: Option<String>,
    /// AWS KMS key ARNs to add, separated by commas
    #[arg(long, value_name = "ARNS")]
    add_kms: Option<String>,
    /// AWS KMS key ARNs to remove, separated by commas
    #[arg(long, value_name = "ARNS")]
    rm_kms: Option<String>,
    /// Google Cloud KMS resource ids to add, separated by commas
    #[arg(long, value_name = "IDS")]
    add_gcp_kms: Option<String>,
    /// Google Cloud KMS resource ids to remove, separated by commas
    #[arg(long, value_name = "IDS")]
    rm_gcp_kms: Option<String>,
    #[arg(long, hide = true)]
    add_hckms: Option<String>,
    #[arg(long, hide = true)]
    rm_hckms: Option<String>,
    /// Azure Key Vault key URLs to add, separated by commas
    #[arg(long, value_name = "URLS")]
    add_azure_kv: Option<String>,
    /// Azure Key Vault key URLs to remove, separated by commas
    #[arg(long, value_name = "URLS")]
    rm_azure_kv: Option<String>,
}

impl KeyChangeFlags {
    /// Whether there are any.
    pub(in crate::front) fn any(&self) -> bool {
        let kms = ForKms::default();
        !self.add(&kms).lists.is_empty() || !self.remove(&kms).lists.is_empty()
    }

    fn add(&self, kms: &ForKms) -> Named {
        let lists = [
            ("kms", &self.add_kms),
            ("gcp_kms", &self.add_gcp_kms),
            ("hckms", &self.add_hckms),
            ("azure_kv", &self.add_azure_kv),
            ("pgp", &self.add_pgp),
            ("hc_vault", &self.add_hc_vault_transit),
            ("age", &self.add_age),
        ];
        named(lists, kms)
    }

    fn remove(&self, kms: &ForKms) -> Named {
        let lists = [
            ("kms", &self.rm_kms),
            ("gcp_kms", &self.rm_gcp_kms),
            ("hckms", &self.rm_hckms),
            ("azure_kv", &self.rm_azure_kv),
            ("pgp", &self.rm_pgp),
            ("hc_vault", &self.rm_hc_vault_transit),
            ("age", &self.rm_age),
        ];
        named(lists, kms)
    }
}

fn named(lists: [(&'static str, &Option<String>); 7], kms: &ForKms) -> Named {
    let lists = lists.into_iter();
    Named {
        lists: lists
            .filter_map(|(field, list)| Some((field, given(list)?)))
            .collect(),
        threshold: None,
        kms: kms.clone(),
    }
}

/// Flags of `rotate`.
#[derive(Args, Default)]
pub(in crate::front) struct RotateFlags {
    /// AWS profile of the keys in KMS that are added or removed
    #[arg(long, value_name = "PROFILE")]
    aws_profile: Option<String>,
    /// AWS KMS encryption context of the keys that are added or removed, as key:value pairs separated by commas
    #[arg(long, value_name = "PAIRS")]
    encryption_context: Option<String>,
    /// Wrap the data key for keys that .sops.yaml does not list for the file, too
    #[arg(long)]
    allow_unlisted: bool,
    #[command(flatten)]
    config: ConfigFlags,
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
    /// What `rotate` is told where the flags stand before the file.
    pub(in crate::front) fn of(
        outer: &EncryptFlags,
        keys: KeyChangeFlags,
        opening: OpeningFlags,
    ) -> Self {
        Self {
            result: outer.result.clone(),
            format: outer.format.clone(),
            keys,
            opening,
            services: outer.services.clone(),
            ..Self::default()
        }
    }

    /// What is to be done with a file.
    pub(in crate::front) fn args(
        &self,
        file: Option<PathBuf>,
        door: &Door<'_>,
    ) -> Result<rotate::Args, CommandError> {
        self.services.check()?;
        let path = file.ok_or_else(no_file)?;
        let target = self.result.target()?;
        let name = self.format.filename_override.as_deref().unwrap_or(&path);
        let format = self.format.input_type.unwrap_or_else(|| Format::of(name));
        if self.format.output_type.is_some_and(|other| other != format) {
            return Err(keeps_format());
        }
        Ok(rotate::Args {
            name: name.to_owned(),
            path,
            format: Some(format),
            target,
            how: self.how(door)?,
        })
    }

    /// What is to be done with many files and folders.
    pub(in crate::front) fn tree(
        &self,
        paths: Vec<PathBuf>,
        dry_run: bool,
        door: &Door<'_>,
    ) -> Result<rotate::tree::Args, CommandError> {
        self.services.check()?;
        self.format.check_many()?;
        self.result.check_in_place(dry_run)?;
        if self.format.output_type.is_some() {
            return Err(keeps_format());
        }
        Ok(rotate::tree::Args {
            paths,
            format: self.format.input_type,
            dry_run,
            how: self.how(door)?,
        })
    }

    fn how(&self, door: &Door<'_>) -> Result<rotate::How, CommandError> {
        let outer = &door.outer().recipients;
        let kms = ForKms {
            profile: given(&self.aws_profile).or(given(&outer.aws_profile)),
            context: given(&self.encryption_context).or(given(&outer.encryption_context)),
        };
        Ok(rotate::How {
            opening: self.opening.opening()?,
            add: self.keys.add(&kms),
            remove: self.keys.remove(&kms),
            policy: Policy::new(
                &self.config.choice(&door.outer().config),
                door.unlisted(self.allow_unlisted),
            ),
        })
    }
}

fn keeps_format() -> CommandError {
    CommandError::new("rotate keeps the file's format")
        .code(exit::UNWRITABLE_FORMAT)
        .hint("leave out --output-type")
}

/// Flags of `updatekeys`.
#[derive(Args, Default)]
pub(in crate::front) struct UpdateKeysFlags {
    /// Ask nobody
    #[arg(short, long)]
    yes: bool,
    /// Give a file another data key if somebody is removed from it, and encrypt its values anew
    #[arg(long)]
    rotate: bool,
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
    pub(in crate::front) fn args(
        &self,
        paths: Vec<PathBuf>,
        dry_run: bool,
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
            one_by_one: false,
            dry_run,
            rotate: self.rotate,
        })
    }
}
