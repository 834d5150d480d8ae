//! What the tests of Azure's keys stand on: a folder with a document and an `az`, and what both programs are told.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;
use testkit::azure::{Azure, LOGIN, TOKEN};
use testkit::cli::{self, Output, Run};
use testkit::{ours, peer};

pub(super) const TEXT: &str = "user: app\npassword: hunter2\n";

/// A folder with a document in clear, and variables.
pub(super) struct Desk {
    pub(super) folder: TempDir,
    pub(super) variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// Whoever trusts a vault's authority and its address, and has these variables.
    pub(super) fn with(vault: &Azure, variables: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Self {
            folder,
            variables: Vec::new(),
        };
        desk.write("a.yaml", TEXT);
        desk.write("authority.pem", &vault.authority);
        symlink(ours::kubeseal(), desk.path("sops")).expect("a link");
        let authority = desk.path("authority.pem").to_string_lossy().into_owned();
        let own = [
            ("SSL_CERT_FILE", authority.as_str()),
            ("SOPS_AZURE_KEYVAULT_ALLOWLIST", &vault.stub.address),
            ("AZURE_AUTHORITY_HOST", LOGIN),
        ];
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        let variables = own.iter().chain(variables).map(owned).collect();
        Self { variables, ..desk }
    }

    /// Whoever has logged in with `az`.
    pub(super) fn new(vault: &Azure) -> Self {
        let mut desk = Self::with(vault, &[("AZURE_TOKEN_CREDENTIALS", "AzureCLICredential")]);
        desk.az(&format!(
            "echo '{{\"accessToken\": \"{TOKEN}\", \"expires_on\": 4102444800, \"expiresOn\": \"2100-01-01 00:00:00.000000\"}}'"
        ));
        let path = std::env::var("PATH").expect("it is set");
        let path = format!("{}:{path}", desk.path("bin").display());
        desk.variables.push(("PATH", path));
        desk
    }

    /// Puts an `az` there that keeps what it was called with.
    pub(super) fn az(&self, script: &str) {
        let kept = self.path("az.log").to_string_lossy().into_owned();
        let text = format!("#!/bin/sh\necho \"$@\" >> '{kept}'\n{script}\n");
        self.write("bin/az", &text);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path("bin/az"), executable).expect("set");
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
        self.ours(&["encrypt", "-i", "--azure-kv", key, "a.yaml"])
            .output()
    }
}

/// A report without its frame.
pub(super) fn unwrapped(report: &str) -> String {
    let words = report.split_whitespace().filter(|word| *word != "|");
    words.collect::<Vec<_>>().join(" ")
}
