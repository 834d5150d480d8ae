//! Seals the values of a Secret into a SealedSecret file that is there, and leaves everything else in it as it is.

use std::path::PathBuf;

use decryptor::manifest::Document;
use decryptor::manifest::edit::{EditError, Editor, Step};
use decryptor::sealed::{KeyHints, SealedSecret, hint};
use keys::scope::{CLUSTER_WIDE, NAMESPACE_WIDE};
use keys::{Fingerprint, SealingCert};
use serde_json::{Value, json};

use super::seal::{How, Ready, prepare_for};
use crate::cert::CertChoice;
use crate::documents;
use crate::error::CommandError;
use crate::files::{self, Input};
use crate::ui::Ui;

/// What to merge, and into which file.
pub(crate) struct Args {
    /// The Secrets.
    pub(crate) input: Input,
    /// The SealedSecret file.
    pub(crate) target: PathBuf,
    /// The certificate.
    pub(crate) cert: CertChoice,
    /// How values are sealed; name, namespace and scope are the target's.
    pub(crate) how: How,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        input,
        target,
        cert,
        how,
    } = args;
    let at_target = |e: CommandError| e.at(target.display());
    let text = files::read(&target).map_err(|e| {
        CommandError::new(format!("open {}", target.display()))
            .because(e)
            .hint("--merge-into changes a SealedSecret file that is there; -w writes a new one")
    })?;
    let documents = documents::read(&text).map_err(at_target)?;
    let document = only_sealed_secret(&documents).map_err(at_target)?;
    let sealed = documents::sealed_secret(document.value()).map_err(at_target)?;
    let cert = cert.open(ui)?;
    let secrets = {
        let text = input.read("json/yaml k8s resource", ui)?;
        prepare_for(&sealed, &documents::read(&text)?, &how, ui)?
    };
    let mut merge = Merge {
        editor: Editor::new(&text)
            .map_err(|e| at_target(CommandError::new("cannot read the file").because(e)))?,
        document,
        hints: KeyHints::of_annotations(&sealed.metadata.annotations),
    };
    merge
        .merge(&secrets, &cert, how.key_hint)
        .and_then(|()| merge.editor.finish())
        .map_err(|e| at_target(CommandError::new("cannot change the text").because(e)))
        .and_then(|merged| files::replace(&target, &merged))
}

fn only_sealed_secret(documents: &[Document]) -> Result<&Document, CommandError> {
    let mut sealed = documents
        .iter()
        .filter(|document| document.kind() == Some("SealedSecret"));
    match (sealed.next(), sealed.next()) {
        (Some(document), None) => Ok(document),
        (None, _) => Err(CommandError::new("there is no SealedSecret in the file")),
        _ => Err(
            CommandError::new("there is more than one SealedSecret in the file")
                .hint("--merge-into takes a file with one of them"),
        ),
    }
}

/// A merge under way.
struct Merge<'a> {
    editor: Editor<'a>,
    document: &'a Document,
    hints: KeyHints,
}

impl Merge<'_> {
    fn merge(
        &mut self,
        secrets: &[Ready],
        cert: &SealingCert,
        key_hint: bool,
    ) -> Result<(), EditError> {
        let before = self.hints.to_text();
        for ready in secrets {
            self.merge_one(&ready.seal(cert, false), cert.fingerprint())?;
        }
        let annotation = ["metadata", "annotations", hint::ANNOTATION];
        match self.hints.to_text().filter(|_| key_hint) {
            Some(text) if before.as_ref() != Some(&text) => self.set(&annotation, &json!(text)),
            None if before.is_some() => self.remove(&annotation),
            _ => Ok(()),
        }
    }

    fn merge_one(&mut self, sealed: &SealedSecret, key: Fingerprint) -> Result<(), EditError> {
        for (item, value) in &sealed.spec.encrypted_data {
            self.set(&["spec", "encryptedData", item], &json!(value))?;
            self.hints.set(item, key);
        }
        let template = &sealed.spec.template.metadata;
        for (name, value) in &template.labels {
            self.set(
                &["spec", "template", "metadata", "labels", name],
                &json!(value),
            )?;
        }
        for (name, value) in &template.annotations {
            if ![NAMESPACE_WIDE, CLUSTER_WIDE].contains(&name.as_str()) {
                self.set(
                    &["spec", "template", "metadata", "annotations", name],
                    &json!(value),
                )?;
            }
        }
        Ok(())
    }

    fn set(&mut self, path: &[&str], value: &Value) -> Result<(), EditError> {
        self.editor
            .set(self.document.index, &self.steps(path), value)
    }

    fn remove(&mut self, path: &[&str]) -> Result<(), EditError> {
        self.editor.remove(self.document.index, &self.steps(path))
    }

    fn steps<'p>(&self, path: &[&'p str]) -> Vec<Step<'p>> {
        let mut steps: Vec<Step<'p>> = documents::path(self.document);
        steps.extend(path.iter().copied().map(Step::Key));
        steps
    }
}
