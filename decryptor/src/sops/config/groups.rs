//! The keys of a creation rule: listed flat by kind, or in groups.

use serde_json::{Map, Value};

use super::ConfigError;
use super::section::Section;

/// A master key as a configuration names it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyEntry {
    /// The field of its kind in documents, such as `age` or `hc_vault`.
    pub field: &'static str,
    /// How it is spelled.
    pub key: Spelling,
}

/// The two ways to write a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Spelling {
    /// One text, as on a command line.
    Short(String),
    /// Its parts by name, as configurations name them.
    Long(Map<String, Value>),
}

/// Kinds of keys: the name in a configuration, the field in documents; in the order in which a flat rule lists them.
const KINDS: [(&str, &str); 7] = [
    ("age", "age"),
    ("pgp", "pgp"),
    ("kms", "kms"),
    ("gcp_kms", "gcp_kms"),
    ("hckms", "hckms"),
    ("azure_keyvault", "azure_kv"),
    ("hc_vault_transit_uri", "hc_vault"),
];

/// Kinds as a group lists them: `hc_vault` has a shorter name there.
fn name_in_group(name: &'static str) -> &'static str {
    match name {
        "hc_vault_transit_uri" => "hc_vault",
        name => name,
    }
}

/// The key groups of a rule, and whether that is one of its flat keys. Where it has groups, those do not count: that is warned of.
pub(super) fn read(
    rule: &mut Section,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Vec<KeyEntry>>, bool), ConfigError> {
    let flat = flat(rule)?;
    let sections = rule.sections("key_groups")?.unwrap_or_default();
    if sections.is_empty() {
        return Ok((vec![flat], true));
    }
    if !flat.is_empty() {
        warnings.push(format!(
            "{} has key_groups: its keys outside of them have no effect",
            rule.place()
        ));
    }
    let groups = sections.into_iter().map(|section| {
        let mut keys = Vec::new();
        group(section, &mut keys, warnings)?;
        Ok(keys)
    });
    Ok((groups.collect::<Result<_, _>>()?, false))
}

fn flat(rule: &mut Section) -> Result<Vec<KeyEntry>, ConfigError> {
    let profile = rule
        .text("aws_profile")?
        .filter(|profile| !profile.is_empty());
    let mut keys = Vec::new();
    for (name, field) in KINDS {
        for text in rule.texts(name)? {
            let key = match (&profile, field) {
                (Some(profile), "kms") => Spelling::Long(Map::from_iter([
                    ("arn".to_owned(), Value::from(text)),
                    ("aws_profile".to_owned(), Value::from(profile.as_str())),
                ])),
                _ => Spelling::Short(text),
            };
            add(&mut keys, KeyEntry { field, key });
        }
    }
    Ok(keys)
}

/// Collects a group's keys: first those of the groups it merges, then its own, each once.
fn group(
    mut section: Section,
    keys: &mut Vec<KeyEntry>,
    warnings: &mut Vec<String>,
) -> Result<(), ConfigError> {
    // As deep as the reader of YAML lets it be nested.
    for merged in section.sections("merge")?.unwrap_or_default() {
        group(merged, keys, warnings)?;
    }
    for (name, field) in KINDS {
        for key in spellings(&mut section, name_in_group(name))? {
            add(keys, KeyEntry { field, key });
        }
    }
    section.finish(warnings);
    Ok(())
}

/// A kind's keys in a group: texts, or mappings.
fn spellings(section: &mut Section, name: &'static str) -> Result<Vec<Spelling>, ConfigError> {
    if !section.lists_mappings(name) {
        let texts = section.texts(name)?;
        return Ok(texts.into_iter().map(Spelling::Short).collect());
    }
    let sections = section.sections(name)?.unwrap_or_default();
    let fields = sections.into_iter().map(Section::into_fields);
    Ok(fields.map(Spelling::Long).collect())
}

fn add(keys: &mut Vec<KeyEntry>, key: KeyEntry) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}
