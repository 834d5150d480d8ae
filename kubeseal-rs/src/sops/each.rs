//! Work on many files: on all cores, told of in their order, as far as a signal lets.

use std::collections::HashSet;
use std::path::Path;

use decryptor::program::parallel;

use super::found::Found;
use super::stop::Stop;
use crate::error::CommandError;
use crate::ui::{Progress, Ui};

/// Something that belongs to a file.
pub(crate) trait OfFile: Sync {
    /// The file.
    fn path(&self) -> &Path;
}

impl OfFile for Found {
    fn path(&self) -> &Path {
        &self.path
    }
}

impl<T: Sync> OfFile for (&Found, T) {
    fn path(&self) -> &Path {
        &self.0.path
    }
}

/// What came of all files.
pub(crate) struct Outcomes<T> {
    /// What was made, one per file that neither failed nor was left, in their order.
    pub(crate) good: Vec<T>,
    /// How many failed.
    failed: usize,
    /// How many were not begun.
    left: usize,
    /// The exit code that a signal asked for.
    stopped: Option<u8>,
}

/// Works on each, and tells what was wrong. One that fails does not keep the others from it; after a signal none is begun.
pub(crate) fn each<I: OfFile, T: Send>(
    items: &[I],
    doing: &'static str,
    stop: &Stop,
    ui: &mut Ui,
    work: impl Fn(&I, &mut Ui) -> Result<T, CommandError> + Sync,
) -> Outcomes<T> {
    let progress = Progress::new(doing, items.len());
    let results = parallel::map_waiting(items, |item| {
        if stop.asked().is_some() {
            return None;
        }
        let mut held = Ui::holding();
        let result = work(item, &mut held);
        progress.step();
        Some((result, held))
    });
    drop(progress);
    let mut outcomes = Outcomes {
        good: Vec::with_capacity(items.len()),
        failed: 0,
        left: 0,
        stopped: stop.asked(),
    };
    let mut told = HashSet::new();
    for (item, result) in items.iter().zip(results) {
        let place = item.path().display();
        let Some((result, held)) = result else {
            outcomes.left += 1;
            continue;
        };
        ui.warn_of(&place, held);
        match result {
            Ok(made) => outcomes.good.push(made),
            Err(error) => {
                outcomes.failed += 1;
                match told.insert(error.bare()) {
                    true => ui.complain(&error.at(place)),
                    false => ui.complain(&CommandError::new("the same").at(place)),
                }
            }
        }
    }
    outcomes
}

impl<T> Outcomes<T> {
    /// Whether all files are done.
    pub(crate) fn are_complete(&self) -> bool {
        self.failed + self.left == 0
    }

    /// Says at the end what was done with how many files; an error if some failed or were left.
    pub(crate) fn finish(&self, summary: &str, ui: &mut Ui) -> Result<(), CommandError> {
        self.check(summary)?;
        ui.note(summary);
        Ok(())
    }

    /// An error if some files failed or were left.
    pub(crate) fn check(&self, summary: &str) -> Result<(), CommandError> {
        let mut text = summary.to_owned();
        if self.failed > 0 {
            text += &format!("; {} failed", self.failed);
        }
        if self.left > 0 {
            text += &format!("; {} not begun", self.left);
        }
        match self.stopped {
            _ if self.are_complete() => Ok(()),
            Some(code) if self.left > 0 => {
                Err(CommandError::new(format!("stopped by a signal: {text}")).code(code))
            }
            _ => Err(CommandError::new(text)),
        }
    }
}

impl Outcomes<bool> {
    /// How many of the files were encrypted; where each was looked at and none was, a warning says so.
    pub(crate) fn encrypted(&self, ui: &mut Ui) -> usize {
        let done = self.good.iter().filter(|done| **done).count();
        if self.are_complete() && done == 0 {
            ui.warn("there is no encrypted file in these folders");
        }
        done
    }
}

/// How many files, in words.
pub(crate) fn count(number: usize) -> String {
    match number {
        1 => "1 file".to_owned(),
        number => format!("{number} files"),
    }
}
