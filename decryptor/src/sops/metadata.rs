//! The `sops` branch of a document ⇄ [`Metadata`]. What we do not know is kept.

use super::rules::{NAMES, RuleError, Rules, Selection};

/// What a metadata field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Fields in order.
    List(Vec<Self>),
    /// Named fields.
    Map(Fields),
}

/// Named fields, in order.
pub type Fields = Vec<(String, Field)>;

/// One wrapped copy of the data key, as the document has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The kind of key: `age`, `pgp`, `kms`, …
    pub kind: String,
    /// What the document says of it: its name, and the wrapped data key under `enc`.
    pub fields: Fields,
}

/// What a document says of its keys, its rules and its MAC.
pub struct Metadata {
    /// Which values are encrypted.
    pub rules: Rules,
    /// Who can open the document. One group: any key does. More: enough groups must come together.
    pub key_groups: Vec<Vec<KeyEntry>>,
    /// How many groups are enough; 0 means all.
    pub shamir_threshold: i64,
    /// The version of SOPS that wrote it.
    pub version: String,
    pub(crate) last_modified: String,
    pub(crate) mac: String,
    /// Whether leaves carry the style of the source.
    pub(crate) keeps_layout: bool,
    /// Fields that SOPS does not have.
    other: Fields,
}

/// The version of SOPS whose format we write.
pub const VERSION: &str = "3.13.3";
/// Kinds of keys, in the order in which they are tried.
const KINDS: [&str; 7] = [
    "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "age",
];
/// Says that leaves carry the style of their source; SOPS ignores it, and drops it when it writes its own layout.
const LAYOUT: &str = "layout";
const LAYOUT_OF_SOURCE: &str = "source";

