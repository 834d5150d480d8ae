//! What the client can do: one file per command.

pub(crate) mod completions;
pub(crate) mod decrypt;
pub(crate) mod edit;
pub(crate) mod encrypt;
pub(crate) mod exec_env;
pub(crate) mod exec_file;
pub(crate) mod fetch_cert;
pub(crate) mod file_status;
pub(crate) mod git;
pub(crate) mod groups;
pub(crate) mod inspect;
pub(crate) mod keyring;
pub(crate) mod man;
pub(crate) mod merge_into;
pub(crate) mod raw;
pub(crate) mod re_encrypt;
pub(crate) mod recover;
pub(crate) mod rotate;
pub(crate) mod seal;
pub(crate) mod set;
pub(crate) mod try_out;
pub(crate) mod update_keys;
pub(crate) mod validate;
pub(crate) mod verify;

use std::path::Path;

use decryptor::sops::metadata;

use crate::error::CommandError;
use crate::ui::Ui;

/// What was asked for, whichever way it was said.
pub(crate) enum Command {
    /// Seal Secrets.
    Seal(seal::Args),
    /// Seal one value.
    Raw(raw::Args),
    /// Seal values into a SealedSecret that is there.
    MergeInto(merge_into::Args),
    /// Seal SealedSecrets anew.
    ReEncrypt(re_encrypt::Args),
    /// Show the certificate.
    FetchCert(fetch_cert::Args),
    /// Check that SealedSecrets can be opened.
    Validate(validate::Args),
    /// Open SealedSecrets with private keys.
    Recover(recover::Args),
    /// Show what can be seen of SealedSecrets without a key.
    Inspect(inspect::Args),
    /// Make, list and show local keys.
    Keyring(keyring::Args),
    /// Show the whole way once.
    TryOut(try_out::Args),
    /// Encrypt a document.
    Encrypt(Box<encrypt::Args>),
    /// Encrypt many files.
    EncryptTree(Box<encrypt::tree::Args>),
    /// Decrypt a document.
    Decrypt(Box<decrypt::Args>),
    /// Decrypt many files.
    DecryptTree(Box<decrypt::tree::Args>),
    /// Edit a document.
    Edit(Box<edit::Args>),
    /// Run a command with a document's values as its variables.
    ExecEnv(exec_env::Args),
    /// Run a command with a document in clear as a file.
    ExecFile(Box<exec_file::Args>),
    /// Set or remove one value of a document.
    Change(Box<set::Args>),
    /// Give a document another data key.
    Rotate(Box<rotate::Args>),
    /// Give many files other data keys.
    RotateTree(Box<rotate::tree::Args>),
    /// Add or remove a group of a document's keys.
    Groups(Box<groups::Args>),
    /// Give documents the keys of the configuration.
    UpdateKeys(Box<update_keys::Args>),
    /// Say whether a document is encrypted.
    FileStatus(file_status::Args),
    /// Say which of many files are encrypted.
    FileStatusTree(file_status::tree::Args),
    /// Show and merge documents for Git.
    Git(git::Args),
    /// Say what is wrong with documents, without any key.
    Verify(Box<verify::Args>),
    /// Print completions for a shell.
    Completions(completions::Args),
    /// Print what may stand next on a command line of sops.
    Candidates(Vec<String>),
    /// Print the manual.
    Man(man::Args),
    /// Print the version.
    Version,
    /// Print the version of sops that this program stands for, and its own.
    SopsVersion,
}

impl Command {
    /// Does it. What fails says of which file, if there is one.
    pub(crate) fn run(self, ui: &mut Ui) -> Result<(), CommandError> {
        let file = self.file().map(Path::to_owned);
        let done = self.without_file(ui);
        done.map_err(|error| match &file {
            Some(file) => error.of(file),
            None => error,
        })
    }

    /// The one document that all of the command is about.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Encrypt(args) => Some(args.source.name()),
            Self::Decrypt(args) => Some(args.source.name()),
            Self::Change(args) => Some(&args.rewrite.path),
            Self::Rotate(args) => Some(&args.path),
            Self::Groups(args) => Some(&args.path),
            Self::FileStatus(args) => Some(&args.path),
            _ => None,
        }
    }

    fn without_file(self, ui: &mut Ui) -> Result<(), CommandError> {
        match self {
            Self::Seal(args) => seal::run(args, ui),
            Self::Raw(args) => raw::run(args, ui),
            Self::MergeInto(args) => merge_into::run(args, ui),
            Self::ReEncrypt(args) => re_encrypt::run(args, ui),
            Self::FetchCert(args) => fetch_cert::run(args, ui),
            Self::Validate(args) => validate::run(args, ui),
            Self::Recover(args) => recover::run(args, ui),
            Self::Inspect(args) => inspect::run(args, ui),
            Self::Keyring(args) => keyring::run(args, ui),
            Self::TryOut(args) => try_out::run(args, ui),
            Self::Encrypt(args) => encrypt::run(&args, ui),
            Self::EncryptTree(args) => encrypt::tree::run(&args, ui),
            Self::Decrypt(args) => decrypt::run(&args, ui),
            Self::DecryptTree(args) => decrypt::tree::run(&args, ui),
            Self::Edit(args) => edit::run(&args, ui),
            Self::ExecEnv(args) => exec_env::run(&args, ui),
            Self::ExecFile(args) => exec_file::run(&args, ui),
            Self::Change(args) => set::run(&args, ui),
            Self::Rotate(args) => rotate::run(&args, ui),
            Self::RotateTree(args) => rotate::tree::run(&args, ui),
            Self::Groups(args) => groups::run(&args, ui),
            Self::UpdateKeys(args) => update_keys::run(&args, ui),
            Self::FileStatus(args) => file_status::run(&args, ui),
            Self::FileStatusTree(args) => file_status::tree::run(&args, ui),
            Self::Git(args) => git::run(&args, ui),
            Self::Verify(args) => verify::run(&args, ui),
            Self::Completions(args) => completions::run(args, ui),
            Self::Candidates(words) => completions::candidates(&words, ui),
            Self::Man(args) => man::run(args, ui),
            Self::Version => {
                ui.print(concat!("kubeseal version: v", env!("CARGO_PKG_VERSION"), "\n").as_bytes())
            }
            Self::SopsVersion => {
                let own = concat!("kubeseal-rs v", env!("CARGO_PKG_VERSION"));
                ui.print(format!("sops {}\n{own}\n", metadata::VERSION).as_bytes())
            }
        }
    }
}
