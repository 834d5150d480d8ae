//! From a SealedSecret to the Secret that is to stand in the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keys::{KeyRing, Label, Plaintext};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::hint::{self, KeyHints};
use super::resource::{API_VERSION, KIND, Metadata, SealedSecret, TextMap};
use super::template::{Ambient, Limits, Series, Template};
use super::{SKIP_SET_OWNER_REFERENCES, is_true};

/// After so many values that do not open, no further one is tried.
const MOST_FAILURES: usize = 64;

/// How to unseal.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether `spec.data`, the form from before 2018, is opened.
    pub accept_deprecated_data: bool,
    /// Bounds on all templates together, and what a missing key means in them.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            accept_deprecated_data: true,
            limits: Limits::default(),
        }
    }
}

/// The Secret that is to stand in the cluster. It holds clear text: no `Debug`, no `Clone`.
pub struct Unsealed {
    /// The SealedSecret's namespace.
    pub namespace: String,
    /// The SealedSecret's name.
    pub name: String,
    /// Labels that the template sets.
    pub labels: TextMap,
    /// Annotations that the template sets.
    pub annotations: TextMap,
    /// One reference to the SealedSecret; or, when the template asks for no owner, what it says instead.
    pub owner_references: Vec<Value>,
    /// The Secret's type. `None` leaves it to the API server (`Opaque`).
    pub type_: Option<String>,
    /// Whether the Secret's data may not change.
    pub immutable: Option<bool>,
    /// The values.
    pub data: BTreeMap<String, Plaintext>,
    /// Keys whose template draws randomness or reads the clock: another rendering would differ.
    pub varying: BTreeSet<String>,
    /// Fields of the template's metadata that do not go to the Secret, such as `finalizers`.
    pub dropped: Vec<String>,
}

/// Why a SealedSecret cannot become a Secret. It names keys and never shows a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// Some items failed; the others were looked at too.
    #[error("{}", describe(.0))]
    Items(Vec<(String, ItemError)>),
    /// `spec.data` does not open, or is no Secret inside.
    #[error("{0}")]
    Data(ItemError),
    /// `spec.data` is not accepted here.
    #[error(
        "the deprecated field 'data' is not accepted here: seal the Secret again, or start with --accept-deprecated-v1-data"
    )]
    DeprecatedData,
    /// Both forms in one object.
    #[error("'encryptedData' and the deprecated field 'data' cannot stand in it at the same time")]
    BothForms,
}

/// Why one item cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// No sealing key opens it under this name, namespace and scope.
    #[error("no key could decrypt secret")]
    NoKey,
    /// It is not base64.
    #[error("illegal base64 data")]
    NotBase64,
    /// So many others failed that it was left alone: each costs a private-key operation per sealing key.
    #[error("not tried, as too many others failed")]
    NotTried,
    /// What it holds is not the JSON of a Secret.
    #[error("the sealed data is not a Secret")]
    NotASecret,
    /// The template does not parse or render. The text never holds a value.
    #[error("{0}")]
    Template(String),
}

/// Equal reasons once, with the keys they are for in parentheses.
fn describe(errors: &[(String, ItemError)]) -> String {
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, error) in errors {
        by_reason.entry(error.to_string()).or_default().push(key);
    }
    let line = |(reason, keys): (&String, &Vec<&str>)| format!("{reason} ({})", keys.join(", "));
    by_reason.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Opens every value and renders every template of a SealedSecret, or says why not.
///
/// The result's name, namespace and owner are the SealedSecret's, whatever its template says. From the template's
/// metadata go labels and annotations, and owner references when it asks for no owner of ours; nothing else.
pub fn unseal(
    sealed: &SealedSecret,
    ring: &KeyRing,
    options: &Options,
) -> Result<Unsealed, UnsealError> {
    let metadata = &sealed.metadata;
    let label = sealed.scope().label(&metadata.namespace, &metadata.name);
    let mut secret = match &sealed.spec.data {
        Some(_) if !sealed.spec.encrypted_data.is_empty() => return Err(UnsealError::BothForms),
        Some(_) if !options.accept_deprecated_data => return Err(UnsealError::DeprecatedData),
        Some(data) => open_deprecated(data, ring, &label).map_err(UnsealError::Data)?,
        None => open_items(sealed, ring, &label, &options.limits)?,
    };
    secret.namespace.clone_from(&metadata.namespace);
    secret.name.clone_from(&metadata.name);
    secret.annotations.remove(hint::ANNOTATION);
    if !is_true(
        &sealed.spec.template.metadata.annotations,
        SKIP_SET_OWNER_REFERENCES,
    ) {
        secret.owner_references = owner(metadata).into_iter().collect();
    }
    Ok(secret)
}

