//! The in-cluster controller: turns SealedSecrets into Secrets.
