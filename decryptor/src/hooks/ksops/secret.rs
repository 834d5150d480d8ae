//! Secrets made of files, with the fields that KSOPS gives them, in the order that Go's YAML writer gives those.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use keys::Plaintext;
use serde_json::{Map, Value, json};

use super::environment;
use super::generator::{Metadata, SecretFrom, Source};
use crate::hooks::failure::Failure;
use crate::manifest::{wipe, write_yaml};

/// A file's path and its content in clear.
type File<'t> = (&'t str, &'t [u8]);

/// A Secret as YAML. Later files take the keys of earlier ones.
pub(super) fn yaml(
    from: &SecretFrom,
    files: &[File<'_>],
    binary_files: &[File<'_>],
    environments: &[File<'_>],
) -> Result<Plaintext, Failure> {
    let mut texts = Map::new();
    for (Source { key, .. }, (path, content)) in from.files.iter().zip(files) {
        texts.insert(key.clone(), text(path, content)?.into());
    }
    for (path, content) in environments {
        let variables =
            environment::read(text(path, content)?).map_err(|failure| failure.at(path))?;
        texts.extend(
            variables
                .iter()
                .map(|(key, value)| (key.clone(), value.as_str().into())),
        );
    }
    let binary = from.binary_files.iter().zip(binary_files);
    let data = binary
        .map(|(source, (_, content))| (source.key.clone(), BASE64_STANDARD.encode(content).into()));
    let data: Map<String, Value> = data.collect();
    let mut secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata(&from.metadata)});
    for (name, map) in [("stringData", texts), ("data", data)] {
        if !map.is_empty() {
            secret[name] = map.into();
        }
    }
    if !from.kind.is_empty() {
        secret["type"] = from.kind.as_str().into();
    }
    let yaml = Plaintext::new(write_yaml(&secret));
    wipe(&mut secret);
    Ok(yaml)
}

/// What a Secret is marked with, without what is empty.
fn metadata(metadata: &Metadata) -> Value {
    let Metadata {
        name,
        namespace,
        labels,
        annotations,
    } = metadata;
    let mut fields = json!({});
    for (key, text) in [("name", name), ("namespace", namespace)] {
        if !text.is_empty() {
            fields[key] = text.as_str().into();
        }
    }
    for (key, map) in [("labels", labels), ("annotations", annotations)] {
        if !map.is_empty() {
            fields[key] = json!(map);
        }
    }
    fields
}

fn text<'t>(path: &str, content: &'t [u8]) -> Result<&'t str, Failure> {
    str::from_utf8(content).map_err(|_| {
        Failure::new("it is not UTF-8, and a Secret's stringData holds text only")
            .hint("list it under `binaryFiles`")
            .at(path)
    })
}
