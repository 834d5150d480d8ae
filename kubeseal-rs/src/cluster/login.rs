//! Who is asking, where neither kubeconfig nor flags say so: a person at a terminal is asked, as kubectl asks.

use std::io::{self, IsTerminal};

use kube::config::{AuthInfo, Cluster};
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::ui;

/// The user, with name and password typed in if there is nothing to log in with and somebody who can type.
pub(super) fn complete(user: AuthInfo, cluster: &Cluster) -> Result<AuthInfo, CommandError> {
    let is_secure = cluster
        .server
        .as_ref()
        .is_some_and(|server| server.starts_with("https://"));
    // What is piped in is a Secret, not an answer.
    if can_log_in(&user) || !is_secure || !io::stdin().is_terminal() {
        return Ok(user);
    }
    let failed = |e: io::Error| {
        CommandError::new("cannot ask for a user name and a password")
            .because(e)
            .hint("say who you are in the kubeconfig, or with --token")
    };
    let name = ui::ask("Please enter Username: ").map_err(failed)?;
    if name.is_empty() {
        return Err(failed(io::Error::other("no name was given")));
    }
    let password = rpassword::prompt_password("Please enter Password: ")
        .map(Zeroizing::new)
        .map_err(failed)?;
    // A password is of a type that can only be made by reading it.
    let secret: AuthInfo =
        serde_json::from_value(json!({"password": password.as_str()})).unwrap_or_default();
    Ok(AuthInfo {
        username: Some(name),
        password: secret.password,
        ..user
    })
}

fn can_log_in(user: &AuthInfo) -> bool {
    let has_certificate =
        user.client_certificate.is_some() || user.client_certificate_data.is_some();
    let has_key = user.client_key.is_some() || user.client_key_data.is_some();
    let has_token = user.token.is_some() || user.token_file.is_some();
    let has_name = user.username.as_ref().is_some_and(|name| !name.is_empty());
    let has_plugin = user.exec.is_some() || user.auth_provider.is_some();
    (has_certificate && has_key) || has_token || has_name || has_plugin
}
