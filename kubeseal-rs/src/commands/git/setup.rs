//! `git setup`: makes both drivers known to a repository, and says for which files they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use decryptor::sops::config::CreationRule;

use super::attributes::{self, DRIVER};
use crate::error::CommandError;
use crate::files;
use crate::git;
use crate::sops::config_file::{self, ConfigChoice};
use crate::ui::Ui;

/// For which files, or whether all of it goes.
pub(crate) struct Args {
    /// Patterns as in `.gitattributes`. Without any, those of the SOPS files that are there.
    pub(crate) patterns: Vec<String>,
    /// Whether everything goes that an earlier call has set.
    pub(crate) undo: bool,
    /// The configuration that says which files are to be encrypted.
    pub(crate) config: ConfigChoice,
}

const NAME: &str = "SOPS files, merged in clear in memory";

/// Sets up the repository of the working folder. What is there already stays.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let top = top()?;
    let path = top.join(".gitattributes");
    let before = read(&path)?;
    let broken = |_| {
        CommandError::new(format!(
            "the block of kubeseal in {} is cut",
            path.display()
        ))
        .hint("remove its rest, and call this again")
    };
    if args.undo {
        for section in [format!("diff.{DRIVER}"), format!("merge.{DRIVER}")] {
            if remove(&section)? {
                ui.note(format!(
                    "removed {section} from the repository's configuration"
                ));
            }
        }
        let after = attributes::without(&before).map_err(broken)?;
        return replace(&path, &before, &after, "removed our lines", ui);
    }
    let patterns = match args.patterns.as_slice() {
        [] => of_files(args, &top, ui)?,
        named => checked(named)?,
    };
    let (after, new) = attributes::with(&before, &patterns).map_err(broken)?;
    for (name, value) in settings()? {
        if set(&name, &value)? {
            ui.note(format!("set {name} = {value}"));
        }
    }
    match (patterns.is_empty(), before == after) {
        (true, _) => ui.note(
            "there is no SOPS file yet: name patterns, as in kubeseal git setup '*.enc.yaml'",
        ),
        (false, true) => ui.note("the repository is set up"),
        (false, false) => {}
    }
    replace(
        &path,
        &before,
        &after,
        &format!("added {}", new.join(" ")),
        ui,
    )
}

/// Where the repository begins.
fn top() -> Result<PathBuf, CommandError> {
    let out = git::run(&["rev-parse", "--show-toplevel"])
        .map_err(|e| e.hint("call it in a Git repository with a working folder"))?;
    let text = String::from_utf8(out.to_vec())
        .map_err(|e| CommandError::new("the repository's path is no text").because(e))?;
    Ok(PathBuf::from(text.trim_end_matches('\n')))
}

fn read(path: &Path) -> Result<String, CommandError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(e) => Err(CommandError::new(format!("cannot read {}", path.display())).because(e)),
    }
}

fn replace(
    path: &Path,
    before: &str,
    after: &str,
    what: &str,
    ui: &mut Ui,
) -> Result<(), CommandError> {
    if before == after {
        return Ok(());
    }
    if after.is_empty() {
        fs::remove_file(path).map_err(|e| {
            CommandError::new(format!("cannot remove {}", path.display())).because(e)
        })?;
    } else {
        files::replace_shared(path, after.as_bytes())?;
    }
    ui.note(format!(".gitattributes: {what}"));
    Ok(())
}

/// What the repository's configuration says of the drivers.
fn settings() -> Result<Vec<(String, String)>, CommandError> {
    let program = program()?;
    let setting = |name: &str, value: String| (name.replace('*', DRIVER), value);
    Ok(vec![
        setting("diff.*.textconv", format!("{program} git textconv")),
        // Git would keep clear text among its objects.
        setting("diff.*.cachetextconv", "false".to_owned()),
        setting("merge.*.name", NAME.to_owned()),
        setting(
            "merge.*.driver",
            format!("{program} git merge --marker-size=%L --path=%P %O %A %B"),
        ),
    ])
}

/// How Git's shell calls this program: by its name if that finds it, else by its path.
fn program() -> Result<String, CommandError> {
    let own = std::env::current_exe()
        .and_then(fs::canonicalize)
        .map_err(|e| CommandError::new("cannot tell where this program is").because(e))?;
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .find_map(|folder| fs::canonicalize(folder.join("kubeseal")).ok());
    if found.as_ref() == Some(&own) {
        return Ok("kubeseal".to_owned());
    }
    let path = own.to_str().and_then(|path| shlex::try_quote(path).ok());
    path.map(std::borrow::Cow::into_owned)
        .ok_or_else(|| CommandError::new("this program's path is no text for a shell"))
}

/// Sets a value. Returns whether it was another.
fn set(name: &str, value: &str) -> Result<bool, CommandError> {
    let (_, now, _) = git::run_if(&["config", "--local", "--get-all", name])?;
    if now.strip_suffix(b"\n") == Some(value.as_bytes()) {
        return Ok(false);
    }
    git::run(&["config", "--local", "--replace-all", name, value])?;
    Ok(true)
}

/// Removes a section. Returns whether there was one.
fn remove(section: &str) -> Result<bool, CommandError> {
    let pattern = format!("^{}\\.", section.replace('.', "\\."));
    let (code, _, _) = git::run_if(&["config", "--local", "--get-regexp", &pattern])?;
    if code != 0 {
        return Ok(false);
    }
    git::run(&["config", "--local", "--remove-section", section])?;
    Ok(true)
}

/// Patterns as people type them.
fn checked(patterns: &[String]) -> Result<Vec<String>, CommandError> {
    for pattern in patterns {
        if pattern.is_empty() || pattern.starts_with(['!', '#', '"']) {
            return Err(
                CommandError::new(format!("{pattern:?} is no pattern for .gitattributes"))
                    .hint("as in *.enc.yaml, or /secrets/** for all below a folder"),
            );
        }
    }
    Ok(patterns.to_vec())
}

/// A pattern for each file of the repository that is encrypted or is to be.
fn of_files(args: &Args, top: &Path, ui: &mut Ui) -> Result<Vec<String>, CommandError> {
    let folder = top.as_os_str();
    let mut words: Vec<&std::ffi::OsStr> = vec!["-C".as_ref(), folder];
    let list = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    words.extend(list.map(std::ffi::OsStr::new));
    let mut patterns = Vec::new();
    let mut configs = args.config.finder();
    for name in git::names(&git::run(&words)?) {
        let path = top.join(&name);
        let Ok(text) = files::read(&path) else {
            // It was removed, or is a module of its own.
            continue;
        };
        let config = configs.find(&path, ui)?;
        let config = config.as_deref();
        let rule = match config {
            Some(config) => config.rule_for(&path)?,
            None => None,
        };
        let is_ours = rule.is_some_and(CreationRule::names_paths)
            && path
                .file_name()
                .is_some_and(|name| name != config_file::NAME)
            || Encrypted::parse(&text, Format::of(&path)).is_ok();
        match name.to_str() {
            Some(name) if is_ours => patterns.push(attributes::pattern_of(name)),
            None if is_ours => ui.warn(format!(
                "{} has no name in UTF-8: it is left out",
                name.display()
            )),
            _ => {}
        }
    }
    Ok(patterns)
}
