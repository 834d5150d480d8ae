//! Keys and the boxes they make. `keys` knows keys: no documents, no cluster, no files.
//!
//! - [`secret`]: bytes that are zeroed on drop and that no log shows.
//! - [`aead`]: AES-256-GCM, the only cipher code.
//! - [`scope`]: how far a sealed value may travel, and the label that binds it.
//! - [`sealing`]: sealing certificates, sealing keys and rings of them; the box of a sealed value.
//!
//! With the feature `sops`, and one for each kind of master key:
//!
//! - [`groups`]: a data key wrapped for all master keys, and recovered from enough of them; [`shamir`] splits it.
//! - [`master_key`]: what a master key is; [`backend`] has the kinds.
//! - [`mod@env`]: what a back end may use of the outside.

pub mod aead;
#[cfg(feature = "sops")]
pub mod backend;
#[cfg(feature = "sops")]
pub mod env;
#[cfg(feature = "sops")]
pub mod groups;
#[cfg(feature = "sops")]
pub mod master_key;
#[cfg(any(feature = "age", feature = "azure-kv", feature = "pgp"))]
mod process;
#[cfg(feature = "remote")]
mod remote;
pub mod scope;
pub mod sealing;
pub mod secret;
#[cfg(feature = "sops")]
pub mod shamir;

#[cfg(feature = "sops")]
pub use env::Env;
#[cfg(feature = "sops")]
pub use groups::{DecryptionOrder, KeyGroups};
#[cfg(feature = "sops")]
pub use master_key::{Backend, MasterKey};
pub use scope::{Label, Scope};
pub use sealing::{Fingerprint, KeyRing, OpenError, SealingCert, SealingKey};
pub use secret::{DataKey, KeyShare, Plaintext};
