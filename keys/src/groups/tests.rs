//! Groups of keys that are made for these tests: they wrap by reversing.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use futures::executor::block_on;
use zeroize::Zeroizing;

use super::*;
use crate::master_key::{Backend, Fields, ParseError, Pending};

/// A key that opens unless its name says that it is broken, and notes that it was asked.
#[derive(Debug)]
struct Toy {
    name: &'static str,
    backend: &'static Backend,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

const fn kind(name: &'static str, local: bool) -> Backend {
    fn none(_: &str) -> Result<Box<dyn MasterKey>, ParseError> {
        Err(ParseError::Malformed(String::new()))
    }
    fn nothing(_: &Fields) -> Result<Box<dyn MasterKey>, ParseError> {
        Err(ParseError::Malformed(String::new()))
    }
    Backend {
        name,
        field: name,
        recipients_var: "",
        local,
        parse: none,
        load: nothing,
        load_config: nothing,
    }
}

static AGE: Backend = kind("age", true);
static PGP: Backend = kind("pgp", true);
static KMS: Backend = kind("kms", false);

impl fmt::Display for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl MasterKey for Toy {
    fn backend(&self) -> &'static Backend {
        self.backend
    }

    fn fields(&self) -> Fields {
        Fields::default()
    }

    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        _env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(async move {
            if self.name.contains("full") {
                return Err(KeyError("no room".to_owned()));
            }
            let text = share.expose_secret().iter().rev();
            Ok(Wrapped {
                enc: text.map(|byte| char::from(*byte)).collect(),
                created_at: None,
            })
        })
    }

    fn unwrap_key<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        _env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>> {
        Box::pin(async move {
            self.asked.lock().expect("no panic").push(self.name);
            if self.name.contains("broken") {
                return Err(KeyError("it is broken".to_owned()));
            }
            let bytes = wrapped.enc.chars().rev().map(|c| c as u8);
            Ok(KeyShare::from(Zeroizing::new(bytes.collect::<Vec<_>>())))
        })
    }
}

/// Groups of toys, wrapped, and the list of those that were asked.
fn groups(
    names: &[&[(&'static str, &'static Backend)]],
    threshold: usize,
) -> (KeyGroups, DataKey, Arc<Mutex<Vec<&'static str>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let toy = |(name, backend): &(&'static str, &'static Backend)| -> Box<dyn MasterKey> {
        Box::new(Toy {
            name,
            backend,
            asked: asked.clone(),
        })
    };
    let mut groups = KeyGroups {
        groups: names
            .iter()
            .map(|names| KeyGroup::new(names.iter().map(toy)))
            .collect(),
        threshold,
    };
    let key = DataKey::generate();
    let env = Env::from([("A", "b")]);
    block_on(groups.wrap(&key, &env)).expect("the toys wrap");
    (groups, key, asked)
}

fn recover(groups: &KeyGroups, order: &DecryptionOrder) -> Result<DataKey, RecoverError> {
    block_on(groups.recover(&Env::from([("A", "b")]), order))
}

#[test]
fn local_keys_are_asked_first_and_the_rest_only_if_they_must() {
    let (groups, key, asked) = groups(
        &[&[
            ("remote", &KMS),
            ("broken gpg", &PGP),
            ("broken age", &AGE),
            ("remote too", &KMS),
        ]],
        0,
    );
    let got = recover(&groups, &DecryptionOrder::default()).expect("a key opens");
    assert_eq!(got.expose_secret(), key.expose_secret());
    let mut asked = asked.lock().expect("no panic").clone();
    assert_eq!(asked[..2], ["broken age", "broken gpg"]);
    asked.dedup();
    assert!(asked.contains(&"remote"));
}

#[test]
fn the_order_asked_for_is_kept() {
    let (groups, _, asked) = groups(&[&[("age", &AGE), ("broken kms", &KMS), ("gpg", &PGP)]], 0);
    let order = DecryptionOrder::parse("kms,pgp").expect("no kind twice");
    recover(&groups, &order).expect("a key opens");
    assert_eq!(*asked.lock().expect("no panic"), ["broken kms", "gpg"]);
}

#[test]
fn enough_groups_make_the_key_and_no_more_are_asked() {
    let (groups, key, asked) = groups(
        &[
            &[("broken one", &AGE)],
            &[("two", &AGE)],
            &[("three", &AGE)],
            &[("four", &AGE)],
        ],
        2,
    );
    let got = recover(&groups, &DecryptionOrder::default()).expect("two groups open");
    assert_eq!(got.expose_secret(), key.expose_secret());
    assert_eq!(
        *asked.lock().expect("no panic"),
        ["broken one", "two", "three"]
    );
}

#[test]
fn a_key_that_cannot_wrap_keeps_all_from_it() {
    let (mut groups, ..) = groups(&[&[("one", &AGE)]], 0);
    let before = groups.groups[0].keys[0].wrapped.clone();
    groups.groups[0].keys.push(KeyEntry {
        key: Box::new(Toy {
            name: "full",
            backend: &AGE,
            asked: Arc::default(),
        }),
        wrapped: None,
    });
    let key = DataKey::generate();
    let error = block_on(groups.wrap(&key, &Env::from([("A", "b")]))).expect_err("one is full");
    assert_eq!(
        error.to_string(),
        "[failed to encrypt new data key with master key \"full\": no room]"
    );
    assert_eq!(groups.groups[0].keys[0].wrapped, before);
}

#[test]
fn nobody_is_left_out() {
    let wrap = |mut groups: KeyGroups| {
        let env = Env::from([("A", "b")]);
        block_on(groups.wrap(&DataKey::generate(), &env)).map_err(|e| e.to_string())
    };
    assert_eq!(
        wrap(KeyGroups::default()),
        Err("no key groups provided".to_owned())
    );
    assert_eq!(
        wrap(KeyGroups::one([])),
        Err("key group 0 has no keys".to_owned())
    );
    let (mut two, ..) = groups(&[&[("one", &AGE)], &[("two", &AGE)]], 2);
    two.threshold = 1;
    assert_eq!(
        wrap(two),
        Err(
            "could not split data key into parts for Shamir: threshold must be at least 2"
                .to_owned()
        )
    );
}

#[test]
fn what_failed_is_said_for_each_group() {
    let (groups, ..) = groups(&[&[("one", &AGE)], &[("broken two", &AGE)]], 2);
    let error = recover(&groups, &DecryptionOrder::default()).expect_err("one is not enough");
    assert_eq!(
        error.to_string(),
        "Failed to get the data key required to decrypt the SOPS file.\n\n\
         Group 0: SUCCESS\n\n\
         Group 1: FAILED\n  broken two: FAILED\n    - | it is broken\n\n\
         Recovery failed because the file was encrypted with a Shamir threshold of\n\
         2, but only 1 part(s) were successfully recovered, one for each successful\n\
         key group. In order for SOPS to recover the file, at least 2 groups have to\n\
         be successful. In order for a group to be successful, decryption has to\n\
         succeed with any of the keys in that key group."
    );
}
