//! `ksops`: a generator of kustomize, a drop-in for KSOPS 4.5.1.
//!
//! Without arguments it is a KRM function; with one, the name of a file with its settings, a plugin of the older kind.

mod environment;
mod generator;
mod install;
mod list;
mod objects;
mod secret;

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::Path;

use keys::{Env, Plaintext};
use zeroize::Zeroizing;

use super::failure::{Failure, Stop};
use super::open::{Opened, Wanted};
use super::{Done, files};
use crate::manifest;
use crate::program::parallel;
use generator::{Generator, Part};

const USAGE: &str = "\
usage: ksops < RESOURCE-LIST       as a KRM function: kustomize calls it so
       ksops FILE                  as an exec plugin: FILE has the generator's settings
       ksops install [--with-kustomize] FOLDER
                                   copies this program, and the kustomize on PATH, into a folder
";

/// How many documents are opened at the same time if nothing else is said, as in KSOPS.
const THREADS: usize = 20;
const THREADS_VARIABLE: &str = "KSOPS_CONCURRENCY_LIMIT";

/// Runs it.
pub(super) fn run(args: &[OsString]) -> Result<Done, Stop> {
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg == word);
    let with_kustomize = is(1, "--with-kustomize");
    match args {
        [] if !io::stdin().is_terminal() => function(),
        [_] if is(0, "--help") || is(0, "-h") => Ok(Done::said(USAGE)),
        [_] if is(0, "--version") => Ok(Done::said(super::version())),
        [path] if path != "install" => plugin(path),
        [_, folder] if is(0, "install") && !with_kustomize => {
            install::run(Path::new(folder), false)
        }
        [_, _, folder] if is(0, "install") && with_kustomize => {
            install::run(Path::new(folder), true)
        }
        _ => Err(Stop::Usage(USAGE.to_owned())),
    }
}

/// The KRM function: a list of resources in, the same list out, with what the generators in it generate.
fn function() -> Result<Done, Stop> {
    let text = files::read_stdin()?;
    let list = list::List::read(&text)?;
    let generators = list.generators()?;
    let work = Work::of(&generators);
    let opened = work.open()?;
    let made = parallel::map(&work.pieces, |piece| {
        let yaml = piece.yaml(&work.wanted, &opened)?;
        let read = objects::read(yaml.expose_secret());
        read.map_err(|failure| failure.at(piece.place(&work.wanted)))
    });
    let made = made.into_iter().collect::<Result<_, Failure>>()?;
    let output = list.write(&objects::sorted(made))?;
    Ok(work.done(output, opened))
}

/// The plugin of the older kind: all documents, one after the other.
fn plugin(settings: &OsStr) -> Result<Done, Stop> {
    let path = Path::new(settings);
    let text = files::read(path).map_err(|failure| failure.at(path.display()))?;
    let unreadable = |e: manifest::ReadError| Failure::new(e.to_string()).at(path.display());
    let documents = manifest::read_whole(&text).map_err(unreadable)?;
    let [document] = documents.as_slice() else {
        return Err(Failure::new("a generator is one object")
            .at(path.display())
            .into());
    };
    let generators = [Generator::read(document.value())?];
    let work = Work::of(&generators);
    let opened = work.open()?;
    let mut output = Zeroizing::new(Vec::new());
    for (at, piece) in work.pieces.iter().enumerate() {
        if at > 0 {
            output.extend_from_slice(b"---\n");
        }
        output.extend_from_slice(piece.yaml(&work.wanted, &opened)?.expose_secret());
        if !output.ends_with(b"\n") {
            output.push(b'\n');
        }
    }
    Ok(work.done(Plaintext::from(output), opened))
}

/// What generators have to do, all of them together.
struct Work<'g> {
    wanted: Wanted,
    pieces: Vec<Part<'g>>,
    warnings: Vec<String>,
}

impl<'g> Work<'g> {
    fn of(generators: &'g [Generator]) -> Self {
        let mut wanted = Wanted::default();
        let pieces = generators
            .iter()
            .flat_map(|generator| generator.parts(&mut wanted))
            .collect();
        let warnings = generators.iter().flat_map(|generator| generator.warnings());
        Self {
            warnings: warnings.collect(),
            wanted,
            pieces,
        }
    }

    /// Opens all documents, or fails.
    fn open(&self) -> Result<Opened, Failure> {
        let env = Env::from_process();
        self.wanted.open(&env, threads(&env)?)
    }

    fn done(self, output: Plaintext, opened: Opened) -> Done {
        let mut warnings = self.warnings;
        warnings.extend(opened.warnings);
        Done { output, warnings }
    }
}

fn threads(env: &Env) -> Result<usize, Failure> {
    let Some(set) = env.variable(THREADS_VARIABLE).filter(|set| !set.is_empty()) else {
        return Ok(THREADS);
    };
    let number = set.to_str().and_then(|set| set.parse::<usize>().ok());
    // More would open no faster, and the system may not have them.
    const MOST: usize = 256;
    match number {
        Some(number @ 1..) => Ok(number.min(MOST)),
        _ => Err(Failure::new(format!(
            "{THREADS_VARIABLE} is not a whole number of 1 or more"
        ))),
    }
}
