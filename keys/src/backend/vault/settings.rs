//! What the variables of Vault's own client say: limits, certificates, a proxy.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};
use zeroize::Zeroizing;

use crate::remote::Limits;
use crate::{
    env::{Env, shown},
    master_key::KeyError,
};

/// No file of certificates is longer.
const LONGEST_PEM: u64 = 4 << 20;

/// A variable of Vault's client, or else of OpenBao's. Set to nothing, it is not set.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    both(env, name).next()
}

/// A variable of Vault's client, and of OpenBao's.
pub(super) fn both(env: &Env, name: &str) -> impl Iterator<Item = String> {
    ["VAULT_", "BAO_"].into_iter().filter_map(move |prefix| {
        let value = env.variable(&format!("{prefix}{name}"))?.to_string_lossy();
        (!value.is_empty()).then(|| value.into_owned())
    })
}

/// How long a call may take, and how often it is tried.
pub(super) fn limits(env: &Env) -> Result<Limits, KeyError> {
    let mut limits = Limits::default();
    if let Some(text) = variable(env, "CLIENT_TIMEOUT") {
        let limit = duration(&text).filter(|limit| !limit.is_zero());
        limits.call = limit.ok_or_else(|| {
            KeyError(format!(
                "VAULT_CLIENT_TIMEOUT is {text:?}, which is no duration such as 30s"
            ))
        })?;
    }
    if let Some(text) = variable(env, "MAX_RETRIES") {
        let retries: Result<u32, _> = text.parse();
        let retries = retries
            .map_err(|_| KeyError(format!("VAULT_MAX_RETRIES is {text:?}, which is no number")))?;
        limits.tries = retries.saturating_add(1);
    }
    Ok(limits)
}

/// Seconds, or a duration as Go writes it.
fn duration(text: &str) -> Option<Duration> {
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => text.parse::<SignedDuration>().ok()?.try_into().ok(),
    }
}

/// What is done to a client before it is made.
pub(super) type Settings = Box<dyn FnOnce(ClientBuilder) -> reqwest::Result<ClientBuilder>>;

/// What the variables say of certificates and of a proxy.
pub(super) fn connection(env: &Env) -> Result<Settings, KeyError> {
    if variable(env, "TLS_SERVER_NAME").is_some() {
        return Err(KeyError(
            "VAULT_TLS_SERVER_NAME is not supported: use the server's name in its address"
                .to_owned(),
        ));
    }
    let roots = roots(env)?;
    let identity = identity(env)?;
    let proxy = variable(env, "PROXY_ADDR").or_else(|| variable(env, "HTTP_PROXY"));
    let skip = variable(env, "SKIP_VERIFY")
        .is_some_and(|text| matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"));
    Ok(Box::new(move |mut builder| {
        if let Some(roots) = roots {
            builder = builder.tls_certs_only(roots);
        }
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        if let Some(proxy) = proxy {
            builder = builder.proxy(Proxy::all(proxy)?);
        }
        Ok(builder.tls_danger_accept_invalid_certs(skip))
    }))
}

/// The authorities that the variables name. Returns `None` if they name none: then those of the system count.
fn roots(env: &Env) -> Result<Option<Vec<Certificate>>, KeyError> {
    if let Some(pem) = variable(env, "CACERT_BYTES") {
        return bundle("VAULT_CACERT_BYTES", pem.as_bytes()).map(Some);
    }
    if let Some(file) = variable(env, "CACERT") {
        return bundle(&file, &read(env, Path::new(&file), LONGEST_PEM)?).map(Some);
    }
    let Some(folder) = variable(env, "CAPATH") else {
        return Ok(None);
    };
    let unreadable = |e| KeyError(format!("cannot read {folder}: {e}"));
    let mut roots = Vec::new();
    for file in std::fs::read_dir(&folder).map_err(unreadable)? {
        let file = file.map_err(unreadable)?.path();
        if file.is_file() {
            roots.extend(bundle(
                &file.to_string_lossy(),
                &read(env, &file, LONGEST_PEM)?,
            )?);
        }
    }
    match roots.is_empty() {
        true => Err(KeyError(format!("{folder} holds no certificate"))),
        false => Ok(Some(roots)),
    }
}

/// The certificate that the client shows, if it has one.
fn identity(env: &Env) -> Result<Option<Identity>, KeyError> {
    let (cert, key) = match (variable(env, "CLIENT_CERT"), variable(env, "CLIENT_KEY")) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        _ => {
            let text = "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY go together";
            return Err(KeyError(text.to_owned()));
        }
    };
    let pem = |file: &str| read(env, Path::new(file), LONGEST_PEM);
    let (first, second) = (pem(&key)?, pem(&cert)?);
    // Growing would leave copies of the key behind.
    let mut pem = Zeroizing::new(Vec::with_capacity(first.len() + 1 + second.len()));
    for part in [first.as_slice(), b"\n", &second] {
        pem.extend_from_slice(part);
    }
    let identity = Identity::from_pem(&pem);
    identity.map(Some).map_err(|e| {
        KeyError(format!(
            "{cert} and {key} are not a certificate and its key: {e}"
        ))
    })
}

fn bundle(name: &str, pem: &[u8]) -> Result<Vec<Certificate>, KeyError> {
    let certificates = Certificate::from_pem_bundle(pem);
    let certificates = certificates.ok().filter(|found| !found.is_empty());
    certificates.ok_or_else(|| KeyError(format!("{name} holds no certificate in PEM")))
}

/// A file of so many bytes at most.
pub(super) fn read(env: &Env, file: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = env.read(file, most);
    bytes.map_err(|e| KeyError(format!("cannot read {}: {e}", shown(file))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_as_the_variables_say_or_refused() {
        let call = |text| limits(&Env::from([("VAULT_CLIENT_TIMEOUT", text)])).map(|it| it.call);
        for (text, seconds) in [("30", 30), ("3s", 3), ("2m", 120), ("1m30s", 90), ("", 60)] {
            assert_eq!(call(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["0", "-1s", "soon"] {
            let error = call(text).expect_err(text);
            assert!(error.0.contains("VAULT_CLIENT_TIMEOUT"), "{error}");
        }
        let tries = |text| limits(&Env::from([("BAO_MAX_RETRIES", text)])).map(|it| it.tries);
        assert_eq!((tries("0"), tries("4294967295")), (Ok(1), Ok(u32::MAX)));
        assert!(tries("-1").is_err());
    }

    #[test]
    fn authorities_that_are_not_there_are_not_those_of_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("text");
        for name in ["VAULT_CAPATH", "VAULT_CACERT", "VAULT_CACERT_BYTES"] {
            assert!(connection(&Env::from([(name, path)])).is_err(), "{name}");
        }
        assert!(connection(&Env::from([("VAULT_CLIENT_CERT", path)])).is_err());
        assert!(connection(&Env::from([("VAULT_TLS_SERVER_NAME", "v")])).is_err());
    }
}
