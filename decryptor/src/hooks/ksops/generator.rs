//! The settings of a generator: which files to open, and which Secrets to make of them.

use std::collections::BTreeMap;
use std::path::Path;

use keys::Plaintext;
use serde_json::{Map, Value};

use super::secret;
use crate::hooks::failure::Failure;
use crate::hooks::open::{Opened, Wanted};
use crate::manifest::text_of_scalar;

/// A generator as it is configured.
pub(super) struct Generator {
    files: Vec<String>,
    secrets: Vec<SecretFrom>,
    unknown: Vec<String>,
}

/// A Secret to be made.
pub(super) struct SecretFrom {
    pub(super) metadata: Metadata,
    pub(super) kind: String,
    pub(super) files: Vec<Source>,
    pub(super) binary_files: Vec<Source>,
    pub(super) environments: Vec<String>,
}

/// What a Secret is called and marked with.
#[derive(Default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// A file, and the key that it gets in a Secret.
pub(super) struct Source {
    pub(super) key: String,
    pub(super) path: String,
}

/// One thing that a generator generates.
pub(super) enum Part<'g> {
    /// A file's own objects.
    File(usize),
    /// A Secret of several files, each by its number.
    Secret {
        from: &'g SecretFrom,
        files: Vec<usize>,
        binary_files: Vec<usize>,
        environments: Vec<usize>,
    },
}

impl Generator {
    /// Reads the settings.
    pub(super) fn read(settings: &Value) -> Result<Self, Failure> {
        let name = settings.pointer("/metadata/name").and_then(Value::as_str);
        let place = format!("generator {:?}", name.unwrap_or_default());
        Self::of(settings).map_err(|failure| failure.at(place))
    }

    fn of(settings: &Value) -> Result<Self, Failure> {
        let Some(fields) = settings.as_object() else {
            return Err(Failure::new("its settings are no object"));
        };
        let (files, secrets) = (field(fields, "files"), field(fields, "secretFrom"));
        if files.is_none() && secrets.is_none() {
            return Err(Failure::new("it has neither `files` nor `secretFrom`")
                .hint("name the encrypted files under `files`"));
        }
        let mut unknown = Vec::new();
        let secrets = list(secrets, "secretFrom")?.iter();
        let secrets = secrets.map(|from| SecretFrom::read(from, &mut unknown));
        Ok(Self {
            files: texts(files, "files")?,
            secrets: secrets.collect::<Result<_, _>>()?,
            unknown,
        })
    }

    /// What it generates, in order; the files for it are wanted then.
    pub(super) fn parts(&self, wanted: &mut Wanted) -> Vec<Part<'_>> {
        let files = self.files.iter().map(|path| Part::File(wanted.add(path)));
        let mut parts: Vec<_> = files.collect();
        parts.extend(self.secrets.iter().map(|from| from.part(wanted)));
        parts
    }

    /// What people should know of the settings.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.unknown
            .iter()
            .map(|name| format!("secretFrom has no field {name:?}: it has no effect"))
    }
}

impl SecretFrom {
    fn read(value: &Value, unknown: &mut Vec<String>) -> Result<Self, Failure> {
        let Some(fields) = value.as_object() else {
            return Err(Failure::new("an item of `secretFrom` is no object"));
        };
        const KNOWN: [&str; 5] = ["metadata", "type", "files", "binaryFiles", "envs"];
        let is_known = |name: &str| KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
        unknown.extend(fields.keys().filter(|name| !is_known(name)).cloned());
        let sources = |name| {
            let entries = texts(field(fields, name), name)?;
            let sources = entries.iter().map(|entry| Source::read(entry));
            sources.collect::<Result<Vec<_>, Failure>>()
        };
        Ok(Self {
            metadata: Metadata::read(field(fields, "metadata"))?,
            kind: text(field(fields, "type"), "type")?,
            files: sources("files")?,
            binary_files: sources("binaryFiles")?,
            environments: texts(field(fields, "envs"), "envs")?,
        })
    }

