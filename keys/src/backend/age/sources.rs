//! Where identities come from: sops's variables and files, in its order. Loaded once for an [`Env`].

use std::{
    collections::HashMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::Zeroizing;

use super::identity::{Identity, LONGEST_FILE, parse_source};
use crate::{env::Env, process};

/// What was found in some places. Complaints and empty places carry the place's rank in sops's order.
#[derive(Default)]
pub(super) struct Found {
    pub(super) identities: Vec<Identity>,
    errors: Vec<(Rank, String)>,
    empty: Vec<(Rank, String)>,
    /// Whether some place could be read, whatever was in it.
    some: bool,
    /// The identity file of the settings, if there is none.
    missing: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    SshFile,
    SshCommand,
    SshEd25519,
    SshRsa,
    Keys,
    KeyFile,
    KeyCommand,
    Settings,
    ReadButEmpty,
}

const SSH_FILE: &str = "SOPS_AGE_SSH_PRIVATE_KEY_FILE";
const SSH_COMMAND: &str = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";
const KEYS: &str = "SOPS_AGE_KEY";
const KEY_FILE: &str = "SOPS_AGE_KEY_FILE";
const KEY_COMMAND: &str = "SOPS_AGE_KEY_CMD";
/// Tells a command which recipient's identity is wanted.
const RECIPIENT: &str = "SOPS_AGE_RECIPIENT";

/// What commands printed, by the recipient they were told.
#[derive(Default)]
struct Commands(Mutex<HashMap<String, Arc<Found>>>);

/// What is in variables and files.
pub(super) fn kept(env: &Env) -> Arc<Found> {
    env.once(|| {
        let mut found = Found::default();
        found.ssh_files(env);
        found.key_sources(env);
        found
    })
}

/// What the commands print for a recipient.
pub(super) fn printed(recipient: &str, env: &Env) -> Arc<Found> {
    let commands = env.once(Commands::default);
    let mut known = commands.0.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known.entry(recipient.to_owned()).or_insert_with(|| {
        let mut found = Found::default();
        found.commands(recipient, env);
        Arc::new(found)
    });
    found.clone()
}

impl Found {
    fn ssh_files(&mut self, env: &Env) {
        match env.variable(SSH_FILE) {
            Some(path) => self.ssh_file(Rank::SshFile, Path::new(path), env),
            None => self.empty.push((Rank::SshFile, SSH_FILE.to_owned())),
        }
        let Some(home) = env.home() else {
            let error = "$HOME is not defined".to_owned();
            return self.errors.push((Rank::SshEd25519, error));
        };
        for (rank, name) in [(Rank::SshEd25519, "id_ed25519"), (Rank::SshRsa, "id_rsa")] {
            let path = home.join(".ssh").join(name);
            if path.exists() {
                self.ssh_file(rank, &path, env);
            } else {
                self.empty.push((rank, path.display().to_string()));
            }
        }
    }

    fn ssh_file(&mut self, rank: Rank, path: &Path, env: &Env) {
        let key = env
            .read(path, LONGEST_FILE)
            .map_err(|error| format!("failed to open file: {}", said(path, &error)))
            .and_then(|text| {
                let path = path.display().to_string();
                Identity::parse_ssh(&text, &path)
                    .map_err(|error| format!("malformed SSH identity in {path:?}: {error}"))
            });
        match key {
            Ok(key) => {
                self.some = true;
                self.identities.push(key);
            }
            Err(error) => self.errors.push((rank, error)),
        }
    }

    fn key_sources(&mut self, env: &Env) {
        match env.variable(KEYS) {
            Some(keys) => {
                let keys = Zeroizing::new(keys.as_encoded_bytes().to_vec());
                self.source(Rank::Keys, KEYS, keys, true);
            }
            None => self.empty.push((Rank::Keys, KEYS.to_owned())),
        }
        match env.variable(KEY_FILE).map(Path::new) {
            Some(path) => match env.read(path, LONGEST_FILE) {
                Ok(text) => self.source(Rank::KeyFile, KEY_FILE, text, false),
                Err(error) => {
                    let error = format!("failed to open {KEY_FILE} file: {}", said(path, &error));
                    self.errors.push((Rank::KeyFile, error));
                }
            },
            None => self.empty.push((Rank::KeyFile, KEY_FILE.to_owned())),
        }
        if let Some(path) = settings(env) {
            self.settings(&path, env);
        }
    }

    fn settings(&mut self, path: &Path, env: &Env) {
        let location = path.display().to_string();
        match env.read(path, LONGEST_FILE) {
            Ok(text) => self.source(Rank::Settings, &location, text, false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.missing = Some(location),
            Err(error) => {
                let error = format!("failed to open file: {}", said(path, &error));
                self.errors.push((Rank::Settings, error));
            }
        }
    }

    fn commands(&mut self, recipient: &str, env: &Env) {
        match env.variable(SSH_COMMAND) {
            Some(command) => match run(command, recipient, env) {
                Ok(text) => self.ssh_output(&text),
                Err(error) => self.errors.push((Rank::SshCommand, error)),
            },
            None => self.empty.push((Rank::SshCommand, SSH_COMMAND.to_owned())),
        }
        match env.variable(KEY_COMMAND) {
            Some(command) => match run(command, recipient, env) {
                Ok(text) => self.source(Rank::KeyCommand, KEY_COMMAND, text, false),
                Err(error) => self.errors.push((Rank::KeyCommand, error)),
            },
            None => self.empty.push((Rank::KeyCommand, KEY_COMMAND.to_owned())),
        }
    }

    /// A command's key must not be under a passphrase: nobody would know whose it is.
    fn ssh_output(&mut self, text: &[u8]) {
        let error = match Identity::parse_ssh(text, SSH_COMMAND) {
            Ok(Identity::LockedSsh(_)) => format!(
                "the SSH key returned by running {SSH_COMMAND} is password protected, which is unsupported."
            ),
            Ok(key) => {
                self.some = true;
                return self.identities.push(key);
            }
            Err(error) => {
                format!("malformed SSH identity returned by running {SSH_COMMAND}: {error:?}")
            }
        };
        self.errors.push((Rank::SshCommand, error));
    }

    fn source(&mut self, rank: Rank, location: &str, text: Zeroizing<Vec<u8>>, words: bool) {
        self.some = true;
        match parse_source(location, text, words) {
            Ok(found) if found.is_empty() => {
                self.empty.push((Rank::ReadButEmpty, location.to_owned()));
            }
            Ok(found) => self.identities.extend(found),
            Err(error) => self.errors.push((rank, error)),
        }
    }
}

/// What to add to a failure: which places could not be read, and which held nothing.
pub(super) fn explain(found: &[&Found], env: &Env) -> String {
    let mut errors: Vec<_> = found
        .iter()
        .flat_map(|found| found.errors.clone())
        .collect();
    let mut empty: Vec<_> = found.iter().flat_map(|found| found.empty.clone()).collect();
    if !found.iter().any(|found| found.some) {
        let missing = found.iter().filter_map(|found| found.missing.clone());
        empty.extend(missing.map(|location| (Rank::Settings, location)));
        if settings(env).is_none() {
            let error = "user config directory could not be determined".to_owned();
            errors.push((Rank::Settings, error));
        }
    }
    errors.sort();
    empty.sort_by_key(|(rank, _)| *rank);
    let mut text = String::new();
    if !errors.is_empty() {
        let errors: Vec<_> = errors.into_iter().map(|(_, error)| error).collect();
        text.push_str(". Errors while loading age identities: ");
        text.push_str(&errors.join("; "));
    }
    let empty: Vec<_> = empty.into_iter().map(|(_, location)| location).collect();
    let places = match empty.as_slice() {
        [] => return text,
        [one] => format!(" '{one}'"),
        [one, two] => format!("s '{one}' and '{two}'"),
        [many @ .., last] => format!("s '{}', and '{last}'", many.join("', '")),
    };
    text.push_str(&format!(". Did not find keys in location{places}."));
    text
}

fn settings(env: &Env) -> Option<PathBuf> {
    Some(env.config()?.join("sops").join("age").join("keys.txt"))
}

/// An error with the path it is about, as Go says it.
fn said(path: &Path, error: &io::Error) -> String {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    format!("open {}: {what}", path.display())
}

/// Runs a command, split as a shell would but run without one.
fn run(command: &OsStr, recipient: &str, env: &Env) -> Result<Zeroizing<Vec<u8>>, String> {
    let text = command.to_string_lossy();
    let failed = |error: &str| format!("failed to execute command {text}: {error}");
    let words = shlex::split(&text).ok_or_else(|| format!("failed to parse command {text}"))?;
    let [program, args @ ..] = words.as_slice() else {
        return Err(failed("it is empty"));
    };
    let not_found = || {
        failed(&format!(
            "exec: {program:?}: executable file not found in $PATH"
        ))
    };
    let path = env.program(program).ok_or_else(not_found)?;
    let name = command;
    let mut command = env.command(&path);
    command.args(args).env(RECIPIENT, recipient);
    let output =
        process::run(command, b"", name, env).map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        let code = output.status.code();
        let status = code.map_or_else(
            || output.status.to_string(),
            |code| format!("exit status {code}"),
        );
        let said = output.stderr.lines().next().unwrap_or_default();
        let said: String = said.chars().filter(|c| !c.is_control()).collect();
        let colon = if said.is_empty() { "" } else { ": " };
        return Err(failed(&format!("{status}{colon}{said}")));
    }
    Ok(output.stdout)
}
