//! A person with a folder and variables of their own, who runs sops or us.

use std::{collections::BTreeMap, fs, path::PathBuf};

use keys::Env;
use serde_json::Value;
use tempfile::TempDir;
use testkit::{cli, peer};

/// What is in every document.
pub(crate) const SECRET: &str = r#"{"password": "correct horse"}"#;

/// A person's folder and variables, the same for sops and for us.
pub(crate) struct Person {
    pub(crate) folder: TempDir,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Person {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let path = std::env::var("PATH").expect("PATH is text");
        let home = folder.path().display().to_string();
        let variables = [("HOME", home), ("PATH", path)];
        Self {
            folder,
            variables: variables.map(|(k, v)| (k.to_owned(), v)).into(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("it can be made");
        fs::write(&path, text).expect("the folder is ours");
        path
    }

    pub(crate) fn env(&self) -> Env {
        self.variables.iter().collect()
    }

    pub(crate) fn run(&self, program: &peer::GoProgram<'_>) -> cli::Run {
        let run = cli::run(program.path()).folder(self.folder.path());
        let variables = self.variables.iter();
        variables.fold(run, |run, (name, value)| run.env(name, value))
    }

    /// A document that sops encrypted with these arguments.
    pub(crate) fn encrypted(&self, args: &[&str]) -> Value {
        let plain = self.write("plain.json", SECRET);
        let run = self.run(&peer::SOPS).args(["encrypt"]);
        let text = run.args(args.iter().copied()).arg(plain).ok();
        serde_json::from_str(&text).expect("sops writes JSON for JSON")
    }

    /// Has sops decrypt a document.
    pub(crate) fn decrypts(&self, document: &Value) -> cli::Output {
        let file = self.write("encrypted.json", &document.to_string());
        self.run(&peer::SOPS).args(["decrypt"]).arg(file).output()
    }
}
