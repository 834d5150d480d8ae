//! Sealed Secrets: the resource, sealing and unsealing it, and the templates in it.
//!
//! - [`resource`]: SealedSecret as it stands in Git and in the cluster; [`crd`]: its definition.
//! - [`plain`]: a Secret as people write it; [`mod@seal`]: from that to a SealedSecret, and one merged into another.
//! - [`mod@unseal`]: from a SealedSecret to the Secret that is to stand in the cluster.
//! - [`remark`]: what the author of such a Secret should know.
//! - [`mod@rewrap`]: the same values under another sealing key, without touching anything else.
//! - [`hint`]: which sealing key an item was sealed with, for people and for the order of trial.
//! - [`template`]: the Go templates of `spec.template.data`.

pub mod crd;
pub mod hint;
pub mod plain;
pub mod remark;
pub mod resource;
pub mod rewrap;
pub mod seal;
pub mod template;
pub mod unseal;

pub use hint::KeyHints;
pub use plain::PlainSecret;
pub use resource::{
    Condition, Metadata, SealedSecret, SealedSecretSpec, SealedSecretStatus, SecretTemplate,
    TextMap,
};
pub use rewrap::rewrap;
pub use seal::seal;
pub use unseal::{UnsealError, Unsealed, unseal};

/// On a Secret: a SealedSecret may take it over, whoever made it. Only the exact text `true` counts.
pub const MANAGED: &str = "sealedsecrets.bitnami.com/managed";
/// On a Secret: a SealedSecret adds its keys to it and leaves the rest. Only the exact text `true` counts.
pub const PATCH: &str = "sealedsecrets.bitnami.com/patch";
/// In the template: the Secret gets no owner and outlives its SealedSecret. Only the exact text `true` counts.
pub const SKIP_SET_OWNER_REFERENCES: &str = "sealedsecrets.bitnami.com/skip-set-owner-references";

/// Whether an annotation has the one value that counts.
pub fn is_true(annotations: &TextMap, name: &str) -> bool {
    annotations.get(name).is_some_and(|value| value == "true")
}

#[cfg(test)]
mod tests;
