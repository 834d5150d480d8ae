//! The person's editor, and the signals while it runs: whatever ends this program, the clear text is removed first.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use keys::Env;
use tokio::process::Command;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::error::CommandError;
use crate::sops::exit;
use crate::ui::{self, Ui};

/// Editors that are looked for where none is named.
const USUAL: [&str; 3] = ["vim", "nano", "vi"];
/// Keeps Vim from leaving clear text in other files: no swap file, no list of registers, no backup, no history of changes.
const NO_TRACES: [&str; 5] = [
    "-n",
    "-i",
    "NONE",
    "--cmd",
    "set nobackup nowritebackup noundofile",
];

/// Variables that hold keys and passphrases themselves: the editor, and all that it loads, has no need of them.
const KEYS: [&str; 16] = [
    "SOPS_AGE_KEY",
    "SOPS_PGP_KEY",
    "VAULT_TOKEN",
    "BAO_TOKEN",
    "VAULT_SECRET_ID",
    "BAO_SECRET_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "IDENTITY_HEADER",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "SEALED_SECRETS_KEYRING_PASSPHRASE",
];

/// Signals are caught as long as it lives.
pub(super) struct Session {
    runtime: Runtime,
    interrupt: Signal,
    ends: [Signal; 3],
}

impl Session {
    pub(super) fn begin() -> Result<Self, CommandError> {
        let failed = |e| CommandError::new("cannot wait for an editor").because(e);
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let (interrupt, ends) = {
            let _inside = runtime.enter();
            let catch = |kind| signal(kind).map_err(failed);
            let ends = [
                catch(SignalKind::terminate())?,
                catch(SignalKind::hangup())?,
                catch(SignalKind::quit())?,
            ];
            (catch(SignalKind::interrupt())?, ends)
        };
        Ok(Self {
            runtime,
            interrupt,
            ends,
        })
    }

    /// Runs the editor on a file until it ends.
    pub(super) fn edit(&mut self, file: &Path, env: &Env) -> Result<(), CommandError> {
        let words = chosen(env)?;
        let could_not = || CommandError::new("Could not run editor").code(exit::NO_EDITOR);
        let (program, args) = words.split_first().ok_or_else(could_not)?;
        let Self {
            runtime,
            interrupt,
            ends: [terminate, hangup, quit],
        } = self;
        let status = runtime.block_on(async {
            let mut command = Command::new(program);
            command.args(args).arg(file).kill_on_drop(true);
            for name in KEYS {
                command.env_remove(name);
            }
            let mut child = command.spawn()?;
            loop {
                tokio::select! {
                    status = child.wait() => return status.map(Some),
                    // Whoever types it at a terminal means the editor, which got it too.
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => return Ok(None),
                    _ = hangup.recv() => return Ok(None),
                    _ = quit.recv() => return Ok(None),
                }
            }
        });
        match status {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(could_not().because(said(status))),
            Ok(None) => Err(canceled()),
            Err(error) => Err(could_not().because(format!(
                "{}: {}",
                program.display(),
                crate::error::io_reason(&error)
            ))),
        }
    }

    /// Waits until the person wants to go on.
    pub(super) fn wait_for_enter(&mut self, ui: &mut Ui) -> Result<(), CommandError> {
        ui.note("Press enter to return to the editor, or Ctrl+C to exit.");
        let Self {
            runtime,
            interrupt,
            ends: [terminate, hangup, quit],
        } = self;
        let (tell, told) = oneshot::channel();
        // If the command ends first, nobody waits for it.
        std::thread::spawn(move || tell.send(ui::answer().is_ok()));
        let goes_on = runtime.block_on(async {
            tokio::select! {
                answer = told => answer.unwrap_or(false),
                _ = interrupt.recv() => false,
                _ = terminate.recv() => false,
                _ = hangup.recv() => false,
                _ = quit.recv() => false,
            }
        });
        match goes_on {
            true => Ok(()),
            false => Err(canceled()),
        }
    }
}

fn canceled() -> CommandError {
    CommandError::new("User canceled operation")
}

fn said(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}

/// The words of the editor's command.
fn chosen(env: &Env) -> Result<Vec<OsString>, CommandError> {
    let named = ["SOPS_EDITOR", "EDITOR"].into_iter().find_map(|name| {
        let text = env.variable(name)?.to_str()?;
        (!text.trim().is_empty()).then_some((name, text))
    });
    let mut words: Vec<OsString> = match named {
        Some((name, text)) => shlex::split(text)
            .ok_or_else(|| {
                CommandError::new(format!(
                    "Could not run editor: the quotes in {name} do not match"
                ))
                .code(exit::NO_EDITOR)
            })?
            .into_iter()
            .map(OsString::from)
            .collect(),
        None => vec![usual(env)?.into()],
    };
    if words.first().is_some_and(|program| is_vim(program, env)) {
        words.splice(1..1, NO_TRACES.map(OsString::from));
    }
    Ok(words)
}

fn usual(env: &Env) -> Result<PathBuf, CommandError> {
    let found = USUAL.into_iter().find_map(|program| env.program(program));
    found.ok_or_else(|| {
        CommandError::new(format!(
            "Could not run editor: no editor available: there is none of {}",
            USUAL.join(", ")
        ))
        .code(exit::NO_EDITOR)
        .hint("name yours in $SOPS_EDITOR or $EDITOR")
    })
}

/// Whether a program is Vim, by its own name or that of the file behind it: `vi` may be a link.
fn is_vim(program: &OsStr, env: &Env) -> bool {
    let path = env
        .program(program)
        .and_then(|path| path.canonicalize().ok());
    let name = path.as_deref().and_then(Path::file_name);
    name.is_some_and(|name| {
        let name = name.to_string_lossy();
        name.starts_with("vim") || name == "nvim"
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn vim_is_known_behind_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["vim.basic", "nvim", "nano"] {
            fs::write(path(name), "").unwrap();
        }
        symlink(path("vim.basic"), path("vi")).unwrap();
        symlink(path("nano"), path("editor")).unwrap();
        for (name, expected) in [
            ("vim.basic", true),
            ("vi", true),
            ("nvim", true),
            ("nano", false),
            ("editor", false),
            ("missing", false),
        ] {
            let env = Env::from_process();
            assert_eq!(is_vim(path(name).as_os_str(), &env), expected, "{name}");
        }
    }
}
