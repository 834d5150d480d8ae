//! Key entries of metadata ⇄ the master keys and wrapped data keys of `keys`.

use jiff::Timestamp;
use keys::backend::{self, unknown::UnknownKey};
use keys::groups::{KeyEntry, KeyGroup, KeyGroups};
use keys::master_key;
use keys::master_key::Wrapped;

use super::MetadataError;
use super::field::{self, Field, Fields};

/// Kinds of keys, in the order in which SOPS reads them from a group.
const KINDS: [&str; 7] = [
    "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "age",
];
/// Kinds that every group of several names, even where it has none.
const ALWAYS: [&str; 2] = ["age", "hc_vault"];

/// Whether a field of metadata is a list of keys: of a kind that SOPS knows, or of one that it does not.
pub(super) fn is_list_of_keys(name: &str, field: &Field) -> bool {
    let has_key = |item: &Field| match item {
        Field::Map(fields) => fields.iter().any(|(name, _)| name == "enc"),
        _ => false,
    };
    match field {
        _ if KINDS.contains(&name) => true,
        Field::List(items) => !items.is_empty() && items.iter().all(has_key),
        _ => false,
    }
}

/// The keys of the list `kind`.
pub(super) fn read(kind: &str, field: &Field) -> Result<Vec<KeyEntry>, MetadataError> {
    let items = field::list(kind, field)?;
    let entries = items.iter().map(|item| match item {
        Field::Map(fields) => entry(kind, fields),
        _ => Err(MetadataError::Field(kind.to_owned(), "a list of mappings")),
    });
    entries.collect()
}

/// Puts the keys of a group in SOPS's order.
pub(super) fn group(mut keys: Vec<KeyEntry>) -> KeyGroup {
    let rank = |entry: &KeyEntry| {
        let known = KINDS.iter().position(|kind| *kind == entry.key.field());
        known.unwrap_or(KINDS.len())
    };
    keys.sort_by_key(rank);
    KeyGroup { keys }
}

/// The groups of `key_groups`.
pub(super) fn read_groups(name: &str, field: &Field) -> Result<Vec<KeyGroup>, MetadataError> {
    let groups = field::list(name, field)?.iter().map(|item| {
        let Field::Map(kinds) = item else {
            return Err(MetadataError::Field(name.to_owned(), "a list of mappings"));
        };
        let mut keys = Vec::new();
        for (kind, field) in kinds {
            keys.extend(read(&kind.to_ascii_lowercase(), field)?);
        }
        Ok(group(keys))
    });
    groups.collect()
}

/// The fields that say who can open a document.
pub(super) fn write(groups: &KeyGroups) -> Fields {
    let mut fields = match groups.groups.as_slice() {
        [group] => by_kind(group, &[]),
        groups => {
            let groups = groups
                .iter()
                .map(|group| Field::Map(by_kind(group, &ALWAYS)));
            vec![("key_groups".to_owned(), Field::List(groups.collect()))]
        }
    };
    let threshold = match (groups.threshold, groups.groups.len()) {
        (0, count @ 2..) => count,
        (threshold, _) => threshold,
    };
    if let Ok(threshold @ 1..) = i64::try_from(threshold) {
        fields.push(("shamir_threshold".to_owned(), Field::Int(threshold)));
    }
    fields
}

/// The keys of a group under their kinds; those named in `always` even where there are none.
fn by_kind(group: &KeyGroup, always: &[&str]) -> Fields {
    let mut kinds: Vec<&str> = always.to_vec();
    kinds.extend(group.keys.iter().map(|entry| entry.key.field()));
    kinds.sort_unstable();
    kinds.dedup();
    let of = |kind: &str| {
        let entries = group.keys.iter().filter(|entry| entry.key.field() == kind);
        Field::List(entries.map(fields).collect())
    };
    kinds
        .into_iter()
        .map(|kind| (kind.to_owned(), of(kind)))
        .collect()
}

/// An entry that its kind cannot read is kept as it is: the others may open the document.
fn entry(kind: &str, fields: &Fields) -> Result<KeyEntry, MetadataError> {
    let mut named = master_key::Fields::default();
    let mut enc = String::new();
    let mut created_at = None;
    for (name, value) in fields {
        match name.to_ascii_lowercase().as_str() {
            "enc" => enc = field::text(name, value)?,
            "created_at" => created_at = time(name, value)?,
            _ => named.0.push((name.clone(), to_keys(value))),
        }
    }
    let unknown = |_| Box::new(UnknownKey::new(kind, named.clone())) as _;
    Ok(KeyEntry {
        key: backend::load(kind, &named).unwrap_or_else(unknown),
        wrapped: (!enc.is_empty()).then_some(Wrapped { enc, created_at }),
    })
}

fn time(name: &str, value: &Field) -> Result<Option<Timestamp>, MetadataError> {
    let text = field::text(name, value)?;
    let wrong = |_| MetadataError::Field(name.to_owned(), "a time by RFC 3339");
    match text.is_empty() {
        true => Ok(None),
        false => text.parse().map(Some).map_err(wrong),
    }
}

fn fields(entry: &KeyEntry) -> Field {
    let mut fields = of_keys(&entry.key.fields());
    if let Some(Wrapped { enc, created_at }) = &entry.wrapped {
        if let Some(time) = created_at {
            let time = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            fields.push(("created_at".to_owned(), Field::Text(time)));
        }
        fields.push(("enc".to_owned(), Field::Text(enc.clone())));
    }
    Field::Map(fields)
}

fn of_keys(fields: &master_key::Fields) -> Fields {
    let named = |(name, field): &(String, master_key::Field)| (name.clone(), field_of_keys(field));
    fields.0.iter().map(named).collect()
}

fn field_of_keys(field: &master_key::Field) -> Field {
    match field {
        master_key::Field::Text(text) => Field::Text(text.clone()),
        master_key::Field::Map(fields) => Field::Map(of_keys(fields)),
        master_key::Field::List(items) => Field::List(items.iter().map(field_of_keys).collect()),
    }
}

fn to_keys(field: &Field) -> master_key::Field {
    match field {
        Field::Null => master_key::Field::Text(String::new()),
        Field::Bool(value) => master_key::Field::Text(value.to_string()),
        Field::Int(value) => master_key::Field::Text(value.to_string()),
        Field::Text(text) => master_key::Field::Text(text.clone()),
        Field::List(items) => master_key::Field::List(items.iter().map(to_keys).collect()),
        Field::Map(fields) => {
            let named = |(name, field): &(String, Field)| (name.clone(), to_keys(field));
            master_key::Field::Map(master_key::Fields(fields.iter().map(named).collect()))
        }
    }
}
