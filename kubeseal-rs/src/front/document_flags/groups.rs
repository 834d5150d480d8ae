//! Flags of `groups`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::super::document_commands::Door;
use super::{ConfigFlags, KeyServiceFlags, OpeningFlags};
use crate::commands::groups::{self, Change};
use crate::error::CommandError;
use crate::sops::exit;
use crate::sops::for_kms::ForKms;
use crate::sops::policy::Policy;
use crate::sops::recipients::Named;
use crate::sops::source::Target;

/// What is done with a document's groups.
#[derive(Subcommand)]
pub(in crate::front) enum GroupsCommand {
    /// Add a group of keys: with it the data key is shared anew
    Add {
        #[arg(hide = true)]
        words: Vec<String>,
        #[command(flatten)]
        flags: Box<AddFlags>,
    },
    /// Remove a group of keys by its number; the first is 0
    Delete {
        /// The group's number
        #[arg(value_name = "NUMBER")]
        words: Vec<String>,
        #[command(flatten)]
        shared: SharedFlags,
    },
}

/// Which document, and what becomes of it.
#[derive(Args, Default)]
pub(in crate::front) struct SharedFlags {
    /// The file
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write the result into the file itself
    #[arg(short, long)]
    in_place: bool,
    /// How many groups it takes to open the document; else as many as before
    #[arg(long, value_name = "COUNT")]
    shamir_secret_sharing_threshold: Option<u8>,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

/// Flags of `groups add`.
#[derive(Args, Default)]
pub(in crate::front) struct AddFlags {
    /// An age recipient of the new group; may be repeated
    #[arg(long, value_name = "RECIPIENT", action = ArgAction::Append)]
    age: Vec<String>,
    /// A PGP fingerprint of the new group; may be repeated
    #[arg(long, value_name = "FINGERPRINT", action = ArgAction::Append)]
    pgp: Vec<String>,
    /// A Vault transit key URL of the new group; may be repeated
    #[arg(long, value_name = "URL", action = ArgAction::Append)]
    hc_vault_transit: Vec<String>,
    /// An AWS KMS key ARN of the new group; may be repeated
    #[arg(long, value_name = "ARN", action = ArgAction::Append)]
    kms: Vec<String>,
    /// AWS profile of these keys
    #[arg(long, value_name = "PROFILE")]
    aws_profile: Option<String>,
    /// AWS KMS encryption context of these keys, as key:value pairs separated by commas
    #[arg(long, value_name = "PAIRS")]
    encryption_context: Option<String>,
    /// A Google Cloud KMS resource id of the new group; may be repeated
    #[arg(long, value_name = "ID", action = ArgAction::Append)]
    gcp_kms: Vec<String>,
    #[arg(long, hide = true, action = ArgAction::Append)]
    hckms: Vec<String>,
    /// An Azure Key Vault key URL of the new group; may be repeated
    #[arg(long, value_name = "URL", action = ArgAction::Append)]
    azure_kv: Vec<String>,
    /// Add keys that .sops.yaml does not list for the file
    #[arg(long)]
    allow_unlisted: bool,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    shared: SharedFlags,
}

impl GroupsCommand {
    /// Which document gets which groups.
    pub(in crate::front) fn args(self, door: &Door<'_>) -> Result<groups::Args, CommandError> {
        match self {
            Self::Add { flags, words } if words.is_empty() => {
                let policy = Policy::new(
                    &flags.config.choice(&door.outer().config),
                    door.unlisted(flags.allow_unlisted),
                );
                let change = Change::Add(Box::new(flags.named()), policy);
                flags.shared.args(change)
            }
            Self::Add { .. } => Err(CommandError::new("error: no positional arguments allowed")
                .hint("groups add --file FILE --age age1…")),
            Self::Delete { shared, words } => {
                let [number] = words.as_slice() else {
                    return Err(CommandError::new(
                        "error: exactly one positional argument (index) required",
                    )
                    .hint("groups delete --file FILE 0"));
                };
                let number = number.parse().map_err(|e| {
                    CommandError::new(format!(
                        "failed to parse [index] argument: {number:?} is no number of a group"
                    ))
                    .because(e)
                })?;
                shared.args(Change::Delete(number))
            }
        }
    }
}

impl AddFlags {
    fn named(&self) -> Named {
        let lists = [
            ("pgp", &self.pgp),
            ("kms", &self.kms),
            ("gcp_kms", &self.gcp_kms),
            ("hckms", &self.hckms),
            ("azure_kv", &self.azure_kv),
            ("hc_vault", &self.hc_vault_transit),
            ("age", &self.age),
        ];
        let lists = lists.into_iter().filter(|(_, keys)| !keys.is_empty());
        Named {
            lists: lists.map(|(field, keys)| (field, keys.join(","))).collect(),
            threshold: None,
            kms: ForKms {
                profile: self.aws_profile.clone(),
                context: self.encryption_context.clone(),
            },
        }
    }
}

impl SharedFlags {
    fn args(&self, change: Change) -> Result<groups::Args, CommandError> {
        self.services.check()?;
        let path = self.file.clone().ok_or_else(|| {
            CommandError::new("Error reading file: none was named")
                .code(exit::UNREADABLE)
                .hint("--file names it")
        })?;
        Ok(groups::Args {
            path,
            change,
            threshold: self
                .shamir_secret_sharing_threshold
                .filter(|threshold| *threshold > 0)
                .map(usize::from),
            opening: self.opening.opening()?,
            target: match self.in_place {
                true => Target::InPlace,
                false => Target::Stdout,
            },
        })
    }
}
