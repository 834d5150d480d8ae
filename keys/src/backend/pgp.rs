//! PGP keys, named by their fingerprints: through `gpg` with its agent and cards, or with exported secret keys where there
//! is no `gpg`.

use std::fmt;

use crate::{
    env::Env,
    master_key::{Backend, Fields, KeyError, MasterKey, ParseError, Pending, Wrapped},
    secret::KeyShare,
};

mod exported;
mod gpg;

/// The longest share that is read: a data key or a part of one has at most 33 bytes.
const LONGEST_SHARE: usize = 1 << 10;

/// PGP keys.
pub static BACKEND: Backend = Backend {
    name: "pgp",
    field: "pgp",
    recipients_var: "SOPS_PGP_FP",
    local: true,
    parse: |text| {
        let key = PgpKey::new(text);
        key.check().map_err(ParseError::Malformed)?;
        Ok(Box::new(key))
    },
    load,
    load_config: load,
};

/// A fingerprint. It is understood only when something is wrapped to it: an odd one in a document keeps nobody from
/// opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PgpKey {
    fingerprint: String,
}

fn load(fields: &Fields) -> Result<Box<dyn MasterKey>, ParseError> {
    Ok(Box::new(PgpKey::new(fields.text("fp")?)))
}

impl PgpKey {
    /// People type it in groups of four.
    fn new(text: &str) -> Self {
        Self {
            fingerprint: text.split_whitespace().collect(),
        }
    }

    /// A fingerprint or a long key ID; with `!` exactly this subkey. Anything shorter, or a name, may be somebody else's
    /// as well, and `gpg` as sops calls it takes neither.
    fn check(&self) -> Result<(), String> {
        let digits = self.fingerprint.trim_end_matches('!');
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let marks = self.fingerprint.matches('!').count();
        if hexadecimal && marks <= 1 && [16, 40, 64].contains(&digits.len()) {
            return Ok(());
        }
        Err(format!(
            "{:?} is not the fingerprint of a PGP key, which has 40 hexadecimal digits",
            self.fingerprint
        ))
    }
}

impl fmt::Display for PgpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint)
    }
}

impl MasterKey for PgpKey {
    fn backend(&self) -> &'static Backend {
        &BACKEND
    }

    fn fields(&self) -> Fields {
        Fields::default().with("fp", &self.fingerprint)
    }

    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(async move {
            let enc = self
                .check()
                .and_then(|()| gpg::encrypt(&self.fingerprint, share, env))
                .map_err(|error| {
                    KeyError(format!(
                        "could not encrypt data key with PGP key: GnuPG binary error: failed to encrypt sops data key with \
                         pgp: {error}"
                    ))
                })?;
            Ok(Wrapped {
                enc,
                created_at: Some(env.now()),
            })
        })
    }

    fn unwrap_key<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>> {
        Box::pin(async move {
            unwrap(&wrapped.enc, env).map_err(|error| {
                KeyError(format!("could not decrypt data key with PGP key: {error}"))
            })
        })
    }
}

/// What needs nobody comes first: exported keys without a passphrase, then `gpg`, then exported keys that are locked.
fn unwrap(enc: &str, env: &Env) -> Result<KeyShare, String> {
    let ring = exported::ring(env);
    let message = ring.message(enc);
    if let Ok(Some(share)) = message
        .as_ref()
        .map(|message| message.open(env, false))
        .unwrap_or(Ok(None))
    {
        return Ok(share);
    }
    let from_gpg = match gpg::decrypt(enc, env) {
        Ok(share) => return Ok(share),
        Err(error) => {
            format!("GnuPG binary error: failed to decrypt sops data key with pgp: {error}")
        }
    };
    let from_ring = match message.and_then(|message| message.open(env, true)) {
        Ok(Some(share)) => return Ok(share),
        Ok(None) => ring.explain(),
        Err(error) => format!("exported keys: {error}"),
    };
    Err(format!("{from_ring}; {from_gpg}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_hexadecimal_and_long() {
        for (text, shown) in [
            (
                "AC33 0130 50E0 EEBB 4D2B  6622 D0FC 907D 2A06 B1D5",
                "AC33013050E0EEBB4D2B6622D0FC907D2A06B1D5",
            ),
            ("d0fc907d2a06b1d5!", "d0fc907d2a06b1d5!"),
            (
                "0xAC33013050E0EEBB4D2B6622D0FC907D2A06B1D5",
                "0xAC33013050E0EEBB4D2B6622D0FC907D2A06B1D5",
            ),
        ] {
            let key = (BACKEND.parse)(text).expect("a fingerprint");
            assert_eq!(key.to_string(), shown);
        }
        for text in [
            "",
            "!",
            "2A06B1D5",
            "ann@example.org",
            "--output=/etc/passwd",
            "d0fc907d2a06b1d5!!",
            "!d0fc907d2a06b1d5",
            "d0fc907d2a06b1dg",
        ] {
            assert!((BACKEND.parse)(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_odd_fingerprint_in_a_document_is_kept() {
        let fields = Fields::default().with("fp", "--output=x");
        let key = (BACKEND.load)(&fields).expect("it is text");
        assert_eq!(key.fields(), fields);
        let share = KeyShare::from(&crate::DataKey::generate());
        let env = Env::from([("PATH", "/bin")]);
        let error = futures::executor::block_on(key.wrap_key(&share, &env)).map(drop);
        let error = error.expect_err("it names no key").to_string();
        assert!(error.contains("is not the fingerprint"), "{error}");
    }
}