/// Whether every value opens, without rendering a template: whether that works could tell something about the values.
pub fn verify(sealed: &SealedSecret, ring: &KeyRing, accept_deprecated_data: bool) -> bool {
    let label = sealed
        .scope()
        .label(&sealed.metadata.namespace, &sealed.metadata.name);
    let opens = |text: &str, item: &str| {
        let hint = KeyHints::of_annotations(&sealed.metadata.annotations).of(item);
        decode(text).is_some_and(|bytes| ring.open(&bytes, &label, hint).is_ok())
    };
    match &sealed.spec.data {
        Some(data) => {
            accept_deprecated_data && sealed.spec.encrypted_data.is_empty() && opens(data, "")
        }
        // Each value is opened even after a failure, so that the time says nothing about which one failed.
        None => sealed
            .spec
            .encrypted_data
            .iter()
            .fold(true, |all, (key, text)| opens(text, key) & all),
    }
}

/// The reference that makes the SealedSecret the Secret's owner. `None` outside a cluster, where it has no identity.
fn owner(metadata: &Metadata) -> Option<Value> {
    (!metadata.uid.is_empty()).then(|| {
        json!({
            "apiVersion": API_VERSION, "kind": KIND, "name": metadata.name, "uid": metadata.uid, "controller": true,
        })
    })
}

fn open_items(
    sealed: &SealedSecret,
    ring: &KeyRing,
    label: &Label,
    limits: &Limits,
) -> Result<Unsealed, UnsealError> {
    let template = &sealed.spec.template;
    let hints = KeyHints::of_annotations(&sealed.metadata.annotations);
    let mut errors = Vec::new();
    let mut data = BTreeMap::new();
    for (key, text) in &sealed.spec.encrypted_data {
        if errors.len() >= MOST_FAILURES {
            errors.push((key.clone(), ItemError::NotTried));
            continue;
        }
        match decode(text).ok_or(ItemError::NotBase64).and_then(|bytes| {
            ring.open(&bytes, label, hints.of(key))
                .map_err(|_| ItemError::NoKey)
        }) {
            Ok(opened) => drop(data.insert(key.clone(), opened.plaintext)),
            Err(error) => errors.push((key.clone(), error)),
        }
    }
    if !errors.is_empty() {
        return Err(UnsealError::Items(errors));
    }
    let (rendered, varying) = render(&template.data, &data, limits).map_err(UnsealError::Items)?;
    for (key, value) in rendered {
        data.entry(key).or_insert(value);
    }
    data.retain(|key, _| template.data.get(key) != Some(&None));
    Ok(Unsealed {
        namespace: String::new(),
        name: String::new(),
        labels: template.metadata.labels.clone(),
        annotations: template.metadata.annotations.clone(),
        owner_references: owner_references(&template.metadata),
        type_: template.type_.clone().filter(|text| !text.is_empty()),
        immutable: template.immutable,
        data,
        varying,
        dropped: dropped(&template.metadata),
    })
}

type Rendered = (BTreeMap<String, Plaintext>, BTreeSet<String>);

/// Renders each template with the decrypted values and, behind them, the source texts of all templates.
fn render(
    sources: &BTreeMap<String, Option<String>>,
    data: &BTreeMap<String, Plaintext>,
    limits: &Limits,
) -> Result<Rendered, Vec<(String, ItemError)>> {
    if sources.is_empty() {
        return Ok(Rendered::default());
    }
    let mut dot: BTreeMap<String, Zeroizing<Vec<u8>>> = BTreeMap::new();
    for (key, source) in sources {
        dot.extend(
            source
                .iter()
                .map(|text| (key.clone(), Zeroizing::new(text.clone().into_bytes()))),
        );
    }
    dot.extend(
        data.iter()
            .map(|(key, value)| (key.clone(), Zeroizing::new(value.expose_secret().to_vec()))),
    );
    let mut series = Series::new(&dot, limits);
    let (mut rendered, mut varying, mut errors) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    for (key, source) in sources
        .iter()
        .filter_map(|(key, source)| Some((key, source.as_ref()?)))
    {
        let result = Template::parse(key, source).and_then(|template| {
            let ambient = Ambient::default();
            let value = series.render(&template, &ambient)?;
            Ok((value, ambient.was_used()))
        });
        match result {
            Ok((value, varies)) => {
                rendered.insert(key.clone(), Plaintext::from(value));
                if varies && !data.contains_key(key) {
                    varying.insert(key.clone());
                }
            }
            Err(error) => errors.push((key.clone(), ItemError::Template(error.to_string()))),
        }
    }
    if errors.is_empty() {
        Ok((rendered, varying))
    } else {
        Err(errors)
    }
}

