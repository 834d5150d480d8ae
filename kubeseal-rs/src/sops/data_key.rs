//! The data key of a document: wrapped for its master keys, and recovered with one that is at hand.

use std::future::Future;
use std::io::IsTerminal;

use keys::env::Prompt;
use keys::{DataKey, DecryptionOrder, Env, KeyGroups, Plaintext};

use super::exit;
use crate::error::CommandError;
use crate::passphrase;
use crate::ui;

/// The outside as this process has it, with the person at the terminal.
pub(crate) fn env() -> Env {
    let env = Env::from_process();
    match std::io::stderr().is_terminal() {
        true => env.with_prompt(Terminal),
        false => env,
    }
}

struct Terminal;

impl Prompt for Terminal {
    fn secret(&self, question: &str) -> Option<Plaintext> {
        let answer = passphrase::type_in(&format!("{question} ")).ok()?;
        Some(Plaintext::new(answer.as_bytes().to_vec()))
    }

    fn public(&self, question: &str) -> Option<String> {
        ui::ask(&format!("{question} ")).ok()
    }

    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.unwrap_or("cancel");
        let answer = ui::ask(&format!("{question} (y: {yes}, n: {no}) ")).ok()?;
        match answer.as_str() {
            "y" | "Y" => Some(true),
            "n" | "N" => Some(false),
            _ => None,
        }
    }

    fn show(&self, message: &str) {
        ui::tell(message);
    }
}

/// Makes a data key and wraps it for all keys, or for none.
pub(crate) fn generate(groups: &mut KeyGroups, env: &Env) -> Result<DataKey, CommandError> {
    let key = DataKey::generate();
    wrap(groups, &key, env)?;
    Ok(key)
}

/// Wraps a data key for all keys, or for none.
pub(crate) fn wrap(groups: &mut KeyGroups, key: &DataKey, env: &Env) -> Result<(), CommandError> {
    block_on(groups.wrap(key, env))?
        .map_err(|e| CommandError::new(format!("Could not generate data key: {e}")))
}

/// Recovers the data key.
pub(crate) fn recover(
    groups: &KeyGroups,
    order: &DecryptionOrder,
    env: &Env,
) -> Result<DataKey, CommandError> {
    block_on(groups.recover(env, order))?
        .map_err(|e| CommandError::new(e.to_string()).code(exit::NO_DATA_KEY))
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|e| CommandError::new("cannot wait for keys").because(e))?;
    Ok(runtime.block_on(work))
}
