//! The data key of a document: wrapped for its master keys, and recovered with one that is at hand.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};

use decryptor::program::wait::{CannotWait, block_on};
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

/// Many files may have a question at the same time; a person answers one after the other.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Prompt for Terminal {
    fn secret(&self, question: &str) -> Option<Plaintext> {
        let _turn = turn();
        let answer = passphrase::type_in(&format!("{question} ")).ok()?;
        Some(Plaintext::new(answer.as_bytes().to_vec()))
    }

    fn public(&self, question: &str) -> Option<String> {
        let _turn = turn();
        ui::ask(&format!("{question} ")).ok()
    }

    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let _turn = turn();
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
    block_on(groups.wrap(key, env))
        .map_err(cannot_wait)?
        .map_err(|e| CommandError::new(format!("Could not generate data key: {e}")))
}

/// Recovers the data key.
pub(crate) fn recover(
    groups: &KeyGroups,
    order: &DecryptionOrder,
    env: &Env,
) -> Result<DataKey, CommandError> {
    block_on(groups.recover(env, order))
        .map_err(cannot_wait)?
        .map_err(|e| CommandError::new(e.to_string()).code(exit::NO_DATA_KEY))
}

fn cannot_wait(error: CannotWait) -> CommandError {
    CommandError::new(error.to_string())
}
