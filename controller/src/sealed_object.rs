//! A SealedSecret as the API server has it: readable as an object even where its spec is not.

use decryptor::sealed::{SealedSecret, SealedSecretStatus};
use keys::Scope;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::{Api, ApiError, path};
use crate::live::ObjectMetadata;
use crate::name::ObjectName;

/// A SealedSecret's metadata and status, and its spec where that can be read.
pub(crate) struct SealedObject {
    pub(crate) metadata: ObjectMetadata,
    pub(crate) status: Option<SealedSecretStatus>,
    /// The whole of it. `None` if a field is of the wrong type.
    pub(crate) sealed: Option<SealedSecret>,
}

/// What is read of a SealedSecret when it is only looked at.
pub(crate) struct Glimpse {
    pub(crate) metadata: ObjectMetadata,
    pub(crate) status: Option<SealedSecretStatus>,
}

#[derive(Deserialize)]
struct Outline<'a> {
    metadata: ObjectMetadata,
    #[serde(default, borrow)]
    status: Option<&'a RawValue>,
}

impl Glimpse {
    /// Reads the outside of a SealedSecret. Returns `None` if it is no object at all.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let outline: Outline<'_> = serde_json::from_slice(json).ok()?;
        // A status that cannot be read is written anew.
        let status = outline
            .status
            .and_then(|raw| serde_json::from_str(raw.get()).ok());
        Some(Self {
            metadata: outline.metadata,
            status,
        })
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::of_annotations(&self.metadata.annotations)
    }

    pub(crate) fn name(&self) -> ObjectName {
        ObjectName::new(&self.metadata.namespace, &self.metadata.name)
    }
}

impl SealedObject {
    /// Reads a SealedSecret. Returns `None` if it is no object at all.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let Glimpse { metadata, status } = Glimpse::parse(json)?;
        let sealed: Option<SealedSecret> = serde_json::from_slice(json).ok();
        let sealed = sealed.or_else(|| without_status(json));
        Some(Self {
            metadata,
            status,
            sealed,
        })
    }

    /// The SealedSecret in the cluster. Returns `None` if there is none.
    pub(crate) async fn read(api: &Api, name: &ObjectName) -> Result<Option<Self>, ApiError> {
        let Some(json) = api
            .get(&path::sealed_secret(name.namespace(), name.name()))
            .await?
        else {
            return Ok(None);
        };
        let unreadable =
            || ApiError::Unreachable("the API server's answer is no SealedSecret".into());
        Self::parse(&json).map(Some).ok_or_else(unreadable)
    }
}

/// The label by which metrics group SealedSecrets; empty if there is none.
pub(crate) fn instance(metadata: &ObjectMetadata) -> &str {
    let label = metadata.labels.get("app.kubernetes.io/instance");
    label.map_or("", String::as_str)
}

fn without_status(json: &[u8]) -> Option<SealedSecret> {
    let mut value: serde_json::Value = serde_json::from_slice(json).ok()?;
    value.as_object_mut()?.remove("status")?;
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_does_not_hide_the_rest() {
        let read = |json: &str| SealedObject::parse(json.as_bytes()).expect("it is an object");
        let whole = read(
            r#"{"metadata":{"name":"a"},"spec":{"encryptedData":{"k":"v"}},"status":{"mark":"m"}}"#,
        );
        assert!(whole.sealed.is_some() && whole.status.is_some());
        let odd = read(r#"{"metadata":{"name":"a"},"spec":{"template":7}}"#);
        assert!(odd.sealed.is_none() && odd.metadata.name == "a");
        let odd = read(
            r#"{"metadata":{"name":"a"},"spec":{"encryptedData":{}},"status":{"conditions":7}}"#,
        );
        assert!(odd.sealed.is_some() && odd.status.is_none());
        assert!(SealedObject::parse(b"[]").is_none());
    }
}
