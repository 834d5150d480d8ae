//! Findings as a SARIF 2.1.0 log (OASIS Standard).

use std::path::{Component, Path};

use serde_json::{Value, json};

use super::{Finding, Outcome, rules};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of one run.
pub(super) fn log(outcome: &Outcome) -> Value {
    let rules = rules::ALL.iter().map(|rule| {
        json!({
            "id": rule.id,
            "shortDescription": {"text": rule.summary},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": rule.level.name()},
        })
    });
    let failures = outcome.failures.iter().map(|(path, error)| {
        json!({
            "level": "error",
            "message": {"text": error.line()},
            "locations": [{"physicalLocation": {"artifactLocation": artifact(path)}}],
        })
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubeseal-rs verify",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": outcome.failures.is_empty(),
                "toolExecutionNotifications": failures.collect::<Vec<_>>(),
            }],
            "results": outcome.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let Finding {
        file,
        rule,
        message,
        line,
        column,
    } = finding;
    json!({
        "ruleId": rule.id,
        "ruleIndex": rules::ALL.iter().position(|known| known.id == rule.id),
        "level": rule.level.name(),
        "message": {"text": message},
        "locations": [{"physicalLocation": {
            "artifactLocation": artifact(file),
            "region": {"startLine": line, "startColumn": column},
        }}],
    })
}

/// A file: relative to the root of what is looked at, unless its path leads elsewhere.
fn artifact(path: &Path) -> Value {
    let leads_away = path.components().any(|part| part == Component::ParentDir);
    match path.is_absolute() || leads_away {
        true => {
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            json!({"uri": format!("file://{}", encoded(&whole))})
        }
        false => {
            let path = path.strip_prefix(".").unwrap_or(path);
            json!({"uri": encoded(path), "uriBaseId": "%SRCROOT%"})
        }
    }
}

/// A path in a URI (RFC 3986): everything but unreserved characters and slashes by its code.
fn encoded(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(*byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_uris() {
        assert_eq!(
            artifact(Path::new("./a b/ü#.yaml")),
            json!({"uri": "a%20b/%C3%BC%23.yaml", "uriBaseId": "%SRCROOT%"})
        );
        assert_eq!(
            artifact(Path::new("/x.env")),
            json!({"uri": "file:///x.env"})
        );
    }
}
