//! `verify`: whether SOPS files are encrypted where they must be, for whom they should be, and whole; without any key.

mod check;
mod files;
mod report;
mod rules;
mod sarif;

use std::path::PathBuf;

use decryptor::format::Format;

use self::check::Verifier;
use crate::error::CommandError;
use crate::sops::config_file::ConfigChoice;
use crate::sops::opening::Opening;
use crate::ui::Ui;

/// Which files are looked at, how closely, and how it is told.
pub(crate) struct Args {
    /// Files and folders.
    pub(crate) paths: Vec<PathBuf>,
    /// Whether what is staged in Git is looked at instead, as it is staged.
    pub(crate) staged: bool,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// The configuration that counts.
    pub(crate) config: ConfigChoice,
    /// Whether and how files are opened for their MAC.
    pub(crate) mac: Option<Opening>,
    /// Whether each file that was named must be encrypted, be there a rule for it or not.
    pub(crate) every_file: bool,
    /// How it is told.
    pub(crate) style: Style,
}

/// How findings are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A line for each.
    Text,
    /// One object.
    Json,
    /// A log in SARIF 2.1.0, which code hosts show beside the lines.
    Sarif,
}

/// Something wrong with a file. No value is part of it.
struct Finding {
    file: PathBuf,
    rule: &'static rules::Rule,
    message: String,
    line: usize,
    column: usize,
}

/// What came of all files.
#[derive(Default)]
struct Outcome {
    /// How many files are encrypted or should be.
    verified: usize,
    findings: Vec<Finding>,
    /// Files of which nothing can be said, and why.
    failures: Vec<(PathBuf, CommandError)>,
}

/// Exit code where there are findings.
const FOUND: u8 = 1;
/// Exit code where something could not be looked at.
const FAILED: u8 = 2;

/// Looks at all files. One that cannot be read keeps nobody from the others, but from success.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let fail = |error: CommandError| error.code(FAILED);
    let mut verifier = Verifier::new(args);
    let mut outcome = Outcome::default();
    for candidate in files::find(args).map_err(fail)? {
        match verifier.verify(&candidate, ui) {
            Ok(None) => {}
            Ok(Some(findings)) => {
                outcome.verified += 1;
                outcome.findings.extend(findings);
            }
            Err(error) => outcome.failures.push((candidate.path, error)),
        }
    }
    ui.print(&report::write(&outcome, args.style))
        .map_err(fail)?;
    let counts = (outcome.failures.len(), outcome.findings.len());
    for (path, error) in outcome.failures {
        ui.complain(&error.at(path.display()));
    }
    match counts {
        (0, 0) => {
            if args.style == Style::Text {
                ui.note(format!(
                    "files that are as they should be: {}",
                    outcome.verified
                ));
            }
            Ok(())
        }
        (0, found) => Err(CommandError::new(format!("findings: {found}")).code(FOUND)),
        (failed, found) => Err(CommandError::new(format!(
            "files that could not be verified: {failed}; findings in others: {found}"
        ))
        .code(FAILED)),
    }
}
