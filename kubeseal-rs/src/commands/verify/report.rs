//! Findings as people and programs read them.

use serde_json::{Value, json};

use super::{Finding, Outcome, Style, sarif};

/// The whole report.
pub(super) fn write(outcome: &Outcome, style: Style) -> Vec<u8> {
    let object = match style {
        Style::Text => {
            let lines = outcome.findings.iter().map(line);
            return lines.collect::<String>().into_bytes();
        }
        Style::Json => json!({
            "verified": outcome.verified,
            "findings": outcome.findings.iter().map(finding).collect::<Vec<_>>(),
            "failures": outcome.failures.iter().map(|(path, error)| json!({
                "file": path.display().to_string(),
                "message": error.line(),
            })).collect::<Vec<_>>(),
        }),
        Style::Sarif => sarif::log(outcome),
    };
    format!("{object:#}\n").into_bytes()
}

fn line(finding: &Finding) -> String {
    let Finding {
        file,
        rule,
        message,
        line,
        column,
    } = finding;
    let (file, level, id) = (file.display(), rule.level.name(), rule.id);
    format!("{file}:{line}:{column}: {level}: {message} [{id}]\n")
}

fn finding(finding: &Finding) -> Value {
    let Finding {
        file,
        rule,
        message,
        line,
        column,
    } = finding;
    json!({
        "file": file.display().to_string(),
        "line": line,
        "column": column,
        "rule": rule.id,
        "level": rule.level.name(),
        "message": message,
    })
}
