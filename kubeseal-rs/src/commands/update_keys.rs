//! `updatekeys`: encrypted files get the keys that `.sops.yaml` names; their values stay as they are.

mod changes;
mod tree;

use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use keys::{Env, KeyGroups};

use self::changes::Changes;
use crate::error::CommandError;
use crate::sops::config_file::{ConfigChoice, ConfigFile};
use crate::sops::opening::Opening;
use crate::sops::rewrite::{close_anew, read, renewed};
use crate::sops::source::put_back;
use crate::sops::{data_key, failure, recipients};
use crate::ui::{self, Ui};

/// Which files.
pub(crate) struct Args {
    /// The files.
    pub(crate) paths: Vec<PathBuf>,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// The configuration that counts.
    pub(crate) config: ConfigChoice,
    /// How they are opened.
    pub(crate) opening: Opening,
    /// Whether nobody is asked.
    pub(crate) yes: bool,
    /// Whether each file is asked about and told of for itself, as sops does it. Folders are refused then.
    pub(crate) one_by_one: bool,
    /// Whether the changes are only shown.
    pub(crate) dry_run: bool,
    /// Whether a file from which somebody is removed gets another data key.
    pub(crate) rotate: bool,
}

/// Brings each file's keys up to date. One that fails does not keep the others from it.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    match args.paths.as_slice() {
        _ if args.dry_run => tree::run(args, ui),
        [path] if args.one_by_one || !path.is_dir() => update(args, path, ui),
        paths if args.one_by_one => one_by_one(args, paths, ui),
        _ => tree::run(args, ui),
    }
}

fn one_by_one(args: &Args, paths: &[PathBuf], ui: &mut Ui) -> Result<(), CommandError> {
    let mut failed = 0;
    for path in paths {
        if let Err(error) = update(args, path, ui) {
            ui.complain(&error.at(path.display()));
            failed += 1;
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(CommandError::new(format!(
            "failed updating {failed} key(s)"
        ))),
    }
}

fn update(args: &Args, path: &Path, ui: &mut Ui) -> Result<(), CommandError> {
    if path.is_dir() {
        return Err(CommandError::new("can't operate on a directory").hint("name the files in it"));
    }
    let config = args.config.find(path, ui)?;
    let wanted = wanted(config.as_deref(), path)?;
    let text = read(path).map_err(|e| e.code(1))?;
    let format = args.format.unwrap_or_else(|| Format::of(path));
    let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
    let shown = path.display();
    ui.note(format!("Syncing keys for file {shown}"));
    let changes = Changes::between(&document.metadata().key_groups, &wanted);
    if !changes.any {
        ui.note(format!("File {shown} already up to date"));
        return Ok(());
    }
    ui.print(changes.text.as_bytes())?;
    if !args.yes && !is_confirmed(ui)? {
        ui.note(format!("File {shown} left unchanged"));
        return Ok(());
    }
    let rotates = args.rotate && changes.removed;
    let updated = args.rewrap(&document, wanted, rotates, &data_key::env(), ui)?;
    put_back(path, &text, updated.as_bytes(), ui)?;
    ui.note(format!("File {shown} synced with new keys"));
    if changes.removed {
        ui.warn(args.still_known());
    }
    Ok(())
}

/// The keys that the configuration names for a file.
fn wanted(config: Option<&ConfigFile>, path: &Path) -> Result<KeyGroups, CommandError> {
    let config = config.filter(|config| config.has_rules());
    let config = config.ok_or_else(|| {
        CommandError::new("config file not found").hint("write a .sops.yaml with creation_rules")
    })?;
    recipients::of_config(config, path)
}

impl Args {
    /// What whoever was removed still knows.
    fn still_known(&self) -> &'static str {
        match self.rotate {
            true => {
                "the data key is another one; whoever was removed may have kept the values: change the secrets themselves"
            }
            false => {
                "whoever was removed may have kept the data key, which opens the file as before: rotate it \
                 (updatekeys --rotate does it at once), and change the secrets themselves"
            }
        }
    }

    /// The document for other keys, and under another data key if it `rotates`.
    fn rewrap(
        &self,
        document: &Encrypted,
        mut wanted: KeyGroups,
        rotates: bool,
        env: &Env,
        ui: &mut Ui,
    ) -> Result<Encrypted, CommandError> {
        let (plain, key) = self.opening.open(document, env, ui)?;
        if rotates {
            let mut metadata = renewed(document)?;
            metadata.key_groups = wanted;
            return close_anew(&plain, metadata, env);
        }
        data_key::wrap(&mut wanted, &key, env)?;
        document.with_key_groups(wanted).map_err(failure::encrypted)
    }
}

fn is_confirmed(ui: &mut Ui) -> Result<bool, CommandError> {
    ui.print(b"Is this okay? (y/n):")?;
    loop {
        let answer = ui::answer().map_err(|e| {
            CommandError::new("nobody has said yes or no")
                .because(e)
                .hint("--yes says it")
        })?;
        match answer.as_str() {
            "y" | "Y" => return Ok(true),
            "n" | "N" => return Ok(false),
            _ => ui.print(b"Is this okay? (y/n):")?,
        }
    }
}