/// Metadata that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// There is none.
    #[error("the document has no sops metadata: it is not encrypted")]
    Missing,
    /// It is not a mapping.
    #[error("the sops entry is not a mapping")]
    NotAMapping,
    /// It stands twice.
    #[error("the document has two sops entries")]
    Twice,
    /// A field does not hold what it must.
    #[error("the metadata field {0} is not {1}")]
    Field(String, &'static str),
    /// A rule cannot be used.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

impl Metadata {
    /// Metadata of a new document.
    pub fn new(rules: Rules, key_groups: Vec<Vec<KeyEntry>>, shamir_threshold: i64) -> Self {
        Self {
            rules,
            key_groups,
            shamir_threshold,
            version: VERSION.to_owned(),
            last_modified: String::new(),
            mac: String::new(),
            keeps_layout: true,
            other: Vec::new(),
        }
    }

    /// When the document was last written, by RFC 3339.
    pub fn last_modified(&self) -> &str {
        &self.last_modified
    }

    /// Reads metadata; `default` are the rules where it names none.
    pub(crate) fn read(fields: &Fields, default: Rules) -> Result<Self, MetadataError> {
        let mut found = Self::new(default, Vec::new(), 0);
        found.version.clear();
        found.keeps_layout = false;
        let mut flat = Vec::new();
        let mut rules = Vec::new();
        let mut only_encrypted = false;
        for (name, field) in fields {
            let lower = name.to_ascii_lowercase();
            match lower.as_str() {
                "lastmodified" => found.last_modified = text(name, field)?,
                "mac" => found.mac = text(name, field)?,
                "version" => found.version = text(name, field)?,
                "shamir_threshold" => found.shamir_threshold = number(name, field)?,
                "mac_only_encrypted" => only_encrypted = truth(name, field)?,
                "key_groups" => found.key_groups = groups(name, field)?,
                LAYOUT if text(name, field)? == LAYOUT_OF_SOURCE => found.keeps_layout = true,
                kind if KINDS.contains(&kind) => flat.extend(entries(kind, field)?),
                rule if NAMES.contains(&rule) => rules.push((lower.clone(), text(name, field)?)),
                _ => found.other.push((name.clone(), field.clone())),
            }
        }
        if !flat.is_empty() {
            flat.sort_by_key(|entry| KINDS.iter().position(|kind| *kind == entry.kind));
            found.key_groups = vec![flat];
        }
        let rules = Rules::read(
            rules
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str())),
        )?;
        if let Some(rules) = rules {
            found.rules = rules;
        }
        found.rules.mac_only_encrypted = only_encrypted;
        Ok(found)
    }

    /// Gives a copy with the same rules, keys and unknown fields.
    pub fn copy(&self) -> Result<Self, MetadataError> {
        Self::read(&self.fields(), Rules::new(Selection::All))
    }

    /// The fields as SOPS writes them: sorted by name on every level, empty ones left out.
    pub(crate) fn fields(&self) -> Fields {
        let mut fields = self.other.clone();
        match self.key_groups.as_slice() {
            [group] => fields.extend(by_kind(group, &[])),
            groups => {
                let groups = groups
                    .iter()
                    .map(|group| Field::Map(by_kind(group, &["age", "hc_vault"])));
                fields.push(("key_groups".to_owned(), Field::List(groups.collect())));
            }
        }
        let mut push = |name: &str, field: Field| fields.push((name.to_owned(), field));
        push("lastmodified", Field::Text(self.last_modified.clone()));
        push("mac", Field::Text(self.mac.clone()));
        push("version", Field::Text(self.version.clone()));
        if self.shamir_threshold != 0 {
            push("shamir_threshold", Field::Int(self.shamir_threshold));
        }
        if self.rules.mac_only_encrypted {
            push("mac_only_encrypted", Field::Bool(true));
        }
        if self.keeps_layout {
            push(LAYOUT, Field::Text(LAYOUT_OF_SOURCE.to_owned()));
        }
        if let Some((name, rule)) = self.rules.field() {
            push(name, Field::Text(rule.to_owned()));
        }
        sort(&mut fields);
        fields
    }

    /// Whether both say the same of everything but the MAC and its time.
    pub(crate) fn same_but_mac(&self, other: &Self) -> bool {
        let fields = |metadata: &Self| -> Fields {
            let fields = metadata.fields().into_iter();
            fields
                .filter(|(name, _)| name != "mac" && name != "lastmodified")
                .collect()
        };
        fields(self) == fields(other)
    }
}

/// The keys of a group under their kinds; those named in `always` even where there are none.
fn by_kind(group: &[KeyEntry], always: &[&str]) -> Fields {
    let mut kinds: Vec<&str> = always.to_vec();
    kinds.extend(group.iter().map(|entry| entry.kind.as_str()));
    kinds.sort_unstable();
    kinds.dedup();
    let of = |kind: &str| {
        let entries = group.iter().filter(|entry| entry.kind == kind);
        Field::List(
            entries
                .map(|entry| Field::Map(entry.fields.clone()))
                .collect(),
        )
    };
    kinds
        .into_iter()
        .map(|kind| (kind.to_owned(), of(kind)))
        .collect()
}

fn sort(fields: &mut Fields) {
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (_, field) in fields {
        sort_within(field);
    }
}

fn sort_within(field: &mut Field) {
    match field {
        Field::Map(fields) => sort(fields),
        Field::List(items) => items.iter_mut().for_each(sort_within),
        _ => {}
    }
}

fn groups(name: &str, field: &Field) -> Result<Vec<Vec<KeyEntry>>, MetadataError> {
    list(name, field)?
        .iter()
        .map(|group| {
            let Field::Map(kinds) = group else {
                return Err(MetadataError::Field(name.to_owned(), "a list of mappings"));
            };
            let mut keys = Vec::new();
            for (kind, field) in kinds {
                keys.extend(entries(kind, field)?);
            }
            keys.sort_by_key(|entry| KINDS.iter().position(|kind| *kind == entry.kind));
            Ok(keys)
        })
        .collect()
}

