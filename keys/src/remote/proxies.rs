//! Proxies as the environment names them, for whoever names no other.

use reqwest::{ClientBuilder, NoProxy, Proxy};

use crate::env::Env;

/// What is reached without one, whatever the variables say: the machine itself, and what is next to it: there a cloud gives credentials to whoever asks from the machine.
const DIRECT: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fe80::/10,fd00:ec2::/32";

/// Adds those of `HTTP_PROXY` and `HTTPS_PROXY`, but for the hosts of `NO_PROXY`.
pub(super) fn add(mut builder: ClientBuilder, env: &Env) -> reqwest::Result<ClientBuilder> {
    let direct = variable(env, "NO_PROXY").unwrap_or_default();
    let direct = NoProxy::from_string(&format!("{DIRECT},{direct}"));
    if let Some(proxy) = variable(env, "HTTP_PROXY") {
        builder = builder.proxy(Proxy::http(proxy)?.no_proxy(direct.clone()));
    }
    if let Some(proxy) = variable(env, "HTTPS_PROXY") {
        builder = builder.proxy(Proxy::https(proxy)?.no_proxy(direct));
    }
    Ok(builder)
}

/// A variable, whose name may be in small letters. Set to nothing, it is not set.
fn variable(env: &Env, name: &str) -> Option<String> {
    [name.to_owned(), name.to_ascii_lowercase()]
        .iter()
        .filter_map(|name| env.variable(name)?.to_str())
        .find(|value| !value.is_empty())
        .map(str::to_owned)
}
