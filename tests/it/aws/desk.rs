//! A desk whose programs are told of AWS.

use std::ops::Deref;

use testkit::aws::{AccessKey, Aws};
use testkit::cli::{Output, Run};
pub(super) use testkit::desk::{TEXT, unwrapped};

pub(super) struct Desk(testkit::desk::Desk);

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    Theirs,
}

pub(super) const BOTH: [Whose; 2] = [Whose::Ours, Whose::Theirs];

impl Desk {
    /// With no credentials at all; the machine that the tests run on has none to give.
    pub(super) fn bare(address: &str) -> Self {
        let mut desk = testkit::desk::Desk::with(&[
            ("AWS_ENDPOINT_URL", address),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]);
        let home = desk.folder().to_string_lossy().into_owned();
        desk.variables.push(("HOME", home));
        Self(desk)
    }

    /// With credentials that nobody checks.
    pub(super) fn new(aws: &Aws) -> Self {
        Self::at(&aws.address)
    }

    /// As [`Desk::new`], for another server.
    pub(super) fn at(address: &str) -> Self {
        Self::bare(address).of(&AccessKey {
            id: "AKIDOFTESTS".to_owned(),
            secret: "secret-of-tests".to_owned(),
        })
    }

    pub(super) fn of(self, key: &AccessKey) -> Self {
        self.with("AWS_ACCESS_KEY_ID", &key.id)
            .with("AWS_SECRET_ACCESS_KEY", &key.secret)
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.variables.push((name, value.to_owned()));
        self
    }

    /// Either behind the name `sops`.
    pub(super) fn sops(&self, whose: Whose, args: &[&str]) -> Run {
        match whose {
            Whose::Ours => self.ours(args),
            Whose::Theirs => self.theirs(args),
        }
    }

    /// Encrypts the document, by ours.
    pub(super) fn encrypt(&self, keys: &str) -> Output {
        let args = ["encrypt", "-i", "--kms", keys, "a.yaml"];
        self.sops(Whose::Ours, &args).output()
    }

    /// Ours does not do it: with the code of sops, with these words, in time, without a secret, and with the document as it was.
    pub(super) fn refuses(&self, args: &[&str], code: i32, words: &[&str]) -> String {
        let before = self.read("a.yaml");
        let output = self.sops(Whose::Ours, args).output();
        let said = unwrapped(&output.stderr);
        assert_eq!(output.code(), code, "{args:?} {said}");
        for words in words {
            assert!(said.contains(words), "{args:?}: no {words:?} in {said}");
        }
        assert!(
            !said.contains("secret-of-tests") && !said.contains("hunter2"),
            "{said}"
        );
        assert!(output.stdout.is_empty(), "{output:?}");
        assert_eq!(self.read("a.yaml"), before);
        said
    }
}

impl Deref for Desk {
    type Target = testkit::desk::Desk;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
