//! A Secret as it stands in the cluster.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decryptor::sealed::{MANAGED, PATCH, SKIP_SET_OWNER_REFERENCES, TextMap, is_true};
use jiff::Timestamp;
use keys::Plaintext;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The type that the API server gives to a Secret that names none.
pub(crate) const OPAQUE: &str = "Opaque";

/// A Secret as it stands in the cluster. It holds clear text: no `Debug`, no `Clone`.
#[derive(Deserialize)]
pub(crate) struct LiveSecret {
    pub(crate) metadata: ObjectMetadata,
    #[serde(rename = "type", default)]
    pub(crate) type_: String,
    #[serde(default)]
    pub(crate) immutable: Option<bool>,
    #[serde(default, deserialize_with = "data")]
    pub(crate) data: BTreeMap<String, Plaintext>,
}

/// What the core needs of any object's metadata.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ObjectMetadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: i64,
    pub(crate) creation_timestamp: Option<Timestamp>,
    pub(crate) deletion_timestamp: Option<Timestamp>,
    pub(crate) labels: TextMap,
    pub(crate) annotations: TextMap,
    pub(crate) owner_references: Vec<OwnerReference>,
    pub(crate) finalizers: Vec<String>,
}

/// An owner reference, in full; what is absent is what the API server takes it for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OwnerReference {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) controller: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) block_owner_deletion: bool,
}

impl ObjectMetadata {
    /// The owner that controls the object, if one does.
    pub(crate) fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// Whether any SealedSecret may take the Secret over.
    pub(crate) fn is_managed(&self) -> bool {
        is_true(&self.annotations, MANAGED)
    }

    /// Whether a SealedSecret adds to the Secret instead of replacing what it holds.
    pub(crate) fn is_patch(&self) -> bool {
        is_true(&self.annotations, PATCH)
    }

    /// Whether the Secret was made from a template that asks for no owner.
    pub(crate) fn skips_owner(&self) -> bool {
        is_true(&self.annotations, SKIP_SET_OWNER_REFERENCES)
    }
}

fn data<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Plaintext>, D::Error> {
    let data: Option<BTreeMap<String, Option<Decoded>>> = Option::deserialize(deserializer)?;
    let value = |decoded: Option<Decoded>| decoded.map_or_else(Plaintext::default, |value| value.0);
    Ok(data
        .into_iter()
        .flatten()
        .map(|(key, decoded)| (key, value(decoded)))
        .collect())
}

/// Base64, decoded without an intermediate text that would stay in memory.
struct Decoded(Plaintext);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;
        impl Visitor<'_> for Base64 {
            type Value = Decoded;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Decoded, E> {
                let bytes = STANDARD.decode(text).map_err(|_| E::custom("not base64"))?;
                Ok(Decoded(Plaintext::new(bytes)))
            }
        }
        deserializer.deserialize_str(Base64)
    }
}
