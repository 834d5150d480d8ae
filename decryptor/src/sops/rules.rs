//! Which values are encrypted; every pattern compiled when it is read, or refused.

use crate::go_pattern::{self, Pattern};

/// The suffix that keeps values in clear where a document has no rule of its own.
pub const DEFAULT_SUFFIX: &str = "_unencrypted";

/// Which values of a document are encrypted, and which its MAC covers.
#[derive(Clone)]
pub struct Rules {
    selection: Selection,
    /// Whether the MAC leaves out the values in clear.
    pub mac_only_encrypted: bool,
}

/// The one rule that a document has.
#[derive(Clone)]
pub enum Selection {
    /// Everything.
    All,
    /// All but what lies under a key that ends so.
    UnencryptedSuffix(String),
    /// Only what lies under a key that ends so.
    EncryptedSuffix(String),
    /// All but what lies under a key that matches.
    UnencryptedRegex(KeyPattern),
    /// Only what lies under a key that matches.
    EncryptedRegex(KeyPattern),
    /// All but what lies under a comment that matches.
    UnencryptedCommentRegex(KeyPattern),
    /// Only what lies under a comment that matches.
    EncryptedCommentRegex(KeyPattern),
}

/// A regular expression in Go's syntax, compiled.
#[derive(Clone)]
pub struct KeyPattern {
    source: String,
    compiled: Pattern,
}

/// A rule that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The pattern does not compile: sops 3.13.3 would write everything in clear.
    #[error("{0} is not a regular expression, or too large a one")]
    Pattern(&'static str),
    /// More than one rule.
    #[error("{0} and {1} cannot stand together: a document has one rule")]
    Two(&'static str, &'static str),
    /// A field that no rule has.
    #[error("no rule is named {0:?}")]
    Unknown(String),
}

/// The names of rules in metadata and configuration.
pub const NAMES: [&str; 6] = [
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

impl Default for Rules {
    fn default() -> Self {
        Self::new(Selection::UnencryptedSuffix(DEFAULT_SUFFIX.to_owned()))
    }
}

impl Rules {
    /// Rules with this selection and a MAC over all values.
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            mac_only_encrypted: false,
        }
    }

    /// Reads the rules of metadata or configuration. Empty texts are no rules.
    pub fn read<'t>(
        fields: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Option<Self>, RuleError> {
        let mut found: Option<(&'static str, Self)> = None;
        for (name, text) in fields {
            let name = NAMES.into_iter().find(|known| *known == name);
            let Some(name) = name.filter(|_| !text.is_empty()) else {
                continue;
            };
            if let Some((first, _)) = &found {
                return Err(RuleError::Two(first, name));
            }
            found = Some((name, Self::new(Selection::of(name, text)?)));
        }
        Ok(found.map(|(_, rules)| rules))
    }

    /// The rule's name and text, as metadata has them. Returns `None` if everything is encrypted.
    pub fn field(&self) -> Option<(&'static str, &str)> {
        Some(match &self.selection {
            Selection::All => return None,
            Selection::UnencryptedSuffix(suffix) => (NAMES[0], suffix),
            Selection::EncryptedSuffix(suffix) => (NAMES[1], suffix),
            Selection::UnencryptedRegex(pattern) => (NAMES[2], &pattern.source),
            Selection::EncryptedRegex(pattern) => (NAMES[3], &pattern.source),
            Selection::UnencryptedCommentRegex(pattern) => (NAMES[4], &pattern.source),
            Selection::EncryptedCommentRegex(pattern) => (NAMES[5], &pattern.source),
        })
    }

    /// Whether a key is one that the rule names: everything under it is then chosen.
    pub(crate) fn names_key(&self, key: &str) -> bool {
        match &self.selection {
            Selection::UnencryptedSuffix(suffix) | Selection::EncryptedSuffix(suffix) => {
                key.ends_with(suffix.as_str())
            }
            Selection::UnencryptedRegex(pattern) | Selection::EncryptedRegex(pattern) => {
                pattern.is_match(key)
            }
            _ => false,
        }
    }

    /// Whether a comment is one that the rule names.
    pub(crate) fn names_comment(&self, text: &str) -> bool {
        match &self.selection {
            Selection::UnencryptedCommentRegex(pattern)
            | Selection::EncryptedCommentRegex(pattern) => pattern.is_match(text),
            _ => false,
        }
    }

    /// Whether values are encrypted where the rule names a key or a comment around them, or does not.
    pub(crate) fn encrypts(&self, named: bool) -> bool {
        match self.selection {
            Selection::All => true,
            Selection::EncryptedSuffix(_)
            | Selection::EncryptedRegex(_)
            | Selection::EncryptedCommentRegex(_) => named,
            _ => !named,
        }
    }

    /// Whether a comment that the rule names decides over itself, too.
    pub(crate) fn comments_name_themselves(&self) -> bool {
        matches!(self.selection, Selection::UnencryptedCommentRegex(_))
    }
}

