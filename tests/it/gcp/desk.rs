//! What the tests of Google's keys stand on: a folder with a document, and what both programs are told.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;
use testkit::cli::{self, Output, Run};
use testkit::gcp::Gcp;
use testkit::{ours, peer};

pub(super) const TEXT: &str = "user: app\npassword: hunter2\n";

/// A folder with a document in clear, and variables.
pub(super) struct Desk {
    pub(super) folder: TempDir,
    pub(super) variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// With nothing but variables.
    pub(super) fn bare(variables: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.yaml"), TEXT).expect("written");
        symlink(ours::kubeseal(), folder.path().join("sops")).expect("a link");
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        Self {
            folder,
            variables: variables.iter().map(owned).collect(),
        }
    }

    /// With a server's address and more variables.
    pub(super) fn with(cloud: &Gcp, variables: &[(&'static str, &str)]) -> Self {
        let place = [
            ("SOPS_GCP_KMS_ENDPOINT", cloud.stub.address.as_str()),
            // The original speaks gRPC without it.
            ("SOPS_GCP_KMS_CLIENT_TYPE", "rest"),
        ];
        Self::bare(&[&place, variables].concat())
    }

    /// With a server's address and a token.
    pub(super) fn new(cloud: &Gcp, token: &str) -> Self {
        Self::with(cloud, &[("GOOGLE_OAUTH_ACCESS_TOKEN", token)])
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
        let variables = self.variables.iter();
        let run = variables.fold(run, |run, (name, value)| run.env(*name, value));
        run.args(args.iter().copied())
    }

    /// Ours behind the name `sops`.
    pub(super) fn ours(&self, args: &[&str]) -> Run {
        self.run(self.path("sops"), args)
    }

    /// Ours behind its own name.
    pub(super) fn kubeseal(&self, args: &[&str]) -> Run {
        self.run(ours::kubeseal(), args)
    }

    pub(super) fn theirs(&self, args: &[&str]) -> Run {
        self.run(peer::SOPS.path(), args)
    }

    /// Encrypts the document, by ours.
    pub(super) fn encrypt(&self, key: &str) -> Output {
        self.ours(&["encrypt", "-i", "--gcp-kms", key, "a.yaml"])
            .output()
    }
}

/// A report without its frame.
pub(super) fn unwrapped(report: &str) -> String {
    let words = report.split_whitespace().filter(|word| *word != "|");
    words.collect::<Vec<_>>().join(" ")
}
