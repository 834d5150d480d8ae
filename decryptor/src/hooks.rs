//! Hooks: what sync engines call to have documents decrypted. Only these read files.
//!
//! Each is one function from arguments to all that is printed: nothing leaves before everything has opened.

mod failure;
mod files;
mod ksops;
mod open;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use keys::Plaintext;

use failure::{Failure, Stop};

/// A program that others call by its name.
struct Hook {
    name: &'static str,
    about: &'static str,
    run: fn(&[OsString]) -> Result<Done, Stop>,
}

/// All hooks, by the names that engines know.
static HOOKS: &[Hook] = &[Hook {
    name: "ksops",
    about: "generates Kubernetes objects under kustomize, from SOPS documents",
    run: ksops::run,
}];

/// What a hook has to say in the end.
struct Done {
    /// What goes to standard output.
    output: Plaintext,
    /// What people should know.
    warnings: Vec<String>,
}

impl Done {
    fn said(text: impl Into<String>) -> Self {
        Self {
            output: Plaintext::new(text.into().into_bytes()),
            warnings: Vec::new(),
        }
    }
}

/// Runs the hook that the program was called as, or that its first argument names.
pub fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let program = args.next().unwrap_or_default();
    let mut args: Vec<OsString> = args.collect();
    let outcome = match by_name(stem(&program)) {
        Some(hook) => (hook.run)(&args),
        None => match args.first().map(OsString::as_os_str) {
            Some(name) if by_name(name).is_some() => {
                let name = args.remove(0);
                by_name(&name).map_or_else(|| Err(Stop::Usage(usage())), |hook| (hook.run)(&args))
            }
            Some(flag) if flag == "--help" || flag == "-h" => Ok(Done::said(usage())),
            Some(flag) if flag == "--version" => Ok(Done::said(version())),
            _ => Err(Stop::Usage(usage())),
        },
    };
    finish(outcome)
}

fn by_name(name: &OsStr) -> Option<&'static Hook> {
    HOOKS.iter().find(|hook| name == hook.name)
}

/// The name of the link that the program was called by.
fn stem(program: &OsStr) -> &OsStr {
    Path::new(program).file_stem().unwrap_or_default()
}

fn version() -> String {
    format!("decryptor {}\n", env!("CARGO_PKG_VERSION"))
}

fn usage() -> String {
    let mut text = "usage: decryptor HOOK [ARGUMENT]...\n\nA link with a hook's name does the same.\n\nhooks:\n".to_owned();
    for hook in HOOKS {
        text += &format!("  {:<8} {}\n", hook.name, hook.about);
    }
    text
}

/// Prints what came of it: warnings and failures to standard error, and to standard output all or nothing.
fn finish(outcome: Result<Done, Stop>) -> ExitCode {
    let done = match outcome {
        Ok(done) => done,
        Err(Stop::Usage(text)) => return fail(text),
        Err(Stop::Failed(failure)) => return fail(failure),
    };
    let warnings = done.warnings.iter();
    let warnings: String = warnings.map(|text| format!("warning: {text}\n")).collect();
    // Nobody is there to be told that nobody listens.
    let _ = io::stderr().write_all(warnings.as_bytes());
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(done.output.expose_secret());
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(Failure::new("cannot write to standard output").because(error)),
    }
}

fn fail(text: impl ToString) -> ExitCode {
    let _ = io::stderr().write_all(text.to_string().as_bytes());
    ExitCode::FAILURE
}
