//! Flags about who can open a new document, and what of it is encrypted.

use clap::Args;

use super::super::values::given;
use crate::sops::for_kms::ForKms;
use crate::sops::recipients::{Named, RuleChoice};

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
    /// AWS profile of the keys that --kms names
    #[arg(long, value_name = "PROFILE")]
    pub(super) aws_profile: Option<String>,
    /// AWS KMS encryption context, as key:value pairs separated by commas
    #[arg(long, value_name = "PAIRS")]
    pub(super) encryption_context: Option<String>,
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
    pub(super) fn named(&self, outer: &Self) -> Named {
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
            kms: ForKms {
                profile: first(&self.aws_profile, &outer.aws_profile),
                context: first(&self.encryption_context, &outer.encryption_context),
            },
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
    pub(super) fn choice(&self, outer: &Self) -> RuleChoice {
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
