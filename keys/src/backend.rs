//! The kinds of master keys that this build knows. To add one: write its file, add its line.

use crate::master_key::{Backend, Fields, MasterKey, ParseError};

#[cfg(feature = "age")]
pub mod age;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "azure-kv")]
pub mod azure_kv;
#[cfg(feature = "gcp-kms")]
pub mod gcp_kms;
#[cfg(feature = "pgp")]
pub mod pgp;
pub mod unknown;
#[cfg(feature = "vault")]
pub mod vault;

/// All kinds, in the order in which sops reads their lists from a document.
pub static BACKENDS: &[&Backend] = &[
    #[cfg(feature = "aws")]
    &aws::BACKEND,
    #[cfg(feature = "gcp-kms")]
    &gcp_kms::BACKEND,
    #[cfg(feature = "azure-kv")]
    &azure_kv::BACKEND,
    #[cfg(feature = "vault")]
    &vault::BACKEND,
    #[cfg(feature = "pgp")]
    &pgp::BACKEND,
    #[cfg(feature = "age")]
    &age::BACKEND,
];

/// The kind whose keys stand in the list `field` of a document. Returns `None` if this build does not know it.
pub fn of_field(field: &str) -> Option<&'static Backend> {
    BACKENDS
        .iter()
        .find(|backend| backend.field.eq_ignore_ascii_case(field))
        .copied()
}

/// Reads one key of the list `field` of a document. A kind that this build does not know is kept as it is.
pub fn load(field: &str, fields: &Fields) -> Result<Box<dyn MasterKey>, ParseError> {
    match of_field(field) {
        Some(backend) => (backend.load)(fields),
        None => Ok(Box::new(unknown::UnknownKey::new(field, fields.clone()))),
    }
}
