//! The definition of the SealedSecret resource, from the Rust types: a superset of that of sealed-secrets 0.40.0.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::resource::{GROUP, KIND, PLURAL, SealedSecretSpec, SealedSecretStatus, VERSION};

/// The CustomResourceDefinition, as a manifest.
pub fn definition() -> Value {
    let singular = KIND.to_lowercase();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{PLURAL}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": {"kind": KIND, "listKind": format!("{KIND}List"), "plural": PLURAL, "singular": singular},
            "scope": "Namespaced",
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "additionalPrinterColumns": [
                    {"name": "Status", "type": "string", "jsonPath": ".status.conditions[0].message"},
                    {"name": "Synced", "type": "string", "jsonPath": ".status.conditions[0].status"},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "schema": {"openAPIV3Schema": {
                    "description": "A Secret whose values are sealed for one cluster's controller: safe to keep in Git.",
                    "type": "object",
                    "required": ["spec"],
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec(),
                        "status": schema::<SealedSecretStatus>(),
                    },
                }},
                "subresources": {"status": {}},
            }],
        },
    })
}

/// The spec. A missing `encryptedData` is read leniently and yet refused by the API server, as sealed-secrets does.
fn spec() -> Value {
    let mut schema = schema::<SealedSecretSpec>();
    schema["required"] = json!(["encryptedData"]);
    schema
}

/// A structural schema: everything in place, no references, nothing that the API server would not take.
fn schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    tidy(&mut schema);
    schema
}

/// Drops what says nothing (titles) and what would change objects (defaults: a missing field is refused, not made up).
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("title");
            object.remove("default");
            for (name, value) in object {
                match value {
                    // Names of fields, not words of the schema.
                    Value::Object(fields) if name == "properties" => {
                        fields.values_mut().for_each(tidy);
                    }
                    value => tidy(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Sealed values: text by key. Other fields are kept, as sealed-secrets keeps them.
pub(super) fn encrypted_data(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Sealed values by key, base64.",
        "type": "object",
        "additionalProperties": {"type": "string"},
        "x-kubernetes-preserve-unknown-fields": true,
    })
}

/// Templates by key; null is a value that means something, so it must be allowed.
pub(super) fn template_data(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Go templates by key, rendered with the decrypted values; null leaves the key out of the Secret.",
        "type": "object",
        "nullable": true,
        "additionalProperties": {"type": "string", "nullable": true},
    })
}

/// The deprecated form: one sealed value for the whole Secret.
pub(super) fn deprecated_data(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Deprecated: the whole Secret in one sealed value, base64. Use encryptedData.",
        "type": "string",
        "format": "byte",
    })
}

/// The template's metadata: what is not listed is kept, though it does not reach the Secret.
pub(super) fn template_metadata(_: &mut SchemaGenerator) -> Schema {
    let text_map = json!({"type": "object", "additionalProperties": {"type": "string"}});
    json_schema!({
        "description": "Labels and annotations for the Secret.",
        "type": "object",
        "nullable": true,
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": {
            "annotations": text_map,
            "finalizers": {"type": "array", "items": {"type": "string"}},
            "labels": text_map,
            "name": {"type": "string"},
            "namespace": {"type": "string"},
        },
    })
}

/// A moment, RFC 3339.
pub(super) fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}
