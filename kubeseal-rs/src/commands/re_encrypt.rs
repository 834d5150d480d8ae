//! Seals SealedSecrets anew for the newest key: a stream, a file in place, or whole trees of files.
//!
//! Only the sealed values change, and the hint that names their key. Template, labels, comments and layout stay.

mod document;
mod tree;

use std::path::{Path, PathBuf};

use decryptor::manifest::Syntax;
use decryptor::manifest::edit::Editor;

use crate::cert::CertChoice;
use crate::cluster::Controller;
use crate::documents;
use crate::error::CommandError;
use crate::files::{self, Input};
use crate::output::{Format, Output};
use crate::private_keys::PrivateKeys;
use crate::ui::{Progress, Ui};
use document::Sealer;

/// What to seal anew, and by whom.
pub(crate) struct Args {
    /// What to seal anew.
    pub(crate) what: What,
    /// Who does it.
    pub(crate) by: By,
    /// Whether the SealedSecrets say which key they were sealed with.
    pub(crate) key_hint: bool,
}

/// What to seal anew.
pub(crate) enum What {
    /// One stream; a file without another output is changed in place.
    Stream {
        /// The SealedSecrets.
        input: Input,
        /// Where they go.
        output: Output,
    },
    /// Files, and folders with files.
    Trees {
        /// Their paths.
        paths: Vec<PathBuf>,
        /// Whether to say only what would be done.
        dry_run: bool,
    },
}

/// Who seals anew.
pub(crate) enum By {
    /// The controller, for its newest key.
    Controller(Box<Controller>),
    /// Ourselves, for a certificate, with the private keys that open the values.
    Keys {
        /// The private keys.
        keys: PrivateKeys,
        /// The certificate.
        cert: CertChoice,
    },
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { what, by, key_hint } = args;
    match what {
        What::Stream { input, output } => {
            let text = input.read("json/yaml k8s resource", ui)?;
            let sealer = Sealer::new(by, key_hint, ui)?;
            match (&input, &output.path) {
                (Input::File(path), None) => in_place(path, &text, &sealer),
                _ => to_output(&text, &sealer, &output, ui),
            }
        }
        What::Trees { paths, dry_run } => {
            let files = tree::find(&paths, ui)?;
            let sealer = Sealer::new(by, key_hint, ui)?;
            tree::run(&files, &sealer, dry_run, ui)
        }
    }
}

fn in_place(path: &Path, text: &[u8], sealer: &Sealer) -> Result<(), CommandError> {
    let changed = edit(text, sealer)
        .and_then(finish)
        .map_err(|e| e.at(path.display()))?;
    match changed == text {
        true => Ok(()),
        false => files::replace(path, &changed),
    }
}

/// In the input's own layout if that is in the syntax that was asked for.
fn to_output(
    text: &[u8],
    sealer: &Sealer,
    output: &Output,
    ui: &mut Ui,
) -> Result<(), CommandError> {
    let editor = edit(text, sealer)?;
    let is_same = match Syntax::of(text) {
        Syntax::Json => output.format() == Format::Json,
        Syntax::Yaml => output.format() == Format::Yaml,
    };
    let text = match is_same {
        true => finish(editor)?,
        false => (0..editor.documents())
            .flat_map(|document| output.format().write(editor.value(document)))
            .collect(),
    };
    output.write(&text, ui)
}

/// Every document of a stream must be a SealedSecret.
fn edit<'a>(text: &'a [u8], sealer: &Sealer) -> Result<Editor<'a>, CommandError> {
    let documents = documents::read(text)?;
    if documents.is_empty() {
        return Err(documents::none_found());
    }
    for document in &documents {
        documents::sealed_secret(document.value()).map_err(|e| e.at(document.place()))?;
    }
    let mut editor = open(text)?;
    let progress = Progress::new("re-encrypted", documents.len());
    for document in &documents {
        sealer
            .reseal(document, &mut editor)
            .map_err(|e| e.at(documents::place(document, documents.len())))?;
        progress.step();
    }
    Ok(editor)
}

fn open(text: &[u8]) -> Result<Editor<'_>, CommandError> {
    Editor::new(text).map_err(|e| CommandError::new("cannot read the input").because(e))
}

fn finish(editor: Editor<'_>) -> Result<Vec<u8>, CommandError> {
    editor
        .finish()
        .map_err(|e| CommandError::new("cannot change the text").because(e))
}