fn entries(kind: &str, field: &Field) -> Result<Vec<KeyEntry>, MetadataError> {
    list(kind, field)?
        .iter()
        .map(|entry| match entry {
            Field::Map(fields) => Ok(KeyEntry {
                kind: kind.to_owned(),
                fields: fields.clone(),
            }),
            _ => Err(MetadataError::Field(kind.to_owned(), "a list of mappings")),
        })
        .collect()
}

fn list<'f>(name: &str, field: &'f Field) -> Result<&'f [Field], MetadataError> {
    match field {
        Field::List(items) => Ok(items),
        Field::Null => Ok(&[]),
        _ => Err(MetadataError::Field(name.to_owned(), "a list")),
    }
}

fn text(name: &str, field: &Field) -> Result<String, MetadataError> {
    match field {
        Field::Text(text) => Ok(text.clone()),
        Field::Int(value) => Ok(value.to_string()),
        Field::Bool(value) => Ok(value.to_string()),
        Field::Null => Ok(String::new()),
        _ => Err(MetadataError::Field(name.to_owned(), "a text")),
    }
}

fn number(name: &str, field: &Field) -> Result<i64, MetadataError> {
    let text = text(name, field)?;
    match text.is_empty() {
        true => Ok(0),
        false => text
            .parse()
            .map_err(|_| MetadataError::Field(name.to_owned(), "a number")),
    }
}

fn truth(name: &str, field: &Field) -> Result<bool, MetadataError> {
    match text(name, field)?.as_str() {
        "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        _ => Err(MetadataError::Field(name.to_owned(), "true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, text: &str) -> (String, Field) {
        (name.to_owned(), Field::Text(text.to_owned()))
    }

    fn age(recipient: &str) -> Field {
        Field::List(vec![Field::Map(vec![
            field("recipient", recipient),
            field("enc", "E"),
        ])])
    }

    #[test]
    fn fields_come_back_sorted_with_unknown_ones_kept() {
        let fields = vec![
            field("version", "3.9.0"),
            ("age".to_owned(), age("age1a")),
            ("kms".to_owned(), Field::List(Vec::new())),
            field("future", "kept"),
            field("MAC", "m"),
            field("lastmodified", "2024-01-02T03:04:05Z"),
            field("encrypted_regex", "^data$"),
            field("mac_only_encrypted", "1"),
        ];
        let metadata = Metadata::read(&fields, Rules::default()).expect("metadata");
        assert_eq!(metadata.key_groups.len(), 1);
        assert!(metadata.rules.mac_only_encrypted);
        let names: Vec<String> = metadata
            .fields()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [
                "age",
                "encrypted_regex",
                "future",
                "lastmodified",
                "mac",
                "mac_only_encrypted",
                "version"
            ]
        );
        let copy = metadata.copy().expect("the same");
        assert_eq!(copy.fields(), metadata.fields());
    }

    #[test]
    fn several_groups_stand_under_key_groups() {
        let group = |recipient| Field::Map(vec![("age".to_owned(), age(recipient))]);
        let groups = Field::List(vec![group("age1a"), group("age1b")]);
        let fields = vec![
            ("key_groups".to_owned(), groups),
            field("shamir_threshold", "2"),
        ];
        let metadata = Metadata::read(&fields, Rules::default()).expect("metadata");
        assert_eq!(metadata.key_groups.len(), 2);
        assert_eq!(metadata.shamir_threshold, 2);
        let copy = metadata.copy().expect("the same");
        assert_eq!(copy.fields(), metadata.fields());
    }

    #[test]
    fn fields_of_the_wrong_kind_are_refused() {
        for (name, value) in [
            ("age", "text"),
            ("shamir_threshold", "many"),
            ("mac_only_encrypted", "perhaps"),
        ] {
            assert!(
                Metadata::read(&vec![field(name, value)], Rules::default()).is_err(),
                "{name}"
            );
        }
    }
}
