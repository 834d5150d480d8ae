//! A folder with a document in clear, and what both programs are told when they work in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::{self, Run};
use crate::{ours, peer};

/// The document's text.
pub const TEXT: &str = "user: app\npassword: hunter2\n";

/// A folder with a document, `a.yaml`, and variables.
pub struct Desk {
    folder: TempDir,
    /// What both programs are told besides.
    pub variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// With these variables.
    pub fn with(variables: &[(&'static str, &str)]) -> Self {
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        let desk = Self {
            folder: tempfile::tempdir().expect("a folder"),
            variables: variables.iter().map(owned).collect(),
        };
        desk.write("a.yaml", TEXT);
        symlink(ours::kubeseal(), desk.path("sops")).expect("a link");
        desk
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// What a file holds.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it is there")
    }

    /// Writes a file, in whatever folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn run(&self, program: PathBuf, args: &[&str]) -> Run {
        let run = cli::run(program).folder(self.folder());
        let variables = self.variables.iter();
        let run = variables.fold(run, |run, (name, value)| run.env(*name, value));
        run.args(args.iter().copied())
    }

    /// Ours behind the name `sops`.
    pub fn ours(&self, args: &[&str]) -> Run {
        self.run(self.path("sops"), args)
    }

    /// Ours behind its own name.
    pub fn kubeseal(&self, args: &[&str]) -> Run {
        self.run(ours::kubeseal(), args)
    }

    /// The original.
    pub fn theirs(&self, args: &[&str]) -> Run {
        self.run(peer::SOPS.path(), args)
    }
}

/// A report without its frame.
pub fn unwrapped(report: &str) -> String {
    let words = report.split_whitespace().filter(|word| *word != "|");
    words.collect::<Vec<_>>().join(" ")
}
