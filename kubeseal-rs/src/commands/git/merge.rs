//! `git merge`: the merge driver. Clear text stays in memory; what cannot be merged stays a conflict of encrypted texts.

mod keys;

use std::path::PathBuf;

use decryptor::format::Format;
use decryptor::sops::metadata::MetadataError;
use decryptor::sops::{Closing, Encrypted, ReadError};
use zeroize::Zeroizing;

use self::keys::Versions;
use crate::error::CommandError;
use crate::files;
use crate::git;
use crate::sops::found::is_marked;
use crate::sops::opening::Opening;
use crate::sops::rewrite::now;
use crate::sops::{data_key, failure, source};
use crate::ui::Ui;

/// Which versions of which file.
pub(crate) struct Args {
    /// The version that both come from. Empty if there is none.
    pub(crate) base: PathBuf,
    /// Our version, which the result replaces.
    pub(crate) ours: PathBuf,
    /// Their version.
    pub(crate) theirs: PathBuf,
    /// The name of the file in the repository.
    pub(crate) path: PathBuf,
    /// How long marks of conflicts are.
    pub(crate) marker_size: u16,
    /// How they are opened.
    pub(crate) opening: Opening,
}

/// What came of a merge.
enum Merged {
    /// An encrypted file.
    Whole(Vec<u8>),
    /// Neither side is encrypted: it is Git's own business.
    NotEncrypted,
}

/// Git takes this for a conflict. More than 128 would stop the whole merge.
const CONFLICT: u8 = 1;

/// Merges both sides into ours. If that cannot be, leaves a conflict as Git itself would.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let shown = args.path.display();
    match merged(args, ui) {
        Ok(Merged::Whole(bytes)) => files::replace(&args.ours, &bytes),
        Ok(Merged::NotEncrypted) => match by_lines(args)? {
            true => Ok(()),
            false => {
                Err(CommandError::new(format!("{shown}: a conflict in clear text")).code(CONFLICT))
            }
        },
        Err(error) => {
            by_lines(args)?;
            Err(error.at(&shown).code(CONFLICT).hint(format!(
                "take one side with git checkout --ours -- {shown} (or --theirs), bring in the other's changes with \
                 kubeseal edit or set, and git add it"
            )))
        }
    }
}

/// Has Git merge the texts as they are, line by line. Returns whether there was no conflict.
fn by_lines(args: &Args) -> Result<bool, CommandError> {
    let size = format!("--marker-size={}", args.marker_size);
    let words = [
        "merge-file",
        "-q",
        &size,
        "-L",
        "ours",
        "-L",
        "base",
        "-L",
        "theirs",
    ];
    let mut words: Vec<&std::ffi::OsStr> = words.map(std::ffi::OsStr::new).to_vec();
    words.extend([&args.ours, &args.base, &args.theirs].map(|path| path.as_os_str()));
    let (code, _, _) = git::run_if(&words)?;
    Ok(code == 0)
}

fn merged(args: &Args, ui: &mut Ui) -> Result<Merged, CommandError> {
    let [base, ours, theirs] =
        [&args.base, &args.ours, &args.theirs].map(|path| source::read(path));
    let (base, ours, theirs) = (base?, ours?, theirs?);
    let format = Format::of(&args.path);
    if is_plain(&ours, format) && is_plain(&theirs, format) {
        return Ok(Merged::NotEncrypted);
    }
    let base = match base.is_empty() {
        true => None,
        false => Some(document(&base, format, "the version that both come from")?),
    };
    let versions = Versions::open(
        base,
        document(&ours, format, "our version")?,
        document(&theirs, format, "their version")?,
        &args.opening,
        ui,
    )?;
    let plain = versions.ours.plain.merge(
        versions.base.as_ref().map(|base| &base.plain),
        &versions.theirs.plain,
    );
    let plain = plain.map_err(|e| CommandError::new("not merged").because(e))?;
    let (metadata, taken) = versions.metadata(&data_key::env())?;
    if let Some(note) = &taken.note {
        ui.note(format!("{}: {note}", args.path.display()));
    }
    let closing = Closing {
        metadata,
        now: &now(),
        previous: Some(taken.document),
    };
    let closed = plain.close_over(taken.key, closing, &taken.others);
    let closed = closed.map_err(failure::closing)?;
    let as_it_was = [&versions.ours.document, &versions.theirs.document]
        .into_iter()
        .find(|side| side.is_same_but_mac(&closed));
    Ok(Merged::Whole(
        as_it_was.unwrap_or(&closed).as_bytes().to_vec(),
    ))
}

fn document(
    text: &Zeroizing<Vec<u8>>,
    format: Format,
    which: &str,
) -> Result<Encrypted, CommandError> {
    Encrypted::parse(text, format).map_err(|e| failure::encrypted(e).at(which))
}

/// Whether a text has nothing encrypted in it.
fn is_plain(text: &[u8], format: Format) -> bool {
    match Encrypted::parse(text, format) {
        Ok(_) => false,
        Err(ReadError::Metadata(MetadataError::Missing) | ReadError::Empty) => true,
        Err(_) => !is_marked(text),
    }
}
