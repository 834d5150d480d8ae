//! The SealedSecret resource, `bitnami.com/v1alpha1`, as it stands in Git and in the cluster.

use std::collections::BTreeMap;
use std::fmt;

use keys::Scope;
use schemars::JsonSchema;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::crd;

/// The resource's API group.
pub const GROUP: &str = "bitnami.com";
/// The resource's version.
pub const VERSION: &str = "v1alpha1";
/// Group and version in one, as manifests write it.
pub const API_VERSION: &str = "bitnami.com/v1alpha1";
/// The resource's kind.
pub const KIND: &str = "SealedSecret";
/// The resource's plural name, as it stands in paths.
pub const PLURAL: &str = "sealedsecrets";

/// Names and annotations, labels, or other text by name.
pub type TextMap = BTreeMap<String, String>;

/// A Secret whose values are sealed: safe to keep in Git.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedSecret {
    /// Always `SealedSecret`.
    #[serde(default)]
    pub kind: String,
    /// Always `bitnami.com/v1alpha1`.
    #[serde(default)]
    pub api_version: String,
    /// The object's own metadata: name, namespace and scope are read from here and nowhere else.
    #[serde(default)]
    pub metadata: Metadata,
    /// What is sealed, and what the Secret is to look like.
    pub spec: SealedSecretSpec,
    /// What the controller last said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SealedSecretStatus>,
}

impl SealedSecret {
    /// The scope that the object's own annotations say.
    pub fn scope(&self) -> Scope {
        Scope::of_annotations(&self.metadata.annotations)
    }
}

/// The object metadata that matters here; everything else is carried along.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The object's name; empty where a manifest does not say.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub name: String,
    /// The object's namespace; empty where a manifest does not say.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub namespace: String,
    /// Labels.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "TextMap::is_empty"
    )]
    pub labels: TextMap,
    /// Annotations.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "TextMap::is_empty"
    )]
    pub annotations: TextMap,
    /// The object's identity in a cluster; empty outside one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The stored version in a cluster; empty outside one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// Counts the changes of `spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is sealed, and what the Secret is to look like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealedSecretSpec {
    /// What the Secret is to look like. Nothing in it is encrypted or authenticated.
    #[serde(default, deserialize_with = "null_is_default")]
    pub template: SecretTemplate,
    /// Deprecated: the whole Secret in one sealed value, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crd::deprecated_data")]
    pub data: Option<String>,
    /// Sealed values by key, base64.
    #[serde(default, deserialize_with = "lenient_text_map")]
    #[schemars(schema_with = "crd::encrypted_data")]
    pub encrypted_data: TextMap,
}

/// What the Secret is to look like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretTemplate {
    /// Labels and annotations for the Secret.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(schema_with = "crd::template_metadata")]
    pub metadata: Metadata,
    /// The Secret's type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Whether the Secret's data may not change any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
    /// Go templates by key, rendered with the decrypted values; null leaves the key out of the Secret.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(schema_with = "crd::template_data")]
    pub data: BTreeMap<String, Option<String>>,
}

/// What the controller last said about a SealedSecret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealedSecretStatus {
    /// The generation that was last acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One condition, `Synced`.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// What the controller knows the Secret by, so that a restart need not open it again: see docs/threat-model.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

/// One statement about a SealedSecret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is stated: `Synced`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// When the statement was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crd::date_time")]
    pub last_update_time: Option<String>,
    /// When `status` last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crd::date_time")]
    pub last_transition_time: Option<String>,
    /// Why, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, in a sentence; empty when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A map whose values should be text; anything else becomes the empty text, which fails for its own object only.
fn lenient_text_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TextMap, D::Error> {
    struct LenientMap;
    impl<'de> Visitor<'de> for LenientMap {
        type Value = TextMap;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of sealed values")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<TextMap, A::Error> {
            let mut map = TextMap::new();
            while let Some((key, LenientText(text))) = access.next_entry()? {
                map.insert(key, text);
            }
            Ok(map)
        }
        fn visit_unit<E>(self) -> Result<TextMap, E> {
            Ok(TextMap::new())
        }
    }
    deserializer.deserialize_any(LenientMap)
}

struct LenientText(String);

impl<'de> Deserialize<'de> for LenientText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = String;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sealed value")
            }
            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }
            fn visit_string<E>(self, text: String) -> Result<String, E> {
                Ok(text)
            }
            fn visit_bool<E>(self, _: bool) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_i64<E>(self, _: i64) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_u64<E>(self, _: u64) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_f64<E>(self, _: f64) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_unit<E>(self) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<String, A::Error> {
                while access.next_element::<IgnoredAny>()?.is_some() {}
                Ok(String::new())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<String, A::Error> {
                while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(String::new())
            }
        }
        deserializer.deserialize_any(Text).map(LenientText)
    }
}
