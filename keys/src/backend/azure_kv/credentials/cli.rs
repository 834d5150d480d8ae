//! A person who has logged in with `az`.

use std::ffi::OsStr;
use std::time::Duration;

use serde::Deserialize;

use super::Refusal;
use crate::backend::azure_kv::challenge::Challenge;
use crate::remote::{Hidden, Session, reason};
use crate::{env::Env, master_key::KeyError, process};

/// What `az` answers. Old versions tell the end of it in local time only: then it is used for a while.
#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "accessToken")]
    token: Hidden,
    #[serde(default)]
    expires_on: Option<i64>,
}

/// How long a token is used whose end is not known.
const A_WHILE: Duration = Duration::from_secs(300);

pub(super) async fn token(challenge: &Challenge, env: &Env) -> Result<Session, Refusal> {
    let not_here = || Refusal::NotHere("there is no az in PATH".to_owned());
    let program = env.program("az").ok_or_else(not_here)?;
    let mut command = env.command(&program);
    command.args(["account", "get-access-token", "-o", "json", "--resource"]);
    command.arg(&challenge.resource);
    if !challenge.tenant.is_empty() {
        command.args(["--tenant", &challenge.tenant]);
    }
    let run = {
        let env = env.clone();
        tokio::task::spawn_blocking(move || process::run(command, b"", OsStr::new("az"), &env))
    };
    let output = match run.await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(KeyError(format!("az: {error}")).into()),
        Err(_) => return Err(KeyError("az was not run".to_owned()).into()),
    };
    if !output.status.success() {
        let said = reason(&output.stderr, &[]);
        return Err(KeyError(format!(
            "az account get-access-token: {said} (log in: az login)"
        ))
        .into());
    }
    let reply: Option<Reply> = serde_json::from_slice(&output.stdout).ok();
    let reply = reply.filter(|reply| !reply.token.is_empty());
    let reply = reply.ok_or_else(|| KeyError("what az prints holds no token".to_owned()))?;
    let left = reply.expires_on.map_or(A_WHILE, |end| {
        let left = end.saturating_sub(env.now().as_second());
        Duration::from_secs(u64::try_from(left).unwrap_or_default().max(1))
    });
    Ok(Session::lent(reply.token.clone(), left))
}
