//! age keys: X25519, post-quantum, SSH keys and plugins. Each holds the share in an armored age file of its own.
//!
//! ```
//! use futures::executor::block_on;
//! use keys::{DataKey, DecryptionOrder, Env, KeyGroups, backend::age};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recipients = age::BACKEND
//!     .parse_list("age1595auwr0xd8hhchwfvzlev928f4k5ye3knv3v2ulxr4vmcrv4afs0lvq6k")?;
//! let mut groups = KeyGroups::one(recipients);
//! let key = DataKey::generate();
//! // A program has `Env::from_process()`, and `with_prompt` if there is a person to ask.
//! let env = Env::from([(
//!     "SOPS_AGE_KEY",
//!     "AGE-SECRET-KEY-1XTR9GHLAL3VHJH85V2D2T8LWG07V6L7UQHD79ACWNGCXHTENSHVQ66VV2Y",
//! )]);
//! block_on(groups.wrap(&key, &env))?;
//! let again = block_on(groups.recover(&env, &DecryptionOrder::default()))?;
//! assert_eq!(again.expose_secret(), key.expose_secret());
//! # Ok(())
//! # }
//! ```

use std::{
    cell::RefCell,
    fmt,
    io::{Read, Write},
    iter,
};

use age::{
    Decryptor, Encryptor,
    armor::{ArmoredReader, ArmoredWriter, Format},
};
use age_core::format::{FileKey, Stanza};
use zeroize::Zeroizing;

use crate::{
    env::Env,
    master_key::{Backend, Fields, KeyError, MasterKey, ParseError, Pending, Wrapped},
    secret::KeyShare,
};

#[cfg(unix)]
mod agent;
mod failure;
mod hpke;
mod identity;
mod plugin;
mod post_quantum;
mod recipient;
mod sources;

use identity::Identity;
use recipient::Recipient;
use sources::Found;

/// The longest share that is read: a data key or a part of one has at most 33 bytes.
const LONGEST_SHARE: u64 = 1 << 10;

/// age keys.
pub static BACKEND: Backend = Backend {
    name: "age",
    field: "age",
    recipients_var: "SOPS_AGE_RECIPIENTS",
    local: true,
    parse: |text| {
        let key = AgeKey {
            recipient: text.trim().to_owned(),
        };
        Recipient::parse(&key.recipient).map_err(ParseError::Malformed)?;
        Ok(Box::new(key))
    },
    load,
    load_config: load,
};

/// A recipient. It is understood only when something is wrapped to it: an odd one in a document keeps nobody from
/// opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AgeKey {
    recipient: String,
}

fn load(fields: &Fields) -> Result<Box<dyn MasterKey>, ParseError> {
    let recipient = fields.text("recipient")?.to_owned();
    Ok(Box::new(AgeKey { recipient }))
}

impl fmt::Display for AgeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.recipient)
    }
}

impl MasterKey for AgeKey {
    fn backend(&self) -> &'static Backend {
        &BACKEND
    }

    fn fields(&self) -> Fields {
        Fields::default().with("recipient", &self.recipient)
    }

    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(async move { wrap(&self.recipient, share, env).map_err(KeyError) })
    }

    fn unwrap_key<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>> {
        Box::pin(async move { unwrap(&self.recipient, &wrapped.enc, env).map_err(KeyError) })
    }
}

fn wrap(recipient: &str, share: &KeyShare, env: &Env) -> Result<Wrapped, String> {
    let recipient = Recipient::parse(recipient)?;
    let recipient = recipient.within(env);
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
        .map_err(|error| {
            let error = failure::wrapping(&error);
            format!("failed to create writer for encrypting sops data key with age: {error}")
        })?;
    let enc = armored(encryptor, share.expose_secret())
        .map_err(|error| format!("failed to encrypt sops data key with age: {error}"))?;
    Ok(Wrapped {
        enc,
        created_at: None,
    })
}

fn armored(encryptor: Encryptor, text: &[u8]) -> std::io::Result<String> {
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(text)?;
    let file = writer.finish()?.finish()?;
    String::from_utf8(file).map_err(|_| std::io::ErrorKind::InvalidData.into())
}

fn unwrap(recipient: &str, enc: &str, env: &Env) -> Result<KeyShare, String> {
    let kept = sources::kept(env);
    let mut failures = Vec::new();
    // A command may take long and ask somebody: most often what is at hand opens the file.
    let at_hand = |identity: &&Identity| !identity.is_interactive();
    if let Some(share) = open(
        enc,
        kept.identities.iter().filter(at_hand),
        env,
        &mut failures,
    )? {
        return Ok(share);
    }
    let printed = sources::printed(recipient, env);
    let found: [&Found; 2] = [&kept, &printed];
    let all = || found.iter().flat_map(|found| &found.identities);
    let more = printed.identities.iter().filter(at_hand);
    let asked = all().filter(|identity| identity.is_interactive());
    if let Some(share) = open(enc, more.chain(asked), env, &mut failures)? {
        return Ok(share);
    }
    let explained = sources::explain(&found, env);
    let reason = match (all().count(), failures.as_slice()) {
        (0, _) => return Err(format!("failed to load age identities{explained}")),
        (1, []) => {
            "identity did not match any of the recipients: incorrect identity for recipient block"
                .to_owned()
        }
        (_, []) => "no identity matched any of the recipients".to_owned(),
        (_, failures) => failures.join("; "),
    };
    Err(format!(
        "failed to create reader for decrypting sops data key with age: {reason}{explained}"
    ))
}

/// Opens the file with the first identity that can. Those that tried and could not say why in `failures`.
fn open<'a>(
    enc: &str,
    identities: impl Iterator<Item = &'a Identity>,
    env: &'a Env,
    failures: &mut Vec<String>,
) -> Result<Option<KeyShare>, String> {
    let identities: Vec<_> = identities.collect();
    if identities.is_empty() {
        return Ok(None);
    }
    let failed = |error: &age::DecryptError| {
        let error = failure::text(error);
        format!("failed to create reader for decrypting sops data key with age: {error}")
    };
    let file = Decryptor::new_buffered(ArmoredReader::new(enc.trim_ascii().as_bytes()))
        .map_err(|error| failed(&error))?;
    let attempt = Attempt {
        identities,
        env,
        failures: RefCell::new(failures),
    };
    let reader = match file.decrypt(iter::once(&attempt as &dyn age::Identity)) {
        Ok(reader) => reader,
        Err(age::DecryptError::NoMatchingKeys) => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let mut share = Zeroizing::new(Vec::new());
    reader
        .take(LONGEST_SHARE + 1)
        .read_to_end(&mut share)
        .map_err(|error| format!("failed to copy age decrypted data: {error}"))?;
    match share.len() as u64 > LONGEST_SHARE {
        true => Err("failed to copy age decrypted data: it is too long for a data key".to_owned()),
        false => Ok(Some(KeyShare::from(share))),
    }
}

/// All identities as one: a broken one does not keep the next from its turn.
struct Attempt<'a> {
    identities: Vec<&'a Identity>,
    env: &'a Env,
    failures: RefCell<&'a mut Vec<String>>,
}

impl age::Identity for Attempt<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        let mut tries = self.identities.iter();
        tries.find_map(|identity| match identity.unwrap(stanzas, self.env)? {
            Ok(key) => Some(Ok(key)),
            Err(error) => {
                self.failures.borrow_mut().push(error);
                None
            }
        })
    }
}
