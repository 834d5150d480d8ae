//! What is wrong with one file.

use std::collections::BTreeSet;
use std::path::Path;

use decryptor::format::Format;
use decryptor::sops::config::CreationRule;
use decryptor::sops::metadata::MetadataError;
use decryptor::sops::rules::Rules;
use decryptor::sops::{Encrypted, Flaw, FlawKind, ReadError};
use keys::{Env, KeyGroups};

use super::files::Candidate;
use super::rules::{self, Rule};
use super::{Args, Finding};
use crate::error::CommandError;
use crate::sops::config_file::{self, ConfigFile, Finder};
use crate::sops::found::is_marked;
use crate::sops::{data_key, recipients};
use crate::ui::Ui;

/// Looks at files one after the other.
pub(super) struct Verifier<'a> {
    args: &'a Args,
    configs: Finder,
    env: Option<Env>,
}

/// Findings in one file.
struct Findings<'a> {
    file: &'a Path,
    all: Vec<Finding>,
}

impl<'a> Verifier<'a> {
    pub(super) fn new(args: &'a Args) -> Self {
        Self {
            args,
            configs: args.config.finder(),
            env: args.mac.is_some().then(data_key::env),
        }
    }

    /// What is wrong with a file. Returns `None` if it is neither encrypted nor must be.
    pub(super) fn verify(
        &mut self,
        candidate: &Candidate,
        ui: &mut Ui,
    ) -> Result<Option<Vec<Finding>>, CommandError> {
        let file = candidate.path.as_path();
        if file
            .file_name()
            .is_some_and(|name| name == config_file::NAME)
        {
            return Ok(None);
        }
        let text = candidate.read()?;
        let config = self.configs.find(file, ui)?;
        let config = config.as_deref();
        let rule = match config {
            Some(config) => config.rule_for(file)?,
            None => None,
        };
        let must =
            rule.is_some_and(CreationRule::names_paths) || candidate.named && self.args.every_file;
        let format = self.args.format.unwrap_or_else(|| Format::of(file));
        let mut findings = Findings {
            file,
            all: Vec::new(),
        };
        match Encrypted::parse(&text, format) {
            Ok(document) => {
                let config = config.filter(|_| rule.is_some());
                self.document(&document, config, rule, &mut findings)?;
            }
            Err(error) => match unreadable(&error, &text, format) {
                Some(why) => findings.push(&rules::UNREADABLE, why, error_line(&error)),
                None if must && !text.is_empty() => {
                    let why = match rule {
                        Some(_) => "not encrypted, and .sops.yaml has a rule for it",
                        None => "not encrypted",
                    };
                    findings.push(&rules::PLAINTEXT_FILE, why, 1);
                }
                None => return Ok(None),
            },
        }
        Ok(Some(findings.all))
    }