    fn part(&self, wanted: &mut Wanted) -> Part<'_> {
        let mut add = |path: &str| wanted.add(path);
        Part::Secret {
            from: self,
            files: self.files.iter().map(|file| add(&file.path)).collect(),
            binary_files: self
                .binary_files
                .iter()
                .map(|file| add(&file.path))
                .collect(),
            environments: self.environments.iter().map(|path| add(path)).collect(),
        }
    }
}

impl Metadata {
    fn read(value: Option<&Value>) -> Result<Self, Failure> {
        let Some(value) = value else {
            return Ok(Self::default());
        };
        let Some(fields) = value.as_object() else {
            return Err(Failure::new("`metadata` of `secretFrom` is no object"));
        };
        Ok(Self {
            name: text(field(fields, "name"), "name")?,
            namespace: text(field(fields, "namespace"), "namespace")?,
            labels: text_map(field(fields, "labels"), "labels")?,
            annotations: text_map(field(fields, "annotations"), "annotations")?,
        })
    }
}

impl Source {
    /// A path whose last part is the key, or `key=path`.
    fn read(entry: &str) -> Result<Self, Failure> {
        let (key, path) = match entry.split_once('=') {
            Some((_, path)) if path.contains('=') => {
                return Err(Failure::new(format!(
                    "{entry:?} has more than one `=`: neither key nor path can have one"
                )));
            }
            Some((key, path)) => (key.to_owned(), path),
            None => {
                let name = Path::new(entry).file_name().unwrap_or_default();
                (name.to_string_lossy().into_owned(), entry)
            }
        };
        match key.is_empty() || path.is_empty() {
            true => Err(Failure::new(format!(
                "{entry:?} is neither PATH nor KEY=PATH"
            ))),
            false => Ok(Self {
                key,
                path: path.to_owned(),
            }),
        }
    }
}

impl Part<'_> {
    /// What it is, in words for people.
    pub(super) fn place(&self, wanted: &Wanted) -> String {
        match self {
            Self::File(number) => wanted.path(*number).to_owned(),
            Self::Secret { from, .. } => format!("Secret {:?}", from.metadata.name),
        }
    }

    /// What it is, in YAML.
    pub(super) fn yaml(&self, wanted: &Wanted, opened: &Opened) -> Result<Plaintext, Failure> {
        let made = match self {
            Self::File(number) => {
                let text = opened.texts[*number].expose_secret();
                return Ok(Plaintext::new(text.to_vec()));
            }
            Self::Secret {
                from,
                files,
                binary_files,
                environments,
            } => {
                let texts = |numbers: &[usize]| -> Vec<(&str, &[u8])> {
                    let of = |number: &usize| {
                        (wanted.path(*number), opened.texts[*number].expose_secret())
                    };
                    numbers.iter().map(of).collect()
                };
                secret::yaml(
                    from,
                    &texts(files),
                    &texts(binary_files),
                    &texts(environments),
                )
            }
        };
        made.map_err(|failure| failure.at(self.place(wanted)))
    }
}

/// A field by its name, which Go's reader finds in any case. Null is none.
fn field<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    let found = fields.get(name).or_else(|| {
        let any_case = fields
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        any_case.map(|(_, value)| value)
    });
    found.filter(|value| !value.is_null())
}

fn list<'v>(value: Option<&'v Value>, name: &str) -> Result<&'v [Value], Failure> {
    match value {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Failure::new(format!("`{name}` is no list"))),
    }
}

fn text(value: Option<&Value>, name: &str) -> Result<String, Failure> {
    let text = value.map_or_else(|| Some(String::new()), text_of_scalar);
    text.ok_or_else(|| Failure::new(format!("`{name}` is no text")))
}

fn texts(value: Option<&Value>, name: &str) -> Result<Vec<String>, Failure> {
    let items = list(value, name)?.iter();
    items.map(|item| text(Some(item), name)).collect()
}

fn text_map(value: Option<&Value>, name: &str) -> Result<BTreeMap<String, String>, Failure> {
    match value {
        None => Ok(BTreeMap::new()),
        Some(Value::Object(map)) => {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| Ok((key.clone(), text(Some(value), name)?)));
            entries.collect()
        }
        Some(_) => Err(Failure::new(format!("`{name}` is no mapping"))),
    }
}
