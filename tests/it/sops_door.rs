//! Our client under the name of `sops`, beside the real one: the same command lines, the same files, the same ends.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use testkit::cli::{self, Output, Run};
use testkit::{ours, peer};

mod by_flags;
mod changes;
mod commands;
mod completions;
mod configuration;
mod editing;
mod faults;
mod first_hour;
mod formats;
mod git;
mod groups;
mod kustomize;
mod list_items;
mod lossless;
mod programs;
mod real_users;
mod recipients;
mod trees;
mod update;
mod verify;

/// A folder of files, an age identity in it, and both programs.
struct Desk {
    folder: TempDir,
    recipient: String,
}

/// Which program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Theirs,
    Ours,
}

const BOTH: [Whose; 2] = [Whose::Theirs, Whose::Ours];

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let recipient = identity(&folder.path().join("key.txt"));
        symlink(ours::kubeseal(), folder.path().join("sops")).expect("a link");
        Self { folder, recipient }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn sops(&self, whose: Whose, args: &[&str]) -> Run {
        let program = match whose {
            Whose::Theirs => peer::SOPS.path(),
            Whose::Ours => self.path("sops"),
        };
        self.with_keys(cli::run(program)).args(args.iter().copied())
    }

    /// Our program under its own name.
    fn kubeseal(&self, args: &[&str]) -> Run {
        self.with_keys(cli::run(ours::kubeseal()))
            .args(args.iter().copied())
    }

    fn with_keys(&self, run: Run) -> Run {
        run.env("SOPS_AGE_KEY_FILE", self.path("key.txt"))
            .folder(self.folder.path())
    }

    /// All files below a folder, by name.
    fn files(&self, folder: &str) -> Vec<String> {
        let listed = cli::run("find")
            .folder(self.path(folder))
            .args([".", "-type", "f"])
            .ok();
        let mut names: Vec<String> = listed
            .lines()
            .map(|line| line.trim_start_matches("./").to_owned())
            .collect();
        names.sort();
        names
    }

    /// Encrypts a file in place to the identity at hand.
    fn encrypt(&self, whose: Whose, name: &str) {
        self.sops(whose, &["encrypt", "-i", "--age", &self.recipient, name])
            .ok();
    }

    /// What an encrypted JSON file says of its encryption.
    fn metadata(&self, text: &str) -> Value {
        let document: Value = serde_json::from_str(text).expect("JSON");
        document["sops"].clone()
    }
}

/// Makes an age identity; returns its recipient.
fn identity(path: &Path) -> String {
    let text = cli::run(peer::AGE_KEYGEN.path()).ok();
    fs::write(path, &text).expect("written");
    let recipient = text
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    recipient.expect("age-keygen names it").to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o777
}

/// Everything that was printed.
fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        output.stderr
    )
}
