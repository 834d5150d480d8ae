//! `.sops.yaml`: which keys and rules a new file gets, by its path.

mod groups;
mod section;

use serde_json::Value;

use self::section::Section;
use crate::go_pattern::{self, Pattern};
use crate::manifest::{self, ReadError};
use crate::sops::rules::{self, RuleError, Rules};

pub use self::groups::{KeyEntry, Spelling};

/// A configuration file, read and checked whole: a pattern that does not compile refuses all of it.
pub struct Config {
    /// `None` where the file has no rules at all: it then counts as no configuration.
    rules: Option<Vec<CreationRule>>,
    /// How documents are indented.
    pub indents: Indents,
    /// What is not understood and so has no effect, a line each.
    pub warnings: Vec<String>,
}

/// What new files get whose path matches.
pub struct CreationRule {
    path: Option<Pattern>,
    /// Key groups; of each, any one key opens its share.
    pub groups: Vec<Vec<KeyEntry>>,
    /// Whether the keys are listed flat, by kind: then flags may say more of those in AWS KMS.
    pub is_flat: bool,
    /// How many groups must be opened. `None` means all.
    pub shamir_threshold: Option<u8>,
    /// Which values are encrypted. `None` leaves it to the flags, or to the default.
    pub rules: Option<Rules>,
    /// Whether the MAC leaves out values in clear.
    pub mac_only_encrypted: bool,
}

/// Spaces per level, by format. `None` leaves the format's default.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Indents {
    /// YAML: at least 1.
    pub yaml: Option<u8>,
    /// JSON: 0 breaks lines without indentation.
    pub json: Option<u8>,
    /// The JSON around a binary document.
    pub json_binary: Option<u8>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not YAML.
    #[error("it cannot be read as YAML")]
    Syntax(#[source] ReadError),
    /// Something has another shape than it must.
    #[error("{place} must be {wanted}")]
    Shape {
        /// The path to it, such as `creation_rules[0].age`.
        place: String,
        /// What is wanted there.
        wanted: &'static str,
    },
    /// Encryption rules that cannot be used.
    #[error("{place}")]
    Rules {
        /// The creation rule.
        place: String,
        /// Why.
        source: RuleError,
    },
}

impl Config {
    /// Reads a configuration file. Only its first document counts.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        let documents = manifest::read(text).map_err(ConfigError::Syntax)?;
        let first = documents.into_iter().next();
        let value = first.map_or(Value::Null, manifest::Document::into_value);
        let mut warnings = Vec::new();
        let mut top = Section::new(String::new(), value)?;
        let rules = top.sections("creation_rules")?;
        let rules = rules
            .map(|all| {
                all.into_iter()
                    .map(|section| CreationRule::read(section, &mut warnings))
                    .collect()
            })
            .transpose()?;
        let indents = Indents::read(&mut top, &mut warnings)?;
        // Where files are published to is no matter of encryption.
        top.take("destination_rules");
        top.finish(&mut warnings);
        Ok(Self {
            rules,
            indents,
            warnings,
        })
    }

    /// Whether the file has creation rules, be they none.
    pub fn has_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// The first rule for a path: relative to the configuration's folder if it lies in it, else absolute.
    pub fn rule_for(&self, path: &str) -> Option<&CreationRule> {
        self.rules.iter().flatten().find(|rule| {
            rule.path
                .as_ref()
                .is_none_or(|pattern| pattern.regex.is_match(path.as_bytes()))
        })
    }
}

impl CreationRule {
    /// Whether it is for certain paths. Else it is for every file.
    pub fn names_paths(&self) -> bool {
        self.path.is_some()
    }

    fn read(mut section: Section, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let path = section.text("path_regex")?.filter(|text| !text.is_empty());
        let path = path
            .map(|text| {
                compile(&text).ok_or_else(|| section.refuse("path_regex", "a regular expression"))
            })
            .transpose()?;
        let (groups, is_flat) = groups::read(&mut section, warnings)?;
        let rule = Self {
            path,
            rules: selection(&mut section)?,
            groups,
            is_flat,
            shamir_threshold: section
                .number("shamir_threshold")?
                .filter(|number| *number > 0),
            mac_only_encrypted: section.flag("mac_only_encrypted")?,
        };
        section.finish(warnings);
        Ok(rule)
    }
}

fn compile(source: &str) -> Option<Pattern> {
    go_pattern::translate(source.as_bytes())?.compile()
}

fn selection(section: &mut Section) -> Result<Option<Rules>, ConfigError> {
    let mut fields = Vec::new();
    for name in rules::NAMES {
        fields.extend(section.text(name)?.map(|text| (name, text)));
    }
    let fields = fields.iter().map(|(name, text)| (*name, text.as_str()));
    Rules::read(fields).map_err(|source| ConfigError::Rules {
        place: section.place().to_owned(),
        source,
    })
}

impl Indents {
    fn read(top: &mut Section, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let Some(mut stores) = top.section("stores")? else {
            return Ok(Self::default());
        };
        let mut indent = |name| -> Result<Option<u8>, ConfigError> {
            let Some(mut store) = stores.section(name)? else {
                return Ok(None);
            };
            let indent = store.indent("indent")?;
            store.finish(warnings);
            Ok(indent)
        };
        let indents = Self {
            yaml: indent("yaml")?.filter(|indent| *indent > 0),
            json: indent("json")?,
            json_binary: indent("json_binary")?,
        };
        for without_options in ["dotenv", "ini"] {
            stores.take(without_options);
        }
        stores.finish(warnings);
        Ok(indents)
    }
}

#[cfg(test)]
mod tests;
