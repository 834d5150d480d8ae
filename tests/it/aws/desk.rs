//! What the tests of keys in AWS stand on: a folder with a document, and what both programs are told of the cloud.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;
use testkit::aws::{AccessKey, Aws};
use testkit::cli::{self, Output, Run};
use testkit::{ours, peer};

pub(super) const TEXT: &str = "user: app\npassword: hunter2\n";

/// A folder with a document in clear, and variables.
pub(super) struct Desk {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

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
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.yaml"), TEXT).expect("written");
        symlink(ours::kubeseal(), folder.path().join("sops")).expect("a link");
        let desk = Self {
            folder,
            variables: Vec::new(),
        };
        desk.with("AWS_ENDPOINT_URL", address)
            .with("AWS_EC2_METADATA_DISABLED", "true")
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

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it is there")
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn run(&self, program: PathBuf, args: &[&str]) -> Run {
        let run = cli::run(program).folder(self.folder.path());
        let run = run.env("HOME", self.folder.path());
        let variables = self.variables.iter();
        let run = variables.fold(run, |run, (name, value)| run.env(name, value));
        run.args(args.iter().copied())
    }

    /// Either behind the name `sops`.
    pub(super) fn sops(&self, whose: Whose, args: &[&str]) -> Run {
        match whose {
            Whose::Ours => self.run(self.path("sops"), args),
            Whose::Theirs => self.run(peer::SOPS.path(), args),
        }
    }

    /// Ours behind its own name.
    pub(super) fn kubeseal(&self, args: &[&str]) -> Run {
        self.run(ours::kubeseal(), args)
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

/// A report without its frame.
pub(super) fn unwrapped(report: &str) -> String {
    let words = report.split_whitespace().filter(|word| *word != "|");
    words.collect::<Vec<_>>().join(" ")
}
