//! What can be seen of an encrypted document without any key: whether it is whole, and encrypted where it must be.

use std::collections::BTreeSet;

use super::metadata::Metadata;
use super::open::path;
use super::rules::Rules;
use super::value::{self, Type, ValueError};
use super::walk::{Met, walk};
use super::{Encrypted, time};
use crate::format::Format;
use crate::tree::Scalar;

/// Something wrong with a document, and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// The keys on the way to it, as people write them. Empty where it is no value.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// What can be wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlawKind {
    /// A value stands in clear that the document's own rule has encrypted.
    ValueInClear,
    /// A value stands in clear that the given policy has encrypted.
    ValueInClearByPolicy,
    /// A comment stands in clear that the document's own rule has encrypted.
    CommentInClear,
    /// A value looks encrypted and could not be opened with any key.
    Malformed(&'static str),
    /// A value is encrypted that the document's own rule has in clear: it would not be opened.
    EncryptedAgainstRule,
    /// A key stands twice in a mapping.
    DuplicateKey(String),
    /// Something is missing or wrong in the metadata.
    Metadata(String),
}

impl Encrypted {
    /// Everything that is wrong with it as far as can be seen without its keys. `policy` is what its rules should be.
    pub fn audit(&self, policy: Option<&Rules>) -> Vec<Flaw> {
        let mut audit = Audit {
            document: self,
            flaws: Vec::new(),
            seen: BTreeSet::new(),
        };
        audit.metadata();
        audit.own_rules();
        if let Some(policy) = policy {
            audit.policy(policy);
        }
        for (line, key) in &self.parsed.duplicates {
            audit.flaws.push(Flaw {
                kind: FlawKind::DuplicateKey(key.clone()),
                path: String::new(),
                line: *line,
                column: 1,
            });
        }
        audit.flaws.sort_by_key(|flaw| (flaw.line, flaw.column));
        audit.flaws
    }

    /// The line of the metadata, from 1.
    pub fn metadata_line(&self) -> usize {
        let is_head = |line: &str| match self.format {
            Format::Yaml => ["sops:", "\"sops\"", "'sops'"]
                .iter()
                .any(|head| line.starts_with(head)),
            Format::Json | Format::Binary => line.contains("\"sops\""),
            Format::Dotenv => line.starts_with("sops_"),
            Format::Ini => line.trim_start().starts_with("[sops]"),
        };
        let at = match self.format {
            Format::Dotenv => self.text.lines().position(is_head),
            // What has the name further up belongs to the values.
            _ => self
                .text
                .lines()
                .enumerate()
                .filter(|(_, line)| is_head(line))
                .last()
                .map(|(at, _)| at),
        };
        at.unwrap_or(0) + 1
    }
}

struct Audit<'d> {
    document: &'d Encrypted,
    flaws: Vec<Flaw>,
    /// Where values in clear were found already.
    seen: BTreeSet<usize>,
}

impl Audit<'_> {
    fn own_rules(&mut self) {
        let document = self.document;
        let Ok(()) = walk::<std::convert::Infallible>(
            &document.parsed.tree,
            &document.metadata.rules,
            |met, spot| {
                match met {
                    Met::Comment(comment) if spot.encrypted && !comment.text.is_empty() => {
                        if let Err(flaw) = value::check_form(&comment.text) {
                            self.push(comment.at.start, spot.aad, in_comment(flaw));
                        }
                    }
                    Met::Comment(_) => {}
                    Met::Leaf(leaf) => {
                        let at = leaf.place.at.start;
                        match own_flaw(&leaf.scalar, spot.encrypted) {
                            Some(FlawKind::ValueInClear) if !self.seen.insert(at) => {}
                            Some(flaw) => self.push(at, spot.aad, flaw),
                            None => {}
                        }
                    }
                }
                Ok(())
            },
        );
    }

    fn policy(&mut self, policy: &Rules) {
        let document = self.document;
        let Ok(()) =
            walk::<std::convert::Infallible>(&document.parsed.tree, policy, |met, spot| {
                if let Met::Leaf(leaf) = met {
                    let is_clear =
                        own_flaw(&leaf.scalar, spot.encrypted) == Some(FlawKind::ValueInClear);
                    let at = leaf.place.at.start;
                    if is_clear && self.seen.insert(at) {
                        self.push(at, spot.aad, FlawKind::ValueInClearByPolicy);
                    }
                }
                Ok(())
            });
    }

    fn metadata(&mut self) {
        let line = self.document.metadata_line();
        for flaw in of_metadata(&self.document.metadata) {
            self.flaws.push(Flaw {
                kind: FlawKind::Metadata(flaw),
                path: String::new(),
                line,
                column: 1,
            });
        }
    }

    fn push(&mut self, at: usize, aad: &str, kind: FlawKind) {
        let before = &self.document.text[..at];
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        self.flaws.push(Flaw {
            kind,
            path: path(aad),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line..].chars().count() + 1,
        });
    }
}

