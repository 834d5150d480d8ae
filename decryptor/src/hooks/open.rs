//! Opens many SOPS documents with the keys at hand, on all cores. All of them open, or the hook fails.

use std::path::Path;

use indexmap::IndexSet;
use keys::{DecryptionOrder, Env, Plaintext};

use super::failure::Failure;
use super::files;
use crate::format::Format;
use crate::program::{parallel, wait};
use crate::sops::metadata::MetadataError;
use crate::sops::{Encrypted, OpenError, Plain, ReadError, Warning};

/// Files to open, each once.
#[derive(Default)]
pub(super) struct Wanted {
    paths: IndexSet<String>,
}

/// Files that were opened, by the numbers that [`Wanted::add`] gave.
pub(super) struct Opened {
    /// What each holds.
    pub(super) texts: Vec<Plaintext>,
    /// What people should know of them.
    pub(super) warnings: Vec<String>,
}

impl Wanted {
    /// Adds a file, and returns its number.
    pub(super) fn add(&mut self, path: &str) -> usize {
        self.paths.insert_full(path.to_owned()).0
    }

    /// The file of a number.
    pub(super) fn path(&self, number: usize) -> &str {
        self.paths.get_index(number).map_or("", String::as_str)
    }

    /// Opens all of them, on so many threads at most.
    pub(super) fn open(&self, env: &Env, threads: usize) -> Result<Opened, Failure> {
        let paths: Vec<&str> = self.paths.iter().map(String::as_str).collect();
        let results = parallel::map_at_most(&paths, threads, |path| open(Path::new(path), env));
        let mut opened = Opened {
            texts: Vec::with_capacity(paths.len()),
            warnings: Vec::new(),
        };
        let mut failures = Vec::new();
        for (path, result) in paths.iter().zip(results) {
            match result {
                Ok((text, warnings)) => {
                    let warnings = warnings.iter().map(|warning| format!("{path}: {warning}"));
                    opened.warnings.extend(warnings);
                    opened.texts.push(text);
                }
                Err(failure) => failures.push(((*path).to_owned(), failure)),
            }
        }
        match Failure::all(failures) {
            None => Ok(opened),
            Some(failure) => Err(failure),
        }
    }
}

/// A file in clear, as `sops decrypt` prints it, and what people should know of it.
fn open(path: &Path, env: &Env) -> Result<(Plaintext, Vec<Warning>), Failure> {
    let format = Format::of(path);
    let text = std::mem::take(&mut *files::read(path)?);
    let document = Encrypted::take(text, format).map_err(|e| unreadable(&e, format))?;
    let groups = &document.metadata().key_groups;
    let key = wait::block_on(groups.recover(env, &DecryptionOrder::default()))
        .map_err(|e| Failure::new(e.to_string()))?
        .map_err(|e| Failure::new(e.to_string()))?;
    let plain = document.open(&key).map_err(|e| unopened(&e))?;
    let plain = match document.read_as() == plain.format() {
        true => plain,
        false => plain.convert(document.read_as()).map_err(no_form)?,
    };
    let text = plain.in_the_layout_of_sops().map_err(no_form)?;
    Ok((text, Plain::warnings(&plain).to_vec()))
}

fn unreadable(error: &ReadError, format: Format) -> Failure {
    let failure = match error {
        ReadError::Metadata(MetadataError::Missing) | ReadError::Empty => {
            Failure::new("sops metadata not found")
                .hint("it is not encrypted: encrypt it, or list it in the kustomization itself")
        }
        error => Failure::new("cannot read the document").because(error),
    };
    match format {
        Format::Binary => failure.hint(
            "a file whose name ends in none of .yaml, .yml, .json, .env and .ini is taken for a binary one",
        ),
        _ => failure,
    }
}

fn unopened(error: &OpenError) -> Failure {
    match error {
        OpenError::NoMac | OpenError::MacUnreadable | OpenError::MacMismatch => {
            Failure::new("MAC mismatch").because(error).hint(
                "somebody changed the file without sops, or its history was merged by hand: compare it with its history",
            )
        }
        error => Failure::new("cannot decrypt it").because(error),
    }
}

fn no_form(error: impl ToString) -> Failure {
    Failure::new("it has no form in its format").because(error.to_string())
}
