//! The `sops` branch of a document ⇄ [`Metadata`]. What we do not know is kept.

mod entries;
mod field;

use keys::groups::KeyGroups;

use super::rules::{NAMES, RuleError, Rules, Selection};
use field::{number, sort, text, truth};

pub(crate) use field::{Field, Fields};

/// What a document says of its keys, its rules and its MAC.
pub struct Metadata {
    /// Which values are encrypted.
    pub rules: Rules,
    /// Who can open the document, and the data key wrapped for each of them.
    pub key_groups: KeyGroups,
    /// The version of SOPS that wrote it.
    pub version: String,
    pub(crate) last_modified: String,
    pub(crate) mac: String,
    /// Whether leaves carry the style of the source.
    pub(crate) keeps_layout: bool,
    /// How values are written where their style does not say so, encrypted.
    pub(crate) written: Option<String>,
    /// Fields that SOPS does not have.
    other: Fields,
}

/// The version of SOPS whose format we write.
pub const VERSION: &str = "3.13.3";
/// Says that leaves carry the style of their source; SOPS ignores it, and drops it when it writes its own layout.
const LAYOUT: &str = "layout";
const LAYOUT_OF_SOURCE: &str = "source";
/// Holds the sources of values, encrypted; SOPS ignores and drops it, too.
const WRITTEN: &str = "written";

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
    pub fn new(rules: Rules, key_groups: KeyGroups) -> Self {
        Self {
            rules,
            key_groups,
            version: VERSION.to_owned(),
            last_modified: String::new(),
            mac: String::new(),
            keeps_layout: true,
            written: None,
            other: Vec::new(),
        }
    }

    /// When the document was last written, by RFC 3339.
    pub fn last_modified(&self) -> &str {
        &self.last_modified
    }

    /// Reads metadata; `default` are the rules where it names none.
    pub(crate) fn read(fields: &Fields, default: Rules) -> Result<Self, MetadataError> {
        let mut found = Self::new(default, KeyGroups::default());
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
                "shamir_threshold" => found.key_groups.threshold = number(name, field)?,
                "mac_only_encrypted" => only_encrypted = truth(name, field)?,
                "key_groups" => found.key_groups.groups = entries::read_groups(name, field)?,
                LAYOUT if text(name, field)? == LAYOUT_OF_SOURCE => found.keeps_layout = true,
                WRITTEN if matches!(field, Field::Text(_)) => {
                    found.written = Some(text(name, field)?);
                }
                kind if entries::is_list_of_keys(kind, field) => {
                    flat.extend(entries::read(kind, field)?);
                }
                rule if NAMES.contains(&rule) => rules.push((lower.clone(), text(name, field)?)),
                _ => found.other.push((name.clone(), field.clone())),
            }
        }
        if !flat.is_empty() {
            found.key_groups.groups = vec![entries::group(flat)];
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

    /// Whether it has what every encrypted document has: a MAC and a version.
    pub fn is_complete(&self) -> bool {
        !self.mac.is_empty() && !self.version.is_empty()
    }

    /// Writes the version of the format that we write, if the document's is an older one.
    pub fn raise_version(&mut self) {
        let parts = |version: &str| -> Vec<u64> {
            let parts = version.split(['.', '-', '+']).take(3);
            parts.map(|part| part.parse().unwrap_or(0)).collect()
        };
        if parts(&self.version) < parts(VERSION) {
            VERSION.clone_into(&mut self.version);
        }
    }

    /// Gives a copy with the same rules, keys and unknown fields.
    pub fn copy(&self) -> Result<Self, MetadataError> {
        Self::read(&self.fields(), Rules::new(Selection::All))
    }

    /// The fields as SOPS writes them: sorted by name on every level, empty ones left out.
    pub(crate) fn fields(&self) -> Fields {
        let mut fields = self.other.clone();
        fields.extend(entries::write(&self.key_groups));
        let mut push = |name: &str, field: Field| fields.push((name.to_owned(), field));
        push("lastmodified", Field::Text(self.last_modified.clone()));
        push("mac", Field::Text(self.mac.clone()));
        push("version", Field::Text(self.version.clone()));
        if self.rules.mac_only_encrypted {
            push("mac_only_encrypted", Field::Bool(true));
        }
        if self.keeps_layout {
            push(LAYOUT, Field::Text(LAYOUT_OF_SOURCE.to_owned()));
        }
        if let Some(written) = &self.written {
            push(WRITTEN, Field::Text(written.clone()));
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
        assert_eq!(metadata.key_groups.groups.len(), 1);
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
        assert_eq!(metadata.key_groups.groups.len(), 2);
        assert_eq!(metadata.key_groups.threshold, 2);
        let copy = metadata.copy().expect("the same");
        assert_eq!(copy.fields(), metadata.fields());
    }

    #[test]
    fn keys_of_kinds_that_nobody_knows_are_kept() {
        let entry = |at: &str| {
            Field::List(vec![Field::Map(vec![
                field("created_at", at),
                field("enc", "E"),
                field("name", "n"),
            ])])
        };
        let read = |at| Metadata::read(&vec![("moon".to_owned(), entry(at))], Rules::default());
        let metadata = read("2024-01-02T03:04:05Z").expect("metadata");
        assert_eq!(metadata.key_groups.groups[0].keys[0].key.field(), "moon");
        let fields = metadata.fields();
        let moon = fields.iter().find(|(name, _)| name == "moon");
        assert_eq!(
            moon.map(|(_, field)| field),
            Some(&entry("2024-01-02T03:04:05Z"))
        );
        assert!(read("yesterday").is_err());
    }

    #[test]
    fn a_version_is_raised_and_never_lowered() {
        for (before, after) in [
            ("3.9.4", VERSION),
            ("", VERSION),
            ("3.13.3", VERSION),
            ("3.14.0", "3.14.0"),
        ] {
            let mut metadata = Metadata::new(Rules::default(), KeyGroups::default());
            before.clone_into(&mut metadata.version);
            metadata.raise_version();
            assert_eq!(metadata.version, after);
        }
    }

    #[test]
    fn fields_of_the_wrong_kind_are_refused() {
        for (name, value) in [
            ("shamir_threshold", "-1"),
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