fn own_flaw(scalar: &Scalar, encrypted: bool) -> Option<FlawKind> {
    if scalar.is_empty() {
        return None;
    }
    let form = match scalar {
        Scalar::Text(text) => value::check_form(text),
        _ => Err(ValueError::NotEncrypted),
    };
    let claims = matches!(scalar, Scalar::Text(text) if value::claims_to_be_one(text));
    match (form, encrypted) {
        (Ok(_), true) => None,
        (Ok(_), false) => Some(FlawKind::EncryptedAgainstRule),
        (Err(_), false) => None,
        (Err(ValueError::UnknownType), true) => Some(FlawKind::Malformed("it has an unknown type")),
        (Err(_), true) if claims => Some(FlawKind::Malformed("it is cut, or was changed")),
        (Err(_), true) => Some(FlawKind::ValueInClear),
    }
}

fn in_comment(error: ValueError) -> FlawKind {
    match error {
        ValueError::UnknownType => FlawKind::Malformed("it has an unknown type"),
        _ => FlawKind::CommentInClear,
    }
}

/// What is missing or wrong in metadata, a sentence each.
fn of_metadata(metadata: &Metadata) -> Vec<String> {
    let mut flaws = Vec::new();
    let mut push = |flaw: &str| flaws.push(flaw.to_owned());
    match metadata.mac.as_str() {
        "" => push("there is no mac: nothing says that the file is whole"),
        mac if value::check_form(mac) != Ok(Type::Str) => push("the mac is cut, or was changed"),
        _ => {}
    }
    match metadata.last_modified.as_str() {
        "" => push("there is no lastmodified: the mac cannot be checked without"),
        text if time::to_the_second(text).is_none() => push("lastmodified is no time by RFC 3339"),
        _ => {}
    }
    match metadata.version.as_str() {
        "" => push("there is no version: sops refuses the file"),
        version if !is_version(version) => push("the version is not one such as 3.13.3"),
        _ => {}
    }
    let groups = &metadata.key_groups.groups;
    if groups.iter().all(|group| group.keys.is_empty()) {
        push("there are no keys: nobody can open the file");
    } else {
        for (number, group) in groups.iter().enumerate() {
            if group.keys.is_empty() {
                push(&format!("key group {} has no keys", number + 1));
            }
            for entry in group.keys.iter().filter(|entry| entry.wrapped.is_none()) {
                push(&format!("{} has no data key (enc)", entry.key));
            }
        }
    }
    if metadata.key_groups.threshold > groups.len() {
        push("shamir_threshold is more than there are key groups");
    }
    flaws
}

fn is_version(text: &str) -> bool {
    let mut parts = text.splitn(3, '.');
    let number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    // Versions of the first generation, such as 1.14, have two parts.
    let (major, minor) = (parts.next(), parts.next());
    let patch = parts.next().map(|rest| rest.split(['-', '+']).next());
    number(major) && number(minor) && (patch.is_some_and(number) || major == Some("1"))
}