impl Selection {
    /// Reads one rule by its name in metadata.
    pub fn of(name: &str, text: &str) -> Result<Self, RuleError> {
        let at = NAMES.iter().position(|known| *known == name);
        let at = at.ok_or_else(|| RuleError::Unknown(name.to_owned()))?;
        let pattern = || KeyPattern::new(text).ok_or(RuleError::Pattern(NAMES[at]));
        Ok(match at {
            0 => Self::UnencryptedSuffix(text.to_owned()),
            1 => Self::EncryptedSuffix(text.to_owned()),
            2 => Self::UnencryptedRegex(pattern()?),
            3 => Self::EncryptedRegex(pattern()?),
            4 => Self::UnencryptedCommentRegex(pattern()?),
            _ => Self::EncryptedCommentRegex(pattern()?),
        })
    }
}

impl KeyPattern {
    fn new(source: &str) -> Option<Self> {
        Some(Self {
            source: source.to_owned(),
            compiled: go_pattern::translate(source.as_bytes())?.compile()?,
        })
    }

    fn is_match(&self, text: &str) -> bool {
        self.compiled.regex.is_match(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(name: &str, text: &str) -> Rules {
        Rules::new(Selection::of(name, text).expect("a rule"))
    }

    #[test]
    fn each_rule_chooses_what_its_name_says() {
        for (name, text, key, encrypted) in [
            ("unencrypted_suffix", "_plain", "a_plain", false),
            ("unencrypted_suffix", "_plain", "a", true),
            ("encrypted_suffix", "_secret", "a_secret", true),
            ("encrypted_suffix", "_secret", "a", false),
            ("unencrypted_regex", "^meta", "metadata", false),
            ("unencrypted_regex", "^meta", "data", true),
            ("encrypted_regex", "^(data|stringData)$", "data", true),
            ("encrypted_regex", "^(data|stringData)$", "metadata", false),
        ] {
            let rules = rules(name, text);
            assert_eq!(
                rules.encrypts(rules.names_key(key)),
                encrypted,
                "{name} {key}"
            );
            assert_eq!(rules.field(), Some((name, text)));
        }
        let rules = rules("encrypted_comment_regex", "sops:enc");
        assert!(rules.encrypts(rules.names_comment(" sops:enc")));
        assert!(!rules.encrypts(rules.names_comment(" other")));
    }

    #[test]
    fn a_pattern_that_does_not_compile_is_refused() {
        for text in ["[", "(?P<a", "(?=a)", "\\8"] {
            let refused = Selection::of("encrypted_regex", text).err();
            assert_eq!(
                refused,
                Some(RuleError::Pattern("encrypted_regex")),
                "{text}"
            );
        }
    }

    #[test]
    fn two_rules_are_refused_and_none_is_none() {
        let two = Rules::read([("encrypted_suffix", "a"), ("encrypted_regex", "b")]);
        assert!(matches!(
            two,
            Err(RuleError::Two("encrypted_suffix", "encrypted_regex"))
        ));
        assert!(matches!(
            Rules::read([("encrypted_suffix", ""), ("mac", "x")]),
            Ok(None)
        ));
    }
}
