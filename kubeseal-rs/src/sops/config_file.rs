//! The `.sops.yaml` that counts for a file: from the working folder upwards as sops looks, else from the file upwards.

use std::collections::HashMap;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use decryptor::sops::config::{Config, CreationRule};

use crate::error::CommandError;
use crate::files;
use crate::ui::Ui;

/// The configuration's name.
pub(crate) const NAME: &str = ".sops.yaml";
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
    /// The file that counts for a target. Returns `None` if there is none.
    pub(crate) fn find(
        &self,
        target: &Path,
        ui: &mut Ui,
    ) -> Result<Option<Arc<ConfigFile>>, CommandError> {
        self.finder().find(target, ui)
    }

    /// Finds the files for many targets, and reads each once.
    pub(crate) fn finder(&self) -> Finder {
        Finder {
            choice: self.clone(),
            read: HashMap::new(),
            above: HashMap::new(),
        }
    }
}

/// Configuration files that were found and read.
pub(crate) struct Finder {
    choice: ConfigChoice,
    read: HashMap<PathBuf, Arc<ConfigFile>>,
    /// By folder, the next one there or above.
    above: HashMap<PathBuf, Option<PathBuf>>,
}

impl Finder {
    /// Reads the file that was named, or looks for one. Returns `None` if there is none.
    pub(crate) fn find(
        &mut self,
        target: &Path,
        ui: &mut Ui,
    ) -> Result<Option<Arc<ConfigFile>>, CommandError> {
        if let Some(path) = self.choice.named.clone() {
            return self.read(&path, ui).map(Some);
        }
        let here = full(Path::new("."))?;
        if let Some(path) = self.upwards(&here, ui) {
            return self.read(&path, ui).map(Some);
        }
        self.nearest(&full(target)?, ui)
    }

    /// In a tree of several projects the nearest configuration counts that has a rule for the file.
    fn nearest(
        &mut self,
        target: &Path,
        ui: &mut Ui,
    ) -> Result<Option<Arc<ConfigFile>>, CommandError> {
        let mut folder = target.parent().map(Path::to_owned);
        let mut first = None;
        while let Some(path) = folder.and_then(|folder| self.upwards(&folder, ui)) {
            let found = self.read(&path, ui)?;
            if found.rule_for(target)?.is_some() {
                return Ok(Some(found));
            }
            folder = path.ancestors().nth(2).map(Path::to_owned);
            first.get_or_insert(found);
        }
        Ok(first)
    }

    fn upwards(&mut self, folder: &Path, ui: &mut Ui) -> Option<PathBuf> {
        if let Some(known) = self.above.get(folder) {
            return known.clone();
        }
        let found = upwards(folder, ui);
        self.above.insert(folder.to_owned(), found.clone());
        found
    }

    fn read(&mut self, path: &Path, ui: &mut Ui) -> Result<Arc<ConfigFile>, CommandError> {
        if let Some(known) = self.read.get(path) {
            return Ok(Arc::clone(known));
        }
        let file = Arc::new(ConfigFile::read(path, ui)?);
        self.read.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }
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

    /// Whether the rule for a file says so by its path. A rule for every file says nothing of which files hold secrets.
    pub(crate) fn names(&self, target: &Path) -> Result<bool, CommandError> {
        let rule = self.rule_for(target)?;
        Ok(rule.is_some_and(CreationRule::names_paths))
    }
}