#[cfg(test)]
mod tests {
    use keys::DataKey;

    use super::*;
    use crate::sops::tests::closed;

    const TEXT: &str = "# note\na: one\nb:\n  - two # why\n  - 3\nc_unencrypted: x\n";

    fn flaws(text: &str, policy: Option<&Rules>) -> Vec<(FlawKind, String, usize, usize)> {
        let document = Encrypted::parse(text.as_bytes(), Format::Yaml).expect(text);
        let flaws = document.audit(policy).into_iter();
        // These documents are closed for nobody.
        let flaws = flaws.filter(|flaw| {
            flaw.kind
                != FlawKind::Metadata("there are no keys: nobody can open the file".to_owned())
        });
        flaws
            .map(|flaw| (flaw.kind, flaw.path, flaw.line, flaw.column))
            .collect()
    }

    fn encrypted() -> String {
        let key = DataKey::generate();
        closed(TEXT, Format::Yaml, Rules::default(), &key).text
    }

    #[test]
    fn each_flaw_is_found_where_it_stands() {
        let whole = encrypted();
        assert_eq!(flaws(&whole, None), []);
        let one = whole.lines().nth(1).expect("a line");
        let cases = [
            (
                whole.replace(one, "a: clear"),
                FlawKind::ValueInClear,
                "a",
                (2, 4),
            ),
            (
                whole.replace(one, "a: ENC[AES256_GCM,data:x"),
                FlawKind::Malformed("it is cut, or was changed"),
                "a",
                (2, 4),
            ),
            (
                whole.replacen("type:str]", "type:list]", 1),
                FlawKind::Malformed("it has an unknown type"),
                "a",
                (2, 4),
            ),
            (
                whole.replacen(whole.lines().next().expect("a line"), "# clear", 1),
                FlawKind::CommentInClear,
                "",
                (1, 1),
            ),
            (
                whole.replace("c_unencrypted: x", &one.replacen("a:", "c_unencrypted:", 1)),
                FlawKind::EncryptedAgainstRule,
                "c_unencrypted",
                (6, 16),
            ),
        ];
        for (text, kind, path, (line, column)) in cases {
            assert_eq!(
                flaws(&text, None),
                [(kind, path.to_owned(), line, column)],
                "{text}"
            );
        }
    }

    #[test]
    fn a_policy_counts_beside_the_own_rule() {
        let rules = Rules::read([("encrypted_regex", "unencrypted$")]);
        let policy = rules.expect("a rule").expect("one");
        let clear = (
            FlawKind::ValueInClearByPolicy,
            "c_unencrypted".to_owned(),
            6,
            16,
        );
        assert_eq!(flaws(&encrypted(), Some(&policy)), [clear]);
    }

    #[test]
    fn metadata_that_is_not_whole_is_found() {
        let whole = encrypted();
        let without = |name: &str| {
            let lines = whole.lines().filter(|line| !line.trim().starts_with(name));
            lines.map(|line| format!("{line}\n")).collect::<String>()
        };
        for (text, words) in [
            (without("mac:"), "no mac"),
            (without("lastmodified:"), "no lastmodified"),
            (without("version:"), "no version"),
            (whole.replace("version: 3.13.3", "version: new"), "such as"),
            (whole.replace("2024-01-02T", "yesterday"), "RFC 3339"),
        ] {
            let found = flaws(&text, None);
            assert_eq!(found.len(), 1, "{words}: {found:?}\n{text}");
            let FlawKind::Metadata(said) = &found[0].0 else {
                panic!("{found:?}");
            };
            assert!(said.contains(words), "{said}");
            assert_eq!(found[0].2, 7, "{text}");
        }
        for version in ["3.13.3", "1.14", "3.13.3-rc.1", "3.9.0+x"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "3", "3.9", "a.b.c", "3.9."] {
            assert!(!is_version(version), "{version}");
        }
    }
}