    fn document(
        &self,
        document: &Encrypted,
        config: Option<&ConfigFile>,
        rule: Option<&CreationRule>,
        findings: &mut Findings<'_>,
    ) -> Result<(), CommandError> {
        // Files of any kind are one value, which no rule leaves in clear.
        let is_one_value = document.format() == Format::Binary;
        let policy = rule.filter(|_| !is_one_value).map(wanted_rules);
        let mut is_whole = true;
        for flaw in document.audit(policy.as_ref()) {
            is_whole &= !matches!(flaw.kind, FlawKind::Metadata(_));
            findings.flaw(flaw);
        }
        let line = document.metadata_line();
        if let (Some(config), Some(rule)) = (config, rule) {
            if !rule.groups.is_empty() {
                let wanted = recipients::of_config(config, findings.file)?;
                for why in differences(&document.metadata().key_groups, &wanted) {
                    findings.push(&rules::RECIPIENTS, why, line);
                }
            }
            if let Some(policy) = &policy
                && let Some(why) = other_rule(&document.metadata().rules, policy)
            {
                findings.push(&rules::RULE_DIFFERS, why, line);
            }
        }
        match (&self.args.mac, &self.env) {
            (Some(opening), Some(env)) if is_whole => {
                let groups = &document.metadata().key_groups;
                let key = data_key::recover(groups, &opening.order, env)?;
                if let Err(error) = document.open(&key) {
                    findings.push(&rules::MAC, error.to_string(), line);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Findings<'_> {
    fn push(&mut self, rule: &'static Rule, message: impl Into<String>, line: usize) {
        self.all.push(Finding {
            file: self.file.to_owned(),
            rule,
            message: message.into(),
            line,
            column: 1,
        });
    }

    fn flaw(&mut self, flaw: Flaw) {
        let Flaw {
            kind,
            path,
            line,
            column,
        } = flaw;
        let (rule, what) = match kind {
            FlawKind::ValueInClear => (&rules::VALUE_IN_CLEAR, "the value is in clear".to_owned()),
            FlawKind::ValueInClearByPolicy => (
                &rules::VALUE_IN_CLEAR,
                "the value is in clear, and .sops.yaml has it encrypted".to_owned(),
            ),
            FlawKind::CommentInClear => (
                &rules::COMMENT_IN_CLEAR,
                "the comment is in clear".to_owned(),
            ),
            FlawKind::Malformed(why) => (
                &rules::VALUE_MALFORMED,
                format!("the encrypted value cannot be right: {why}"),
            ),
            FlawKind::EncryptedAgainstRule => (
                &rules::VALUE_ENCRYPTED,
                "the value is encrypted, and the file's own rule has it in clear".to_owned(),
            ),
            FlawKind::DuplicateKey(key) => (
                &rules::DUPLICATE_KEY,
                format!("the key {key:?} stands twice"),
            ),
            FlawKind::Metadata(why) => (&rules::METADATA, why),
        };
        let message = match path.as_str() {
            "" => what,
            path => format!("{path}: {what}"),
        };
        self.all.push(Finding {
            file: self.file.to_owned(),
            rule,
            message,
            line,
            column,
        });
    }
}

/// Why a file that seems to be encrypted cannot be read. Returns `None` if it does not seem so.
fn unreadable(error: &ReadError, text: &[u8], format: Format) -> Option<String> {
    match error {
        ReadError::Metadata(MetadataError::Missing) | ReadError::Empty => None,
        // Whatever mentions encrypted values, such as a page about them, is a file of any kind.
        _ if format == Format::Binary && !text.trim_ascii_start().starts_with(b"{") => None,
        ReadError::Metadata(_) => Some(error.to_string()),
        _ => is_marked(text).then(|| error.to_string()),
    }
}

fn error_line(error: &ReadError) -> usize {
    match error {
        ReadError::Parse(error) => error.line,
        _ => 1,
    }
}

/// The rule that a new file would get.
fn wanted_rules(rule: &CreationRule) -> Rules {
    let mut rules = rule.rules.clone().unwrap_or_default();
    rules.mac_only_encrypted = rule.mac_only_encrypted;
    rules
}

fn other_rule(own: &Rules, wanted: &Rules) -> Option<String> {
    let said = |rules: &Rules| match rules.field() {
        Some((name, text)) => format!("{name}: {text}"),
        None => "everything".to_owned(),
    };
    if own.field() != wanted.field() {
        let (own, wanted) = (said(own), said(wanted));
        return Some(format!(
            "the file was encrypted by the rule {own:?}, and .sops.yaml has {wanted:?}"
        ));
    }
    match (own.mac_only_encrypted, wanted.mac_only_encrypted) {
        (true, false) => Some("the MAC leaves out values in clear".to_owned()),
        (false, true) => Some("the MAC covers values in clear, too".to_owned()),
        _ => None,
    }
}

/// How the keys of a file differ from those that it should have, a sentence each.
fn differences(present: &KeyGroups, wanted: &KeyGroups) -> Vec<String> {
    wanted.adopt(present);
    let names = |groups: &KeyGroups, number: usize| -> BTreeSet<String> {
        let group = groups.groups.get(number);
        let keys = group.into_iter().flat_map(|group| &group.keys);
        keys.map(|entry| entry.key.to_string()).collect()
    };
    let count = present.groups.len().max(wanted.groups.len());
    let mut found = Vec::new();
    for number in 0..count {
        let (has, should) = (names(present, number), names(wanted, number));
        let place = match count {
            1 => String::new(),
            _ => format!(" in key group {}", number + 1),
        };
        found.extend(
            should
                .difference(&has)
                .map(|name| format!("{name} is missing{place}")),
        );
        found.extend(
            has.difference(&should)
                .map(|name| format!("{name} is not in .sops.yaml{place}")),
        );
    }
    // Without a number, all groups must open.
    let threshold = |groups: &KeyGroups| match groups.threshold {
        0 => groups.groups.len(),
        threshold => threshold,
    };
    if count > 1 && threshold(present) != threshold(wanted) {
        found.push(format!(
            "shamir_threshold is {}, and should be {}",
            threshold(present),
            threshold(wanted)
        ));
    }
    found
}
