//! What variables say of the way to AWS: authorities, and what the SDK itself looks for.

use std::collections::HashMap;
use std::path::Path;

use reqwest::Certificate;

use crate::{env::Env, master_key::KeyError};

/// No file of certificates is longer.
const LONGEST_PEM: u64 = 4 << 20;
/// Credentials that count before those of a profile.
const GIVEN: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// A variable. Set to nothing, it is not set.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = env.variable(name)?.to_str()?;
    (!value.is_empty()).then(|| value.to_owned())
}

/// Whether the environment holds credentials itself.
pub(super) fn has_credentials(env: &Env) -> bool {
    variable(env, GIVEN[0]).is_some() && variable(env, GIVEN[1]).is_some()
}

/// The variables that the SDK gets to see. Where a key names a profile, its credentials count, as with sops.
pub(super) fn variables(env: &Env, profile: &str) -> HashMap<String, String> {
    let all = env.text_variables();
    all.filter(|(name, _)| profile.is_empty() || !GIVEN.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The authorities of `AWS_CA_BUNDLE`. Returns `None` if it names none: then those of the system count.
pub(super) fn authorities(env: &Env) -> Result<Option<Vec<Certificate>>, KeyError> {
    let Some(file) = variable(env, "AWS_CA_BUNDLE") else {
        return Ok(None);
    };
    let failed = |why: &str| KeyError(format!("AWS_CA_BUNDLE: {file}: {why}"));
    let pem = env.read(Path::new(&file), LONGEST_PEM);
    let pem = pem.map_err(|e| failed(&e.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).ok();
    let found = found.filter(|found| !found.is_empty());
    found
        .map(Some)
        .ok_or_else(|| failed("it holds no certificate in PEM"))
}
