//! What a file can be found guilty of. The names are stable: people switch them off by name.

/// A kind of finding.
pub(super) struct Rule {
    /// Its name.
    pub(super) id: &'static str,
    /// Whether it is a secret in clear or a file that is broken, or something that may be meant so.
    pub(super) level: Level,
    /// What it says.
    pub(super) summary: &'static str,
    /// What to do.
    pub(super) help: &'static str,
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It must not stay so.
    Error,
    /// Somebody should look at it.
    Warning,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

const fn error(id: &'static str, summary: &'static str, help: &'static str) -> Rule {
    Rule {
        id,
        level: Level::Error,
        summary,
        help,
    }
}

const fn warning(id: &'static str, summary: &'static str, help: &'static str) -> Rule {
    Rule {
        id,
        level: Level::Warning,
        summary,
        help,
    }
}

pub(super) static PLAINTEXT_FILE: Rule = error(
    "plaintext-file",
    "A file that must be encrypted is not",
    "Encrypt it with kubeseal encrypt -i. If it was committed, its secrets are known: change them.",
);
pub(super) static UNREADABLE: Rule = error(
    "unreadable",
    "A file that seems to be encrypted cannot be read",
    "Restore it from its history; a merge by hand breaks it, kubeseal git setup merges it.",
);
pub(super) static VALUE_IN_CLEAR: Rule = error(
    "value-in-clear",
    "A value that must be encrypted is not",
    "Decrypt the file with --ignore-mac and encrypt it again. If it was committed, change the secret.",
);
pub(super) static COMMENT_IN_CLEAR: Rule = warning(
    "comment-in-clear",
    "A comment that must be encrypted is not",
    "Look at it: it is not covered by the MAC. Saving the file with kubeseal edit encrypts it.",
);
pub(super) static VALUE_MALFORMED: Rule = error(
    "value-malformed",
    "An encrypted value could not be opened with any key",
    "Restore it from the file's history.",
);
pub(super) static VALUE_ENCRYPTED: Rule = warning(
    "value-encrypted",
    "A value is encrypted that the file's rule has in clear",
    "It would be taken for clear text. Decrypt the file as it was, and encrypt it by the other rule.",
);
pub(super) static DUPLICATE_KEY: Rule = error(
    "duplicate-key",
    "A key stands twice in a mapping",
    "Programs differ in which one they take: remove one of them.",
);
pub(super) static METADATA: Rule = error(
    "metadata",
    "The metadata is not whole",
    "Restore it from the file's history.",
);
pub(super) static RECIPIENTS: Rule = error(
    "recipients",
    "The keys are not those that .sops.yaml names",
    "kubeseal updatekeys; whoever was removed may have kept the data key: kubeseal rotate -i.",
);
pub(super) static RULE_DIFFERS: Rule = warning(
    "rule-differs",
    "What is encrypted is not what .sops.yaml says",
    "Decrypt the file and encrypt it again: a file keeps the rule that it was encrypted by.",
);
pub(super) static MAC: Rule = error(
    "mac",
    "The MAC does not match, or a value does not open",
    "Somebody changed the file without sops: compare it with its history.",
);

/// All of them, in the order of reports.
pub(super) static ALL: [&Rule; 11] = [
    &PLAINTEXT_FILE,
    &UNREADABLE,
    &VALUE_IN_CLEAR,
    &COMMENT_IN_CLEAR,
    &VALUE_MALFORMED,
    &VALUE_ENCRYPTED,
    &DUPLICATE_KEY,
    &METADATA,
    &RECIPIENTS,
    &RULE_DIFFERS,
    &MAC,
];
