//! A Secret as people write it, before it is sealed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keys::Plaintext;
use serde_json::{Map, Value};

use super::remark::{self, Remark};
use super::resource::{Metadata, TextMap};

/// Annotations in which other tools keep a copy of the object in clear text.
const LAST_APPLIED: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubecfg.ksonnet.io/last-applied-configuration",
];

/// Metadata that belongs to one object in one cluster and means nothing in a template.
const SERVER_SET: [&str; 9] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "managedFields",
    "ownerReferences",
    "selfLink",
    "generation",
];

/// A Secret in clear: `data` and `stringData` merged, metadata reduced to what may go into a template.
pub struct PlainSecret {
    /// The Secret's name; empty where the manifest does not say.
    pub name: String,
    /// The Secret's namespace; empty where the manifest does not say.
    pub namespace: String,
    /// Its labels.
    pub labels: TextMap,
    /// Its annotations, without those that hold a copy of the Secret.
    pub annotations: TextMap,
    /// Its type.
    pub type_: Option<String>,
    /// Whether its data may not change.
    pub immutable: Option<bool>,
    /// Its values; `stringData` wins over `data`.
    pub data: BTreeMap<String, Plaintext>,
    /// What was left out or read in a way that may surprise: for people, without any value.
    pub remarks: Vec<Remark>,
}

/// Why an object is no Secret that could be sealed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASecret {
    /// The document is not a mapping.
    #[error("it is not an object")]
    NotAnObject,
    /// It is an object of another kind.
    #[error("it is a {kind}, not a Secret")]
    Kind {
        /// What it says it is.
        kind: String,
    },
    /// It does not say what kind it is.
    #[error("it has no kind; a Secret says `kind: Secret`")]
    NoKind,
    /// It is of another API version.
    #[error("its apiVersion is {0:?}; a Secret's is \"v1\"")]
    ApiVersion(String),
    /// A field is of the wrong type.
    #[error("{field} must be {expected}")]
    Field {
        /// The field's path.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value of `data` is not base64.
    #[error("data.{key} is not base64; put clear text under stringData")]
    NotBase64 {
        /// The value's key.
        key: String,
    },
}

impl PlainSecret {
    /// Reads a Secret from a manifest's object.
    pub fn from_value(value: &Value) -> Result<Self, NotASecret> {
        let object = value.as_object().ok_or(NotASecret::NotAnObject)?;
        check_kind(object)?;
        let mut remarks = remark::on_fields(object);
        let metadata = read_metadata(object, &mut remarks)?;
        let mut data = BTreeMap::new();
        for (key, value) in mapping(object, "data")? {
            data.insert(key.clone(), decode(key, value)?);
        }
        for (key, value) in mapping(object, "stringData")? {
            let text = crate::manifest::text_of_scalar(value).ok_or_else(|| NotASecret::Field {
                field: format!("stringData.{key}"),
                expected: "text",
            })?;
            if !value.is_string() {
                remarks.push(Remark::Coerced { key: key.clone() });
            }
            data.insert(key.clone(), Plaintext::new(text.into_bytes()));
        }
        remarks.extend(remark::on_keys(&data));
        remarks.extend(remark::on_what_shows("labels", &metadata.labels, &data));
        remarks.extend(remark::on_what_shows(
            "annotations",
            &metadata.annotations,
            &data,
        ));
        Ok(Self {
            name: metadata.name,
            namespace: metadata.namespace,
            labels: metadata.labels,
            annotations: metadata.annotations,
            type_: optional(object, "type", "text", Value::as_str)?
                .map(str::to_owned)
                .filter(|text| !text.is_empty()),
            immutable: optional(object, "immutable", "true or false", Value::as_bool)?,
            data,
            remarks,
        })
    }
}

fn check_kind(object: &Map<String, Value>) -> Result<(), NotASecret> {
    match object.get("kind").and_then(Value::as_str) {
        Some("Secret") => {}
        Some(kind) if !kind.is_empty() => {
            return Err(NotASecret::Kind {
                kind: kind.to_owned(),
            });
        }
        _ => return Err(NotASecret::NoKind),
    }
    match object.get("apiVersion").and_then(Value::as_str) {
        Some("v1") => Ok(()),
        other => Err(NotASecret::ApiVersion(other.unwrap_or_default().to_owned())),
    }
}

fn read_metadata(
    object: &Map<String, Value>,
    remarks: &mut Vec<Remark>,
) -> Result<Metadata, NotASecret> {
    let metadata = mapping(object, "metadata")?;
    let text = |name: &'static str| {
        let value = metadata
            .clone()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value);
        match value {
            None | Some(Value::Null) => Ok(String::new()),
            Some(value) => {
                crate::manifest::text_of_scalar(value).ok_or_else(|| NotASecret::Field {
                    field: format!("metadata.{name}"),
                    expected: "text",
                })
            }
        }
    };
    let texts = |name: &'static str| {
        let value = metadata
            .clone()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value);
        text_map(&format!("metadata.{name}"), value)
    };
    let mut annotations = texts("annotations")?;
    annotations.retain(|name, _| !LAST_APPLIED.contains(&name.as_str()));
    for (field, value) in metadata.clone() {
        let means_something =
            !value.is_null() && (field == "finalizers" || field == "generateName");
        if SERVER_SET.contains(&field.as_str()) && means_something {
            remarks.push(Remark::Dropped {
                field: field.clone(),
            });
        }
    }
    Ok(Metadata {
        name: text("name")?,
        namespace: text("namespace")?,
        labels: texts("labels")?,
        annotations,
        ..Metadata::default()
    })
}

fn text_map(field: &str, value: Option<&Value>) -> Result<TextMap, NotASecret> {
    let object = match value {
        None | Some(Value::Null) => return Ok(TextMap::new()),
        Some(Value::Object(object)) => object,
        Some(_) => {
            return Err(NotASecret::Field {
                field: field.to_owned(),
                expected: "a mapping",
            });
        }
    };
    let read = |(key, value): (&String, &Value)| match crate::manifest::text_of_scalar(value) {
        Some(text) => Ok((key.clone(), text)),
        None => Err(NotASecret::Field {
            field: format!("{field}.{key}"),
            expected: "text",
        }),
    };
    object.iter().map(read).collect()
}

fn mapping<'a>(
    object: &'a Map<String, Value>,
    field: &'static str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)> + Clone, NotASecret> {
    let map = optional(object, field, "a mapping", Value::as_object)?;
    Ok(map.into_iter().flatten())
}

fn optional<'a, T>(
    object: &'a Map<String, Value>,
    field: &'static str,
    expected: &'static str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<Option<T>, NotASecret> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(NotASecret::Field {
                field: field.to_owned(),
                expected,
            }),
        },
    }
}

fn decode(key: &str, value: &Value) -> Result<Plaintext, NotASecret> {
    let text = match value {
        Value::Null => return Ok(Plaintext::default()),
        value => value.as_str().ok_or_else(|| NotASecret::Field {
            field: format!("data.{key}"),
            expected: "base64 text",
        })?,
    };
    // Go's decoder passes over line ends, and block scalars bring them.
    let joined: zeroize::Zeroizing<Vec<u8>> = zeroize::Zeroizing::new(
        text.bytes()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect(),
    );
    let bytes = STANDARD
        .decode(&*joined)
        .map_err(|_| NotASecret::NotBase64 {
            key: key.to_owned(),
        })?;
    Ok(Plaintext::new(bytes))
}
