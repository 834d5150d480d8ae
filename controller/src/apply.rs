//! Writes Secrets: the JSON that goes out, and what comes back of it.

use decryptor::sealed::{TextMap, Unsealed};
use hyper::body::Bytes;
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::json;
use zeroize::Zeroizing;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::api::{Api, ApiError, path};
use crate::live::{LiveSecret, ObjectMetadata, OwnerReference};
use crate::name::ObjectName;
use crate::plan::Target;

/// An answer that holds an object's metadata, whatever else it holds.
#[derive(serde::Deserialize)]
struct Answer {
    metadata: ObjectMetadata,
}

/// The metadata in an answer.
pub(crate) fn metadata(answer: &[u8]) -> Result<ObjectMetadata, ApiError> {
    serde_json::from_slice(answer)
        .map(|answer: Answer| answer.metadata)
        .map_err(|error| {
            ApiError::Unreachable(format!("the API server's answer is no object: {error}"))
        })
}

/// The Secret that stands in the cluster. Returns `None` if there is none.
pub(crate) async fn read(api: &Api, name: &ObjectName) -> Result<Option<LiveSecret>, ApiError> {
    let Some(answer) = api
        .get(&path::secret(name.namespace(), name.name()))
        .await?
    else {
        return Ok(None);
    };
    // The error would quote what it could not read, and that is a Secret.
    serde_json::from_slice(&answer)
        .map(Some)
        .map_err(|_| ApiError::Unreachable("the API server's answer is no Secret".into()))
}

/// Creates the Secret; returns its metadata.
pub(crate) async fn create(api: &Api, secret: &Unsealed) -> Result<ObjectMetadata, ApiError> {
    let body = zeroed_later(secret.to_json(None));
    let path = path::secrets(Some(&secret.namespace));
    metadata(&api.create(&path, body).await.map_err(unquoted)?)
}

/// Writes `target` over the version of the Secret that it was made from; returns the new metadata.
pub(crate) async fn replace(
    api: &Api,
    name: &ObjectName,
    target: &Target<'_>,
) -> Result<ObjectMetadata, ApiError> {
    let body = zeroed_later(body(target));
    let path = path::secret(name.namespace(), name.name());
    metadata(&api.replace(&path, body).await.map_err(unquoted)?)
}

/// Leaves out what the API server quotes of a Secret's data.
///
/// It hides a value that is not of the form that the Secret's type asks for, but then says at which character its JSON
/// reader stumbled. A template can put any character of any value there, one after the other.
fn unquoted(error: ApiError) -> ApiError {
    const HIDDEN: &str = "<secret contents redacted>\"";
    match error {
        ApiError::Refused {
            code,
            reason,
            mut message,
            next,
        } => {
            if let Some(at) = message.find(HIDDEN) {
                message.truncate(at + HIDDEN.len());
                message.push_str(": it is not of the form that the Secret's type asks for");
            }
            ApiError::Refused {
                code,
                reason,
                message,
                next,
            }
        }
        other => other,
    }
}

/// Deletes the version of the Secret that was looked at.
pub(crate) async fn delete(
    api: &Api,
    name: &ObjectName,
    secret: &ObjectMetadata,
) -> Result<(), ApiError> {
    let preconditions = json!({"uid": secret.uid, "resourceVersion": secret.resource_version});
    let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions});
    let path = path::secret(name.namespace(), name.name());
    match api.delete(&path, Bytes::from(body.to_string())).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// Shares the bytes without a copy; they are zeroed when the last user is done.
fn zeroed_later(bytes: Zeroizing<Vec<u8>>) -> Bytes {
    Bytes::from_owner(bytes)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: BodyMetadata<'a>,
    #[serde(rename = "type")]
    type_: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BodyMetadata<'a> {
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
    resource_version: &'a str,
    labels: &'a TextMap,
    annotations: &'a TextMap,
    owner_references: &'a [OwnerReference],
    finalizers: &'a [String],
}

struct Data<'a>(&'a Target<'a>);

impl Serialize for Data<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.data.len()))?;
        for (key, value) in &self.0.data {
            let text = Zeroizing::new(STANDARD.encode(value.expose_secret()));
            map.serialize_entry(key, text.as_str())?;
        }
        map.end()
    }
}

fn body(target: &Target<'_>) -> Zeroizing<Vec<u8>> {
    let Target {
        live,
        labels,
        annotations,
        owners,
        type_,
        immutable,
        data,
    } = target;
    let size: usize = data
        .iter()
        .map(|(key, value)| key.len() + value.len() * 4 / 3 + 8)
        .sum();
    let mut out = Zeroizing::new(Vec::with_capacity(size + 8192));
    let body = Body {
        api_version: "v1",
        kind: "Secret",
        metadata: BodyMetadata {
            name: &live.name,
            namespace: &live.namespace,
            uid: &live.uid,
            resource_version: &live.resource_version,
            labels,
            annotations,
            owner_references: owners,
            finalizers: &live.finalizers,
        },
        type_,
        immutable: *immutable,
        data: Data(target),
    };
    serde_json::to_writer(&mut *out, &body).expect("maps of text, written to memory");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_server_quotes_of_the_data_is_left_out() {
        let check = |message: &str, expected: &str| {
            let error = ApiError::Refused {
                code: 422,
                reason: "Invalid".into(),
                message: message.into(),
                next: None,
            };
            assert_eq!(unquoted(error).to_string(), expected);
        };
        let hidden = "Secret \"db\" is invalid: data[.dockercfg]: Invalid value: \"<secret contents redacted>\"";
        check(
            &format!("{hidden}: invalid character 'x' after top-level value"),
            &format!("{hidden}: it is not of the form that the Secret's type asks for"),
        );
        check("secrets \"db\" is forbidden", "secrets \"db\" is forbidden");
    }
}
