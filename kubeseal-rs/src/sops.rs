//! What the commands on SOPS documents share.

pub(crate) mod child;
pub(crate) mod config_file;
pub(crate) mod data_key;
pub(crate) mod each;
pub(crate) mod exit;
pub(crate) mod failure;
pub(crate) mod for_kms;
pub(crate) mod found;
pub(crate) mod memory_folder;
pub(crate) mod opening;
pub(crate) mod policy;
pub(crate) mod recipients;
pub(crate) mod rewrite;
pub(crate) mod source;
pub(crate) mod stop;
pub(crate) mod user;