/// Base64 as Go reads it: standard alphabet, padded, line ends passed over.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| matches!(byte, b'\r' | b'\n')) {
        let joined: Vec<u8> = text
            .bytes()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect();
        return STANDARD.decode(joined).ok();
    }
    STANDARD.decode(text).ok()
}

fn owner_references(metadata: &Metadata) -> Vec<Value> {
    metadata
        .other
        .get("ownerReferences")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// What stands in the template's metadata and does not go to the Secret.
fn dropped(metadata: &Metadata) -> Vec<String> {
    let skip = is_true(&metadata.annotations, SKIP_SET_OWNER_REFERENCES);
    let means_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    let others = metadata
        .other
        .iter()
        .filter(|(_, value)| !means_nothing(value))
        .map(|(name, _)| name.as_str());
    let identity = [
        ("uid", metadata.uid.is_empty()),
        ("resourceVersion", metadata.resource_version.is_empty()),
    ];
    let identity = identity
        .into_iter()
        .filter(|(_, empty)| !empty)
        .map(|(name, _)| name);
    others
        .filter(|name| !(skip && *name == "ownerReferences"))
        .chain(identity)
        .chain(metadata.generation.map(|_| "generation"))
        .map(str::to_owned)
        .collect()
}

/// The form from before 2018: one sealed value that holds the whole Secret as JSON.
fn open_deprecated(data: &str, ring: &KeyRing, label: &Label) -> Result<Unsealed, ItemError> {
    let bytes = decode(data).ok_or(ItemError::NotBase64)?;
    let opened = ring
        .open(&bytes, label, None)
        .map_err(|_| ItemError::NoKey)?;
    let secret: StoredSecret = serde_json::from_slice(opened.plaintext.expose_secret())
        .map_err(|_| ItemError::NotASecret)?;
    let mut data = BTreeMap::new();
    for (key, text) in secret.data {
        let text = Zeroizing::new(text.unwrap_or_default());
        data.insert(
            key,
            Plaintext::new(decode(&text).ok_or(ItemError::NotASecret)?),
        );
    }
    Ok(Unsealed {
        namespace: String::new(),
        name: String::new(),
        owner_references: owner_references(&secret.metadata),
        dropped: dropped(&secret.metadata),
        labels: secret.metadata.labels,
        annotations: secret.metadata.annotations,
        type_: secret.type_.filter(|text| !text.is_empty()),
        immutable: secret.immutable,
        data,
        varying: BTreeSet::new(),
    })
}

#[derive(serde::Deserialize)]
struct StoredSecret {
    #[serde(default)]
    metadata: Metadata,
    #[serde(rename = "type", default)]
    type_: Option<String>,
    #[serde(default)]
    immutable: Option<bool>,
    #[serde(default, deserialize_with = "super::resource::null_is_default")]
    data: BTreeMap<String, Option<String>>,
}

impl Unsealed {
    /// The Secret as the JSON that the API server takes; zeroed when dropped.
    ///
    /// `resource_version` is set where an existing Secret is to be replaced, and then only that version is.
    pub fn to_json(&self, resource_version: Option<&str>) -> Zeroizing<Vec<u8>> {
        let size: usize = self
            .data
            .iter()
            .map(|(key, value)| key.len() + value.len() * 4 / 3 + 8)
            .sum();
        let mut out = Zeroizing::new(Vec::with_capacity(size + 4096));
        let secret = SecretJson {
            api_version: "v1",
            kind: "Secret",
            metadata: MetadataJson {
                name: &self.name,
                namespace: &self.namespace,
                resource_version,
                labels: &self.labels,
                annotations: &self.annotations,
                owner_references: &self.owner_references,
            },
            type_: self.type_.as_deref(),
            immutable: self.immutable,
            data: DataJson(&self.data),
        };
        serde_json::to_writer(&mut *out, &secret).expect("maps of text, written to memory");
        out
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretJson<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: MetadataJson<'a>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    type_: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
    data: DataJson<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetadataJson<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_version: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a TextMap,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a TextMap,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    owner_references: &'a [Value],
}

struct DataJson<'a>(&'a BTreeMap<String, Plaintext>);

impl Serialize for DataJson<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Base64<'a>(&'a Plaintext);
        impl Serialize for Base64<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&Zeroizing::new(STANDARD.encode(self.0.expose_secret())))
            }
        }
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, Base64(value))))
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Unsealed({}/{}, {} keys)",
            self.namespace,
            self.name,
            self.data.len()
        )
    }
}
