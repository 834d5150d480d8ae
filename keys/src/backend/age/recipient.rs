//! Who an age file is encrypted to: the kinds that sops takes.

use std::collections::HashSet;

use age::{EncryptError, ssh, x25519};
use age_core::format::{FileKey, Stanza};
use base64::{Engine, prelude::BASE64_STANDARD};

use super::{plugin, post_quantum};
use crate::env::Env;

/// A recipient that was understood.
pub(super) enum Recipient {
    X25519(x25519::Recipient),
    PostQuantum(Box<post_quantum::Recipient>),
    Plugin(plugin::Peer),
    Ssh(ssh::Recipient),
}

impl Recipient {
    /// Reads one as people type it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let malformed = |error: &str| {
            format!(
                "failed to parse input as Bech32-encoded age public key: malformed recipient {text:?}: {error}"
            )
        };
        if text.starts_with("age1pq1") {
            let recipient = text.parse().map_err(malformed)?;
            return Ok(Self::PostQuantum(Box::new(recipient)));
        }
        if text.starts_with("age1") && text.matches('1').count() > 1 {
            return plugin::Peer::recipient(text)
                .map(Self::Plugin)
                .map_err(|error| {
                    format!("failed to parse input as age key from age plugin: {error}")
                });
        }
        if text.starts_with("age1") {
            return text.parse().map(Self::X25519).map_err(malformed);
        }
        if text.starts_with("ssh-") {
            return ssh_recipient(text)
                .map(Self::Ssh)
                .map_err(|error| format!("failed to parse input as age-ssh public key: {error}"));
        }
        Err(format!(
            "failed to parse input, unknown recipient type: {text:?}"
        ))
    }

    /// With what a plugin may need.
    pub(super) fn within<'a>(&'a self, env: &'a Env) -> impl age::Recipient + 'a {
        Within {
            recipient: self,
            env,
        }
    }
}

struct Within<'a> {
    recipient: &'a Recipient,
    env: &'a Env,
}

impl age::Recipient for Within<'_> {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        match self.recipient {
            Recipient::X25519(recipient) => recipient.wrap_file_key(file_key),
            Recipient::PostQuantum(recipient) => recipient.wrap_file_key(file_key),
            Recipient::Ssh(recipient) => recipient.wrap_file_key(file_key),
            Recipient::Plugin(plugin) => plugin
                .wrap(file_key, self.env)
                .map_err(|error| EncryptError::Io(std::io::Error::other(error))),
        }
    }
}

fn ssh_recipient(text: &str) -> Result<ssh::Recipient, String> {
    use ssh::ParseRecipientKeyError as Error;
    let malformed = || format!("malformed SSH recipient: {text:?}");
    let blob = text.split(' ').nth(1).unwrap_or_default();
    let blob = BASE64_STANDARD.decode(blob).map_err(|_| malformed())?;
    if !has_only_canonical_numbers(&blob) {
        return Err(malformed());
    }
    text.parse().map_err(|error| match error {
        Error::RsaModulusTooSmall => "RSA key size is too small".to_owned(),
        Error::RsaModulusTooLarge => "RSA key is longer than 4096 bits".to_owned(),
        Error::Unsupported(kind) => format!("unknown SSH recipient type: {kind:?}"),
        _ => malformed(),
    })
}

/// No part of the key is nothing but zeros, over which age's parser would stumble.
fn has_only_canonical_numbers(mut blob: &[u8]) -> bool {
    while let Some((length, rest)) = blob.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((part, rest)) = rest.split_at_checked(length) else {
            return false;
        };
        if !part.is_empty() && part.iter().all(|byte| *byte == 0) {
            return false;
        }
        blob = rest;
    }
    blob.is_empty()
}
