//! Shows what can be seen of SealedSecrets without any key: for whom they are, with what they were sealed, what is wrong.

mod report;

use std::path::PathBuf;

use decryptor::manifest;
use keys::SealingCert;
use serde_json::Value;

use crate::cert::CertChoice;
use crate::documents;
use crate::error::CommandError;
use crate::files::{self, Input};
use crate::ui::Ui;
use report::{Item, Report};

/// What to look at.
pub(crate) struct Args {
    /// Files; standard input if there are none.
    pub(crate) files: Vec<PathBuf>,
    /// Whether to print JSON, for programs.
    pub(crate) json: bool,
    /// A certificate: is it the one that the values were sealed with?
    pub(crate) cert: Option<CertChoice>,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { files, json, cert } = args;
    let cert = cert.map(|cert| cert.look(ui)).transpose()?;
    let mut reports = Vec::new();
    if files.is_empty() {
        let text = Input::Stdin.read("json/yaml k8s resource", ui)?;
        reports.extend(look("stdin", &text, cert.as_ref())?);
    }
    for path in &files {
        let name = path.display().to_string();
        let text =
            files::read(path).map_err(|e| CommandError::new(format!("open {name}")).because(e))?;
        let found = look(&name, &text, cert.as_ref()).map_err(|e| e.at(&name))?;
        match found.is_empty() && files.len() > 1 {
            true => reports.push(Report::nothing(name)),
            false => reports.extend(found),
        }
    }
    if reports.is_empty() {
        return Err(documents::none_found());
    }
    let text = match json {
        true => manifest::write_json(&to_json(&reports)?),
        false => reports.iter().map(to_text).collect::<String>().into_bytes(),
    };
    ui.print(&text)?;
    let with_problems = reports
        .iter()
        .filter(|report| report.has_problems())
        .count();
    match with_problems {
        0 => Ok(()),
        _ if !reports.iter().any(|report| report.is_sealed) => Err(documents::none_found()),
        count => Err(CommandError::new(format!(
            "{count} of {} documents have problems",
            reports.len()
        ))),
    }
}

fn look(file: &str, text: &[u8], cert: Option<&SealingCert>) -> Result<Vec<Report>, CommandError> {
    let documents = documents::read(text)?;
    Ok(documents
        .iter()
        .map(|document| Report::of(file, document, cert))
        .collect())
}

fn to_json(reports: &[Report]) -> Result<Value, CommandError> {
    serde_json::to_value(reports)
        .map_err(|e| CommandError::new("cannot write the report").because(e))
}

fn to_text(report: &Report) -> String {
    let mut text = format!("{}, {}\n", report.file, report.place);
    let mut field = |name: &str, value: &str| text.push_str(&format!("  {name:<12}{value}\n"));
    if let Some(summary) = &report.summary {
        let target = format!("{}/{}", summary.namespace, summary.name);
        field("for", &format!("{target} ({})", summary.scope));
        field("type", summary.type_.as_deref().unwrap_or("Opaque"));
        if !summary.templates.is_empty() {
            field("templates", &summary.templates.join(", "));
        }
    }
    for item in &report.items {
        field("value", &describe(item));
    }
    for problem in &report.problems {
        field("problem", problem);
    }
    text
}

fn describe(item: &Item) -> String {
    let mut text = item.key.clone();
    let mut add = |part: String| {
        text.push_str(", ");
        text.push_str(&part);
    };
    if let Some(bytes) = item.bytes {
        add(format!("{bytes} bytes"));
    }
    if let Some(bits) = item.key_bits {
        add(format!("RSA-{bits}"));
    }
    if let Some(key) = &item.sealed_with {
        add(format!("said to be sealed with {key}"));
    }
    if let Some(problem) = &item.problem {
        add(format!("problem: {problem}"));
    }
    text
}
