//! Many files, and whole folders, in clear: in place, below another folder, or as one stream of YAML documents.

use std::collections::HashSet;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use decryptor::format::Format;
use keys::{Env, Plaintext};
use zeroize::Zeroizing;

use super::How;
use crate::error::CommandError;
use crate::files;
use crate::sops::each::{count, each};
use crate::sops::found::{self, Document, Found};
use crate::sops::source::put_back;
use crate::sops::stop::Stop;
use crate::sops::{data_key, exit};
use crate::ui::Ui;

/// What is decrypted, and where the results go.
pub(crate) struct Args {
    /// Files, and folders whose encrypted files are meant.
    pub(crate) paths: Vec<PathBuf>,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// Where the results go.
    pub(crate) target: Target,
    /// How they are decrypted.
    pub(crate) how: How,
}

/// Where clear texts go.
pub(crate) enum Target {
    /// Nowhere: it is only found out whether they open.
    DryRun,
    /// One after the other to standard output.
    Stdout,
    /// Each into its own file.
    InPlace,
    /// Below another folder, each at the place that it has below its own.
    Folder(PathBuf),
}

/// Decrypts them. Files that open are written even if others do not; standard output gets all or nothing.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let (found, env, stop) = (found::find(&args.paths)?, data_key::env(), Stop::listen()?);
    if let Target::Stdout = args.target {
        return print(args, &found, &env, &stop, ui);
    }
    let items = with_places(&found, &args.target);
    let outcomes = each(&items, "decrypted", &stop, ui, |(found, place), ui| {
        let Some(Document { text, document }) = found.read(args.format)? else {
            return Ok(false);
        };
        let clear = args.how.clear(&document, &env, ui)?;
        match (&args.target, place) {
            (Target::InPlace, _) => put_back(&found.path, &text, clear.expose_secret(), ui)?,
            (Target::Folder(_), place) => place.write(&found.path, &clear)?,
            (Target::DryRun | Target::Stdout, _) => {}
        }
        Ok(true)
    });
    let done = outcomes.encrypted(ui);
    let verb = match args.target {
        Target::DryRun => "can decrypt",
        _ => "decrypted",
    };
    outcomes.finish(&format!("{verb} {}", count(done)), ui)
}

/// Where a file's clear text goes.
enum Place {
    /// It needs none, for it goes nowhere or into the file itself.
    None,
    /// There.
    Free(PathBuf),
    /// Another file's goes there.
    Taken(PathBuf),
}

fn with_places<'a>(found: &'a [Found], target: &Target) -> Vec<(&'a Found, Place)> {
    let mut taken = HashSet::new();
    let place = |found: &'a Found| match target {
        Target::Folder(folder) => {
            let path = folder.join(&found.below);
            match taken.insert(path.clone()) {
                true => (found, Place::Free(path)),
                false => (found, Place::Taken(path)),
            }
        }
        _ => (found, Place::None),
    };
    found.iter().map(place).collect()
}

impl Place {
    fn write(&self, source: &Path, clear: &Plaintext) -> Result<(), CommandError> {
        let path = match self {
            Self::None => return Ok(()),
            Self::Free(path) => path,
            Self::Taken(path) => {
                return Err(CommandError::new(format!(
                    "another file goes to {} too",
                    path.display()
                ))
                .hint("decrypt one folder after the other, each to a folder of its own"));
            }
        };
        let is_source = fs::canonicalize(path).ok() == fs::canonicalize(source).ok();
        if is_source {
            return Err(
                CommandError::new("it would be overwritten with its clear text")
                    .hint("if that is meant, say --in-place"),
            );
        }
        if let Some(folder) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|e| {
                CommandError::new(format!("cannot make {}", folder.display())).because(e)
            })?;
        }
        files::replace_secret(path, clear.expose_secret())
    }
}

fn print(
    args: &Args,
    found: &[Found],
    env: &Env,
    stop: &Stop,
    ui: &mut Ui,
) -> Result<(), CommandError> {
    let outcomes = each(found, "decrypted", stop, ui, |found, ui| {
        let Some(Document { document, .. }) = found.read(args.format)? else {
            return Ok(None);
        };
        if args.how.format_of(&document) != Format::Yaml {
            return Err(CommandError::new(
                "only YAML documents can stand one after the other",
            )
            .code(exit::CONFLICTING_FLAGS)
            .hint("write each into its own file with --in-place, or below a folder with --output-dir; or all as YAML with --output-type yaml"));
        }
        args.how.clear(&document, env, ui).map(Some)
    });
    outcomes.check("nothing was printed")?;
    let clear: Vec<_> = outcomes.good.into_iter().flatten().collect();
    if clear.is_empty() {
        ui.warn("there is no encrypted file in these folders");
    }
    ui.print(&stream(&clear))
}

/// One stream of documents. A text that has a separator of its own before its first value gets no other one.
fn stream(texts: &[Plaintext]) -> Zeroizing<Vec<u8>> {
    const SEPARATOR: &[u8] = b"---\n";
    let length = texts.iter().map(Plaintext::len).sum::<usize>();
    let mut all = Zeroizing::new(Vec::with_capacity(
        length + texts.len() * (SEPARATOR.len() + 5),
    ));
    for text in texts {
        let text = text.expose_secret();
        match Begin::of(text) {
            Begin::Value => all.extend_from_slice(SEPARATOR),
            Begin::Separator => {}
            Begin::Directive if all.is_empty() => {}
            Begin::Directive => all.extend_from_slice(b"...\n"),
        }
        all.extend_from_slice(text);
        if !text.ends_with(b"\n") {
            all.push(b'\n');
        }
    }
    all
}

/// How a YAML text begins, behind comments.
#[derive(Debug, PartialEq, Eq)]
enum Begin {
    Value,
    Separator,
    Directive,
}

impl Begin {
    fn of(text: &[u8]) -> Self {
        let mut lines = text.split(|byte| *byte == b'\n');
        let first = lines.find(|line| {
            let line = line.trim_ascii();
            !line.is_empty() && !line.starts_with(b"#")
        });
        match first {
            Some(line) if line.starts_with(b"%") => Self::Directive,
            Some(line) if line.starts_with(b"---") => Self::Separator,
            _ => Self::Value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_one_document_per_text() {
        let all = |texts: &[&str]| {
            let texts: Vec<_> = texts
                .iter()
                .map(|text| Plaintext::new(text.as_bytes().to_vec()))
                .collect();
            String::from_utf8(stream(&texts).to_vec()).unwrap()
        };
        assert_eq!(all(&["a: 1\n", "b: 2"]), "---\na: 1\n---\nb: 2\n");
        assert_eq!(
            all(&["a: 1\n", "# of b\n---\nb: 2\n", "%YAML 1.1\n---\nc: 3\n"]),
            "---\na: 1\n# of b\n---\nb: 2\n...\n%YAML 1.1\n---\nc: 3\n"
        );
        assert_eq!(all(&[]), "");
    }
}
