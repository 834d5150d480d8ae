//! One SealedSecret sealed anew, and put back into its text.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decryptor::manifest::Document;
use decryptor::manifest::edit::{EditError, Editor, Step};
use decryptor::sealed::{KeyHints, SealedSecret, hint};
use keys::sealing::SealedValue;
use keys::{Fingerprint, KeyRing, SealingCert};
use serde_json::{Value, json};

use super::By;
use crate::cluster::Session;
use crate::documents;
use crate::error::CommandError;
use crate::ui::Ui;

const OTHERWISE: &str = "to do it without a cluster, name the private keys with --recovery-private-key, \
                         and the newest key's certificate with --cert";

/// Who seals anew, ready to do it.
pub(super) struct Sealer {
    by: Ready,
    key_hint: bool,
}

enum Ready {
    Keys {
        ring: KeyRing,
        cert: SealingCert,
    },
    Controller {
        session: Session,
        key: Option<Fingerprint>,
    },
}

impl Sealer {
    pub(super) fn new(by: By, key_hint: bool, ui: &mut Ui) -> Result<Self, CommandError> {
        let by = match by {
            By::Keys { keys, cert } => Ready::Keys {
                cert: cert.open(ui)?,
                ring: keys.open(ui)?,
            },
            By::Controller(controller) => {
                let session = controller.connect(OTHERWISE)?;
                // Only for the hint: if there is no certificate to see, there is no hint.
                let cert = session.certificate().ok();
                let cert = cert.and_then(|text| SealingCert::from_pem(&text).ok());
                Ready::Controller {
                    session,
                    key: cert.map(|cert| cert.fingerprint()),
                }
            }
        };
        Ok(Self { by, key_hint })
    }

    /// Whether several threads may work with it.
    pub(super) fn keys(&self) -> Option<(&KeyRing, &SealingCert)> {
        match &self.by {
            Ready::Keys { ring, cert } => Some((ring, cert)),
            Ready::Controller { .. } => None,
        }
    }

    /// Seals a document's values anew. Returns how many of them changed.
    pub(super) fn reseal(
        &self,
        document: &Document,
        editor: &mut Editor<'_>,
    ) -> Result<usize, CommandError> {
        let sealed = documents::sealed_secret(document.value())?;
        let (values, key) = match &self.by {
            Ready::Keys { ring, cert } => (by_keys(&sealed, ring, cert)?, Some(cert.fingerprint())),
            Ready::Controller { session, key } => {
                (by_controller(&sealed, document.value(), session)?, *key)
            }
        };
        put_back(
            document,
            editor,
            &sealed,
            &values,
            key.filter(|_| self.key_hint),
        )
        .map_err(|e| CommandError::new("cannot change the text").because(e))?;
        Ok(values.len())
    }
}

/// Sealed values by their keys; those that stay are not among them.
type Values = BTreeMap<String, String>;

/// Wraps every value's data key for a certificate. A value that is under that key already stays as it is.
pub(super) fn by_keys(
    sealed: &SealedSecret,
    ring: &KeyRing,
    cert: &SealingCert,
) -> Result<Values, CommandError> {
    refuse_deprecated(sealed)?;
    let metadata = &sealed.metadata;
    let label = sealed.scope().label(&metadata.namespace, &metadata.name);
    let hints = KeyHints::of_annotations(&metadata.annotations);
    let mut values = Values::new();
    let mut failed = Vec::new();
    for (item, text) in &sealed.spec.encrypted_data {
        let joined: String = text.split(['\r', '\n']).collect();
        let rewrapped = STANDARD.decode(joined).ok().and_then(|bytes| {
            let key = ring.open(&bytes, &label, hints.of(item)).ok()?.key;
            match key == cert.fingerprint() {
                true => Some(None),
                false => ring.rewrap(&bytes, &label, Some(key), cert).ok().map(Some),
            }
        });
        match rewrapped {
            Some(Some(bytes)) => drop(values.insert(item.clone(), STANDARD.encode(bytes))),
            Some(None) => {}
            None => failed.push(item.as_str()),
        }
    }
    match failed.is_empty() {
        true => Ok(values),
        false => Err(CommandError::new(format!(
            "no key could decrypt secret ({})",
            failed.join(", ")
        ))
        .hint("name every old private key with --recovery-private-key; name, namespace and scope must be those it was sealed for")),
    }
}

/// Has every value sealed anew by the controller. Nothing but the values is taken from its answer: the original's loses
/// parts of the template.
fn by_controller(
    sealed: &SealedSecret,
    object: &Value,
    session: &Session,
) -> Result<Values, CommandError> {
    refuse_deprecated(sealed)?;
    let answer = session.rotate(object)?;
    let answered = answer["spec"]["encryptedData"].as_object();
    let answered = answered.into_iter().flatten();
    let mut values = Values::new();
    for (item, value) in answered {
        // The original's controller adds what templates render to in some versions; that is not ours to keep.
        if let Some(old) = sealed.spec.encrypted_data.get(item) {
            let text = value.as_str().filter(|text| is_same_size(old, text));
            let text = text.ok_or_else(|| {
                CommandError::new(format!(
                    "the controller's answer for {item:?} is no sealed value of the same size"
                ))
            })?;
            values.insert(item.clone(), text.to_owned());
        }
    }
    match sealed
        .spec
        .encrypted_data
        .keys()
        .find(|item| !values.contains_key(*item))
    {
        None => Ok(values),
        Some(item) => Err(CommandError::new(format!(
            "the controller's answer lacks {item:?}"
        ))),
    }
}

fn refuse_deprecated(sealed: &SealedSecret) -> Result<(), CommandError> {
    match sealed.spec.data {
        None => Ok(()),
        Some(_) => Err(
            CommandError::new("the deprecated field 'data' cannot be re-encrypted")
                .hint("seal the Secret again"),
        ),
    }
}

fn is_same_size(old: &str, new: &str) -> bool {
    let size = |text: &str| {
        let joined: String = text.split(['\r', '\n']).collect();
        let bytes = STANDARD.decode(joined).ok()?;
        SealedValue::parse(&bytes)?.plaintext_len()
    };
    size(new).is_some() && size(new) == size(old)
}

fn put_back(
    document: &Document,
    editor: &mut Editor<'_>,
    sealed: &SealedSecret,
    values: &Values,
    key: Option<Fingerprint>,
) -> Result<(), EditError> {
    let place = documents::path(document);
    let step = Step::Key;
    for (item, value) in values {
        let path = [
            &place[..],
            &[step("spec"), step("encryptedData"), step(item)],
        ]
        .concat();
        editor.set(document.index, &path, &json!(value))?;
    }
    let annotation = [
        &place[..],
        &[
            step("metadata"),
            step("annotations"),
            step(hint::ANNOTATION),
        ],
    ]
    .concat();
    let before = sealed.metadata.annotations.get(hint::ANNOTATION);
    let after = key.and_then(|key| KeyHints::all(key).to_text());
    match after {
        Some(text) if before != Some(&text) => {
            editor.set(document.index, &annotation, &json!(text))
        }
        None if before.is_some() => editor.remove(document.index, &annotation),
        _ => Ok(()),
    }
}
