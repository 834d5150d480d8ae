//! `updatekeys`: encrypted files get the keys that `.sops.yaml` names; their values stay as they are.

use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use keys::KeyGroups;

use crate::error::CommandError;
use crate::files;
use crate::sops::config_file::ConfigChoice;
use crate::sops::opening::Opening;
use crate::sops::rewrite::read;
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
}

/// Brings each file's keys up to date. One that fails does not keep the others from it.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    if let [path] = args.paths.as_slice() {
        return update(args, path, ui);
    }
    let mut failed = 0;
    for path in &args.paths {
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
    let config = args
        .config
        .find(path, ui)?
        .filter(|config| config.has_rules());
    let config = config.ok_or_else(|| {
        CommandError::new("config file not found").hint("write a .sops.yaml with creation_rules")
    })?;
    let wanted = recipients::of_config(&config, path)?;
    let text = read(path).map_err(|e| e.code(1))?;
    let format = args.format.unwrap_or_else(|| Format::of(path));
    let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
    let present = &document.metadata().key_groups;
    let shown = path.display();
    ui.note(format!("Syncing keys for file {shown}"));
    let changes = Changes::between(present, &wanted);
    if !changes.any {
        ui.note(format!("File {shown} already up to date"));
        return Ok(());
    }
    ui.print(changes.text.as_bytes())?;
    if !args.yes && !is_confirmed(ui)? {
        ui.note(format!("File {shown} left unchanged"));
        return Ok(());
    }
    let env = data_key::env();
    let (_, key) = args.opening.open(&document, &env, ui)?;
    let mut wanted = wanted;
    data_key::wrap(&mut wanted, &key, &env)?;
    let updated = document
        .with_key_groups(wanted)
        .map_err(failure::encrypted)?;
    files::replace(path, updated.as_bytes())?;
    ui.note(format!("File {shown} synced with new keys"));
    if changes.removed {
        ui.warn("whoever was removed may have kept the data key: rotate it, and change the secrets themselves");
    }
    Ok(())
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

/// What is different between the keys that a document has and those that it should have.
struct Changes {
    text: String,
    any: bool,
    removed: bool,
}

impl Changes {
    fn between(present: &KeyGroups, wanted: &KeyGroups) -> Self {
        let mut changes = Self {
            text: "The following changes will be made to the file's groups:\n".to_owned(),
            any: false,
            removed: false,
        };
        let names = |groups: &KeyGroups, number: usize| -> Vec<String> {
            let keys = groups.groups.get(number).map(|group| &group.keys);
            keys.into_iter()
                .flatten()
                .map(|entry| entry.key.to_string())
                .collect()
        };
        for number in 0..present.groups.len().max(wanted.groups.len()) {
            let (before, after) = (names(present, number), names(wanted, number));
            changes.text += &format!("Group {}\n", number + 1);
            for name in &before {
                match after.contains(name) {
                    true => changes.text += &format!("    {name}\n"),
                    false => {
                        changes.text += &format!("--- {name}\n");
                        (changes.any, changes.removed) = (true, true);
                    }
                }
            }
            for name in after.iter().filter(|name| !before.contains(name)) {
                changes.text += &format!("+++ {name}\n");
                changes.any = true;
            }
        }
        if present.threshold != wanted.threshold {
            let (before, after) = (present.threshold, wanted.threshold);
            changes.text += &format!("shamir_threshold: {before} -> {after}\n");
            changes.any = true;
        }
        changes
    }
}
