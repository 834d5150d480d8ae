//! Which keys and rules a new document gets: those named by flags, else those of the configuration.

use std::path::Path;

use decryptor::sops::config::{CreationRule, KeyEntry, Spelling};
use decryptor::sops::rules::Rules;
use keys::groups::{KeyGroup, KeyGroups};
use keys::master_key::{Field, Fields, MasterKey, ParseError};
use keys::{Backend, Env, backend};
use serde_json::Value;

use super::config_file::ConfigFile;
use super::for_kms::ForKms;
use super::{data_key, exit};
use crate::error::CommandError;

/// Keys named by flags or variables. Any of them takes the place of all that the configuration names.
pub(crate) struct Named {
    /// The kinds' fields in documents, and lists of keys as typed.
    pub(crate) lists: Vec<(&'static str, String)>,
    /// How many groups must open.
    pub(crate) threshold: Option<u8>,
    /// What is said of all keys in AWS KMS.
    pub(crate) kms: ForKms,
}

/// A rule named by flags.
pub(crate) struct RuleChoice {
    /// Names of rules as in metadata, and their texts.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Whether the MAC covers encrypted values only.
    pub(crate) mac_only_encrypted: bool,
}

/// What a new document is encrypted with.
pub(crate) struct Recipients {
    /// The keys; none holds a share yet.
    pub(crate) groups: KeyGroups,
    /// Which values are encrypted.
    pub(crate) rules: Rules,
}

/// Chooses keys and rules for the document with the name `target`.
pub(crate) fn choose(
    named: &Named,
    rules: &RuleChoice,
    config: Option<&ConfigFile>,
    target: &Path,
) -> Result<Recipients, CommandError> {
    let rule = match config.filter(|config| config.has_rules()) {
        None => None,
        Some(config) => Some(
            config
                .rule_for(target)?
                .ok_or_else(|| no_rule(config, target))?,
        ),
    };
    named.kms.context()?;
    let mut groups = match rule {
        _ if !named.lists.is_empty() => KeyGroups::one(named.keys()?),
        Some(rule) => groups_of(rule, &named.kms)?,
        None => return Err(no_keys()),
    };
    let threshold = named
        .threshold
        .or(rule.and_then(|rule| rule.shamir_threshold));
    groups.threshold = threshold.map_or(0, usize::from);
    Ok(Recipients {
        groups,
        rules: rules.rules(rule)?,
    })
}

/// The keys that a configuration names for an encrypted document, with the threshold.
pub(crate) fn of_config(config: &ConfigFile, target: &Path) -> Result<KeyGroups, CommandError> {
    let rule = config
        .rule_for(target)?
        .ok_or_else(|| no_rule(config, target))?;
    let mut groups = groups_of(rule, &ForKms::default())?;
    groups.threshold = rule.shamir_threshold.map_or(0, usize::from);
    Ok(groups)
}

fn no_rule(config: &ConfigFile, target: &Path) -> CommandError {
    CommandError::new("error loading config: no matching creation rules found").hint(format!(
        "no path_regex in {} matches {}: add a rule for it",
        config.path().display(),
        target.display()
    ))
}

fn no_keys() -> CommandError {
    CommandError::new(
        "config file not found, or has no creation rules, and no keys provided through command line options",
    )
    .hint("name a key, as in --age age1…, or write a .sops.yaml with creation_rules")
}

impl Named {
    /// The outside as this process has it. What was typed is trusted: credentials may go there.
    pub(crate) fn env(&self) -> Env {
        let lists = self.lists.iter();
        let keys = lists.flat_map(|(_, list)| list.split(',').map(str::to_owned));
        data_key::env().with_typed_keys(keys)
    }

    /// The keys themselves.
    pub(crate) fn keys(&self) -> Result<Vec<Box<dyn MasterKey>>, CommandError> {
        let mut keys = Vec::new();
        for (field, list) in &self.lists {
            let backend = known(field)?;
            keys.extend(match *field {
                "kms" => self.kms.keys(backend, list)?,
                _ => backend
                    .parse_list(list)
                    .map_err(|e| CommandError::new(e.to_string()))?,
            });
        }
        Ok(keys)
    }
}

/// The kind of key with this field in documents, if this program can use it.
fn known(field: &str) -> Result<&'static Backend, CommandError> {
    backend::of_field(field).ok_or_else(|| {
        let kind = match field {
            "hckms" => "Huawei Cloud KMS",
            other => other,
        };
        CommandError::new(format!(
            "keys in {kind} are not supported yet, and nothing was written"
        ))
        .hint("use age, PGP, AWS KMS, Google Cloud KMS, Azure Key Vault or Vault transit keys for now")
    })
}

