//! The `.sops.yaml` that counts for a file: from the working folder upwards as sops looks, else from the file upwards.

use std::path::{Path, PathBuf, absolute};

use decryptor::sops::config::{Config, CreationRule};

use crate::error::CommandError;
use crate::files;
use crate::ui::Ui;

const NAME: &str = ".sops.yaml";
/// What people write by mistake.
const MISNAMED: &str = ".sops.yml";
/// Folders looked through on the way up, as sops does.
const MOST_LEVELS: usize = 100;

/// Which configuration was asked for.
#[derive(Clone, Default)]
pub(crate) struct ConfigChoice {
    /// This file, and no other.
    pub(crate) named: Option<PathBuf>,
}

/// A configuration file, read.
pub(crate) struct ConfigFile {
    path: PathBuf,
    config: Config,
}

impl ConfigChoice {
    /// Reads the file that was named, or looks for one. Returns `None` if there is none.
    pub(crate) fn find(
        &self,
        target: &Path,
        ui: &mut Ui,
    ) -> Result<Option<ConfigFile>, CommandError> {
        if let Some(path) = &self.named {
            return ConfigFile::read(path, ui).map(Some);
        }
        let here = full(Path::new("."))?;
        if let Some(path) = upwards(&here, ui) {
            return ConfigFile::read(&path, ui).map(Some);
        }
        nearest(&full(target)?, ui)
    }
}

/// In a tree of several projects the nearest configuration counts that has a rule for the file.
fn nearest(target: &Path, ui: &mut Ui) -> Result<Option<ConfigFile>, CommandError> {
    let mut folder = target.parent().map(Path::to_owned);
    let mut first = None;
    while let Some(path) = folder.and_then(|folder| upwards(&folder, ui)) {
        let found = ConfigFile::read(&path, ui)?;
        if found.rule_for(target)?.is_some() {
            return Ok(Some(found));
        }
        folder = path.ancestors().nth(2).map(Path::to_owned);
        first.get_or_insert(found);
    }
    Ok(first)
}

/// The next configuration file in a folder or above it.
fn upwards(folder: &Path, ui: &mut Ui) -> Option<PathBuf> {
    for folder in folder.ancestors().take(MOST_LEVELS) {
        let path = folder.join(NAME);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(MISNAMED).is_file() {
            ui.warn(format!(
                "{} is not read: the configuration's name is {NAME}",
                folder.join(MISNAMED).display()
            ));
        }
    }
    None
}

fn full(path: &Path) -> Result<PathBuf, CommandError> {
    absolute(path).map_err(|e| {
        CommandError::new(format!("cannot tell where {} is", path.display())).because(e)
    })
}

impl ConfigFile {
    fn read(path: &Path, ui: &mut Ui) -> Result<Self, CommandError> {
        let text = files::read(path).map_err(|e| {
            CommandError::new(format!("could not read config file {}", path.display())).because(e)
        })?;
        let config = Config::parse(&text).map_err(|e| {
            CommandError::new(format!("error loading config: {}", path.display())).because(e)
        })?;
        for warning in &config.warnings {
            ui.warn(format!("{}: {warning}", path.display()));
        }
        Ok(Self {
            path: full(path)?,
            config,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it has rules, be they none.
    pub(crate) fn has_rules(&self) -> bool {
        self.config.has_rules()
    }

    /// The rule for a file: its path is matched relative to the configuration's folder if it lies in it.
    pub(crate) fn rule_for(&self, target: &Path) -> Result<Option<&CreationRule>, CommandError> {
        let target = full(target)?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let inside = target.strip_prefix(folder).unwrap_or(&target);
        Ok(self.config.rule_for(&inside.to_string_lossy()))
    }
}
