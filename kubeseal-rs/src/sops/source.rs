//! Where a document comes from and its result goes.

use std::io;
use std::path::{Path, PathBuf};

use decryptor::format::Format;
use zeroize::Zeroizing;

use super::exit;
use crate::error::CommandError;
use crate::files;
use crate::ui::Ui;

/// A document to read.
pub(crate) struct Source {
    /// Where it is.
    pub(crate) place: Place,
    /// A name that stands for its own.
    pub(crate) name: Option<PathBuf>,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
}

/// Where a document is.
pub(crate) enum Place {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
}

/// Where a result goes.
pub(crate) enum Target {
    /// To standard output.
    Stdout,
    /// Into the file that it comes from.
    InPlace,
    /// Into another file.
    File(PathBuf),
}

impl Source {
    /// The name that counts for rules and formats. Empty for standard input without one.
    pub(crate) fn name(&self) -> &Path {
        match (&self.name, &self.place) {
            (Some(name), _) => name,
            (None, Place::File(path)) => path,
            (None, Place::Stdin) => Path::new(""),
        }
    }

    /// The format that was asked for, or that of the name.
    pub(crate) fn format(&self) -> Format {
        self.format.unwrap_or_else(|| Format::of(self.name()))
    }

    /// Reads it to its end.
    pub(crate) fn read(&self, ui: &mut Ui) -> Result<Zeroizing<Vec<u8>>, CommandError> {
        match &self.place {
            Place::File(path) => read(path),
            Place::Stdin => files::Input::Stdin.read("a document", ui),
        }
    }
}

/// Reads a file that was named.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    files::read(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => CommandError::new(format!(
            "Error: cannot operate on non-existent file {:?}",
            path.display().to_string()
        ))
        .code(exit::NO_FILE),
        _ => CommandError::new(format!("Error reading file {}", path.display()))
            .because(e)
            .code(exit::UNREADABLE),
    })
}

impl Target {
    /// Puts an encrypted document there, whole or not at all.
    pub(crate) fn write(
        &self,
        bytes: &[u8],
        source: &Source,
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        match self.path(source) {
            Some(path) => files::replace_shared(path, bytes),
            None => ui.print(bytes),
        }
    }

    /// Puts clear text there. Another file than the source itself is readable by its owner only.
    pub(crate) fn write_secret(
        &self,
        bytes: &[u8],
        source: &Source,
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        match (self, self.path(source)) {
            (Self::InPlace, Some(path)) => files::replace(path, bytes),
            (_, Some(path)) => files::replace_secret(path, bytes),
            (_, None) => ui.print(bytes),
        }
    }

    fn path<'a>(&'a self, source: &'a Source) -> Option<&'a Path> {
        match (self, &source.place) {
            (Self::File(path), _) | (Self::InPlace, Place::File(path)) => Some(path),
            _ => None,
        }
    }
}
