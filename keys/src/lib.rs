//! Keys and the boxes they make. `keys` knows keys: no documents, no cluster, no files.
//!
//! - [`secret`]: bytes that are zeroed on drop and that no log shows.
//! - [`aead`]: AES-256-GCM, the only cipher code.
//! - [`scope`]: how far a sealed value may travel, and the label that binds it.
//! - [`sealing`]: sealing certificates, sealing keys and rings of them; the box of a sealed value.

pub mod aead;
pub mod scope;
pub mod sealing;
pub mod secret;

pub use scope::{Label, Scope};
pub use sealing::{Fingerprint, KeyRing, OpenError, SealingCert, SealingKey};
pub use secret::{DataKey, Plaintext};
