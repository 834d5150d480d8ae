//! What can be seen of one SealedSecret without any key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decryptor::manifest::Document;
use decryptor::sealed::{KeyHints, Metadata, SealedSecret};
use keys::scope::{CLUSTER_WIDE, NAMESPACE_WIDE};
use keys::sealing::{MAX_KEY_BITS, MIN_KEY_BITS, SealedValue};
use keys::{Scope, SealingCert};
use serde::Serialize;
use serde_json::Value;

use crate::documents;

/// One document, looked at.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// The file it stands in.
    pub(super) file: String,
    /// Where in the file it stands.
    pub(super) place: String,
    /// For whom it is. `None` if it is no SealedSecret.
    #[serde(flatten)]
    pub(super) summary: Option<Summary>,
    /// Its sealed values.
    pub(super) items: Vec<Item>,
    /// What is wrong with it as a whole.
    pub(super) problems: Vec<String>,
    /// Whether it says that it is a SealedSecret.
    #[serde(skip)]
    pub(super) is_sealed: bool,
}

/// For whom a SealedSecret is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) scope: String,
    #[serde(rename = "type")]
    pub(super) type_: Option<String>,
    /// Keys that a template makes.
    pub(super) templates: Vec<String>,
}

/// One sealed value.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) key: String,
    /// The length of the value inside.
    pub(super) bytes: Option<usize>,
    /// The size of the key that it was sealed with.
    pub(super) key_bits: Option<usize>,
    /// The key that the annotation names. It may be stale, or lie.
    pub(super) sealed_with: Option<String>,
    /// What is wrong with it.
    pub(super) problem: Option<String>,
}

impl Report {
    /// Looks at one document; `cert` is one that its values should be sealed with.
    pub(super) fn of(file: &str, document: &Document, cert: Option<&SealingCert>) -> Self {
        let mut report = Self {
            file: file.to_owned(),
            place: document.place(),
            summary: None,
            items: Vec::new(),
            problems: Vec::new(),
            is_sealed: document.kind() == Some("SealedSecret"),
        };
        match documents::sealed_secret(document.value()) {
            Ok(sealed) => report.look_at(&sealed, document.value(), cert),
            Err(e) => report.problems.push(e.line()),
        }
        report
    }

    /// A file in which there is no document at all.
    pub(super) fn nothing(file: String) -> Self {
        Self {
            file,
            place: "empty".to_owned(),
            summary: None,
            items: Vec::new(),
            problems: vec!["there is no SealedSecret in it".to_owned()],
            is_sealed: false,
        }
    }

    /// Whether anything is wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty() || self.items.iter().any(|item| item.problem.is_some())
    }

    fn look_at(&mut self, sealed: &SealedSecret, object: &Value, cert: Option<&SealingCert>) {
        let (metadata, template) = (&sealed.metadata, &sealed.spec.template);
        self.summary = Some(Summary {
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            scope: sealed.scope().to_string(),
            type_: template.type_.clone(),
            templates: template.data.keys().cloned().collect(),
        });
        let hints = KeyHints::of_annotations(&metadata.annotations);
        for (key, text) in &sealed.spec.encrypted_data {
            let is_text = object["spec"]["encryptedData"][key].is_string();
            let mut item = Item::of(key, is_text.then_some(text), cert);
            let hint = hints.of(key);
            item.sealed_with = hint.map(|key| key.to_string());
            if let (Some(hint), Some(cert), None) = (hint, cert, &item.problem)
                && hint != cert.fingerprint()
            {
                item.problem =
                    Some("said to be sealed with another key than the certificate's".to_owned());
            }
            self.items.push(item);
        }
        self.problems = problems(sealed);
    }
}

impl Item {
    fn of(key: &str, text: Option<&String>, cert: Option<&SealingCert>) -> Self {
        let mut item = Self {
            key: key.to_owned(),
            bytes: None,
            key_bits: None,
            sealed_with: None,
            problem: None,
        };
        item.problem = item.look_at(text, cert).err();
        item
    }

    fn look_at(&mut self, text: Option<&String>, cert: Option<&SealingCert>) -> Result<(), String> {
        let text = text.ok_or("it is no text")?;
        let joined: String = text.split(['\r', '\n']).collect();
        let bytes = STANDARD.decode(joined).map_err(|_| "it is not base64")?;
        let value = SealedValue::parse(&bytes).ok_or("it is cut off: shorter than it says")?;
        let bits = value.key_bits();
        self.key_bits = Some(bits);
        self.bytes = value.plaintext_len();
        if !(MIN_KEY_BITS..=MAX_KEY_BITS).contains(&bits) {
            return Err(format!(
                "its key would have {bits} bits; sealing keys have {MIN_KEY_BITS} to {MAX_KEY_BITS}"
            ));
        }
        if self.bytes.is_none() {
            return Err("it is cut off: there is no value in it".to_owned());
        }
        match cert {
            Some(cert) if cert.key_bits().div_ceil(8) * 8 != bits => Err(format!(
                "it was sealed with another key than the certificate's, of {} bits",
                cert.key_bits()
            )),
            _ => Ok(()),
        }
    }
}

fn problems(sealed: &SealedSecret) -> Vec<String> {
    let (metadata, spec) = (&sealed.metadata, &sealed.spec);
    let mut problems = Vec::new();
    let mut problem = |is_so: bool, text: &str| {
        if is_so {
            problems.push(text.to_owned());
        }
    };
    let scope = sealed.scope();
    problem(metadata.name.is_empty(), "metadata.name is missing");
    problem(
        metadata.namespace.is_empty() && scope != Scope::ClusterWide,
        "metadata.namespace is missing: the values open in one namespace only",
    );
    problem(
        spec.data.is_some() && !spec.encrypted_data.is_empty(),
        "'encryptedData' and the deprecated field 'data' cannot stand in it at the same time",
    );
    problem(
        spec.data.is_none() && spec.encrypted_data.is_empty() && spec.template.data.is_empty(),
        "there is no value in it",
    );
    for name in [NAMESPACE_WIDE, CLUSTER_WIDE] {
        let value = metadata.annotations.get(name);
        problem(
            value.is_some_and(|value| value != "true" && value != "false"),
            &format!("the annotation {name} has no effect: only the text \"true\" counts"),
        );
    }
    let template = &spec.template.metadata;
    problem(
        Scope::of_annotations(&template.annotations) != scope,
        "the template's scope is not that of the SealedSecret, and only the latter counts",
    );
    problems.extend(metadata_problems(template, metadata));
    problems
}

/// What in a template's metadata means nothing there, or something else than it seems to.
fn metadata_problems(template: &Metadata, outer: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for (field, inner, outer) in [
        ("name", &template.name, &outer.name),
        ("namespace", &template.namespace, &outer.namespace),
    ] {
        if !inner.is_empty() && inner != outer {
            problems.push(format!(
                "the template's {field} is {inner:?}, and only the SealedSecret's counts"
            ));
        }
    }
    let means_something = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let mut server_set: Vec<&str> = template
        .other
        .iter()
        .filter(|(field, value)| *field != "ownerReferences" && means_something(value))
        .map(|(field, _)| field.as_str())
        .collect();
    server_set.extend((!template.uid.is_empty()).then_some("uid"));
    server_set.extend((!template.resource_version.is_empty()).then_some("resourceVersion"));
    for field in server_set {
        problems.push(format!(
            "template.metadata.{field} belongs to one object in one cluster"
        ));
    }
    problems
}