/// The groups of a rule. A context that was typed is that of keys which are listed flat: in groups each has its own.
fn groups_of(rule: &CreationRule, kms: &ForKms) -> Result<KeyGroups, CommandError> {
    let context = kms.context()?.filter(|_| rule.is_flat);
    let groups = rule.groups.iter().map(|group| {
        let keys = group.iter().map(|entry| key(entry, context.as_ref()));
        Ok(KeyGroup::new(
            keys.collect::<Result<Vec<_>, CommandError>>()?,
        ))
    });
    Ok(KeyGroups {
        groups: groups.collect::<Result<_, CommandError>>()?,
        threshold: 0,
    })
}

fn key(
    entry: &KeyEntry,
    context: Option<&(String, Field)>,
) -> Result<Box<dyn MasterKey>, CommandError> {
    let backend = known(entry.field)?;
    let context = context.filter(|_| entry.field == "kms");
    if let Spelling::Long(fields) = &entry.key {
        check_context(fields.get("context"))?;
    }
    let key = match (&entry.key, context) {
        (Spelling::Short(text), None) => (backend.parse)(text),
        (Spelling::Short(text), Some(context)) => {
            let mut fields = Fields::default().with("arn", text);
            fields.0.push(context.clone());
            (backend.load_config)(&fields)
        }
        (Spelling::Long(fields), context) => fields
            .iter()
            .map(|(name, value)| Ok((name.clone(), field(value)?)))
            .chain(context.cloned().map(Ok))
            .collect::<Result<_, _>>()
            .and_then(|fields| (backend.load_config)(&Fields(fields))),
    };
    key.map_err(|e| CommandError::new(format!("error loading config: {e}")))
}

/// What a context binds to has to be what was meant: YAML makes other words of some, and sops 3.13.3 makes others again.
fn check_context(context: Option<&Value>) -> Result<(), CommandError> {
    let Some(Value::Object(pairs)) = context else {
        return Ok(());
    };
    let is_clear = |(name, value): &(&String, &Value)| {
        value.is_string() && !matches!(name.as_str(), "true" | "false" | "null")
    };
    match pairs.iter().find(|pair| !is_clear(pair)) {
        None => Ok(()),
        Some((name, value)) => Err(CommandError::new(format!(
            "error loading config: {name}: {value} in a context is not text to every reader of YAML"
        ))
        .hint("write names and values of a context between quotes")),
    }
}

fn field(value: &Value) -> Result<Field, ParseError> {
    Ok(match value {
        Value::String(text) => Field::Text(text.clone()),
        Value::Null => Field::Text(String::new()),
        Value::Bool(_) | Value::Number(_) => Field::Text(value.to_string()),
        Value::Array(items) => Field::List(items.iter().map(field).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), field(value)?)));
            Field::Map(Fields(fields.collect::<Result<_, _>>()?))
        }
    })
}

impl RuleChoice {
    /// The rule that flags name, else the configuration's, else the default.
    fn rules(&self, rule: Option<&CreationRule>) -> Result<Rules, CommandError> {
        if self.fields.len() > 1 {
            return Err(CommandError::new(
                "Error: cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, \
                 unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file",
            )
            .code(exit::CONFLICTING_FLAGS));
        }
        let fields = self
            .fields
            .iter()
            .map(|(name, text)| (*name, text.as_str()));
        let named = Rules::read(fields).map_err(|e| CommandError::new("Error").because(e))?;
        let of_config = || rule.and_then(|rule| rule.rules.clone());
        let mut rules = named.or_else(of_config).unwrap_or_default();
        rules.mac_only_encrypted =
            self.mac_only_encrypted || rule.is_some_and(|rule| rule.mac_only_encrypted);
        Ok(rules)
    }
}
