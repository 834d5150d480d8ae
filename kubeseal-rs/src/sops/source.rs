//! Where a document comes from and its result goes.

use std::io;
use std::path::{Path, PathBuf};

use decryptor::format::Format;
use zeroize::Zeroizing;

use super::exit;
use super::rewrite::changed_meanwhile;
use crate::error::CommandError;
use crate::files::{self, Swapped};
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

    /// What is said of a document that cannot be read: mostly another format was meant.
    pub(crate) fn taken_for(&self, error: CommandError) -> CommandError {
        let is_guess = self.format.is_none() && self.format() == Format::Binary;
        match (is_guess, &self.place) {
            (false, _) => error,
            (true, Place::File(path)) => error.hint(format!(
                "{} has no ending of another format, and is taken for a binary file: --input-type yaml says else",
                path.display()
            )),
            (true, Place::Stdin) => error.hint(
                "standard input is taken for a binary file: --input-type yaml says else",
            ),
        }
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
        io::ErrorKind::NotFound => missing(path),
        _ => unreadable(path, e),
    })
}

/// A file that is not there.
pub(crate) fn missing(path: &Path) -> CommandError {
    let shown = path.display().to_string();
    CommandError::new(format!(
        "Error: cannot operate on non-existent file {shown:?}"
    ))
    .code(exit::NO_FILE)
    .of(path)
}

/// A file that is there and cannot be read.
pub(crate) fn unreadable(path: &Path, error: io::Error) -> CommandError {
    let is_folder = error.kind() == io::ErrorKind::IsADirectory;
    let failed = CommandError::new(format!("Error reading file {}", path.display()))
        .because(error)
        .code(exit::UNREADABLE)
        .of(path);
    match is_folder {
        true => failed.hint("name a file in it"),
        false => failed,
    }
}

fn unwritable(error: CommandError) -> CommandError {
    error.code(exit::UNWRITABLE)
}

impl Target {
    /// Puts an encrypted document there, whole or not at all; `before` is what the source held.
    pub(crate) fn write(
        &self,
        bytes: &[u8],
        source: &Source,
        before: &[u8],
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        match (self, self.path(source)) {
            (Self::InPlace, Some(path)) => put_back(path, before, bytes, ui),
            (_, Some(path)) => files::replace_shared(path, bytes).map_err(unwritable),
            (_, None) => ui.print(bytes),
        }
    }

    /// Puts clear text there. Another file than the source itself is readable by its owner only.
    pub(crate) fn write_secret(
        &self,
        bytes: &[u8],
        source: &Source,
        before: &[u8],
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        match (self, self.path(source)) {
            (Self::InPlace, Some(path)) => put_back(path, before, bytes, ui),
            (_, Some(path)) => files::replace_secret(path, bytes).map_err(unwritable),
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

/// Puts what has become of a file in its place, unless somebody else has written to it since it was read.
pub(crate) fn put_back(
    path: &Path,
    before: &[u8],
    after: &[u8],
    ui: &mut Ui,
) -> Result<(), CommandError> {
    match swap(path, before, after, ui)? {
        Swapped::Done => Ok(()),
        Swapped::ChangedMeanwhile => Err(changed_meanwhile(path)),
    }
}

/// As [`put_back`], for those who know what to do if somebody else has.
pub(crate) fn swap(
    path: &Path,
    before: &[u8],
    after: &[u8],
    ui: &mut Ui,
) -> Result<Swapped, CommandError> {
    let others = files::names(path).saturating_sub(1);
    let swapped = files::swap(path, before, after).map_err(unwritable)?;
    if swapped == Swapped::Done && others > 0 {
        ui.warn(format!(
            "{} has other names (hard links: {others}), under which it stays as it was",
            path.display()
        ));
    }
    Ok(swapped)
}
