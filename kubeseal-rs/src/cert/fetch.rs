//! A certificate from a web server.

use std::io;
use std::time::Duration;

use rustls::CertificateError;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Proxy, ProxyProtocol};
use url::Url;

use crate::error::CommandError;
use crate::ui::Ui;

const MOST_BYTES: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// Fetches a certificate. What comes over plain http may be anybody's, and is warned about.
pub(super) fn get(url: &Url, ui: &mut Ui) -> Result<Vec<u8>, CommandError> {
    let shown = super::without_password(url.as_str());
    if url.scheme() == "http" {
        ui.warn(format!(
            "{shown} is fetched over plain http: whoever is on the way can put their own certificate in its place; \
             use https, or pin the certificate with --cert-pin"
        ));
    }
    let failed = || CommandError::new(format!("cannot fetch \"{shown}\""));
    let mut response = agent(url)?
        .get(url.as_str())
        .call()
        .map_err(|e| explain(failed(), e))?;
    let status = response.status();
    if status != 200 {
        return Err(failed().because(status.to_string()).hint(
            "the address must answer with the certificate itself, as PEM; try it with curl",
        ));
    }
    response
        .body_mut()
        .with_config()
        .limit(MOST_BYTES)
        .read_to_vec()
        .map_err(|e| explain(failed(), e))
}

/// The reason in words of ours where the library's are for programmers, and what to do about it.
fn explain(failed: CommandError, error: ureq::Error) -> CommandError {
    match error {
        ureq::Error::RequireHttpsOnly(target) => failed
            .because(format!("it redirects to {target}, which is not https"))
            .hint("name that address itself if you trust the way there, and pin its key with --cert-pin"),
        ureq::Error::BodyExceedsLimit(most) => failed
            .because(format!("it answers with more than {most} bytes"))
            .hint("the address must answer with the certificate itself, as PEM"),
        ureq::Error::Io(error) => match distrusted(&error) {
            Some(why) => failed.because(format!("the server's own certificate {why}")).hint(
                "name its authority with SSL_CERT_FILE=ca.pem if this machine does not know it, or fetch the file another way",
            ),
            None => failed.because(error),
        },
        error => failed.because(error),
    }
}

/// Why a server was not believed. Returns `None` if that was not what went wrong.
fn distrusted(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(why) = inner else {
        return None;
    };
    Some(match why {
        CertificateError::UnknownIssuer => "is of an unknown authority".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name".to_owned()
        }
        why => format!("is not valid ({why:?})"),
    })
}

fn agent(url: &Url) -> Result<Agent, CommandError> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
    let config = Agent::config_builder()
        .tls_config(tls.build())
        .proxy(proxy(url, |name| std::env::var(name).ok())?)
        .http_status_as_error(false)
        // A redirect must not lead from an authenticated server to anybody.
        .https_only(url.scheme() == "https")
        .timeout_global(Some(PATIENCE));
    Ok(config.build().into())
}

/// The proxy that the environment names for a URL, by the rules of Go's `ProxyFromEnvironment`.
fn proxy(url: &Url, env: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, CommandError> {
    let either = |upper: &str| {
        env(upper)
            .or_else(|| env(&upper.to_lowercase()))
            .filter(|value| !value.is_empty())
    };
    let variable = match url.scheme() {
        "https" => "HTTPS_PROXY",
        _ => "HTTP_PROXY",
    };
    let Some(text) = either(variable).filter(|_| !is_local(url)) else {
        return Ok(None);
    };
    let with_scheme = if text.contains("://") {
        text
    } else {
        format!("http://{text}")
    };
    let unusable = || CommandError::new(format!("cannot use the proxy that {variable} names"));
    let address = Url::parse(&with_scheme).map_err(|e| unusable().because(e))?;
    let protocol = ProxyProtocol::try_from(address.scheme()).map_err(|e| unusable().because(e))?;
    let mut builder = Proxy::builder(protocol).host(address.host_str().unwrap_or_default());
    if let Some(port) = address.port_or_known_default() {
        builder = builder.port(port);
    }
    if !address.username().is_empty() {
        builder = builder
            .username(address.username())
            .password(address.password().unwrap_or_default());
    }
    for pattern in either("NO_PROXY").unwrap_or_default().split(',') {
        builder = match pattern.trim() {
            "" => builder,
            pattern => builder.no_proxy(pattern),
        };
    }
    builder.build().map(Some).map_err(|e| unusable().because(e))
}

/// A loopback address is never reached through a proxy.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, env: &[(&str, &str)]) -> Option<String> {
        let env = |name: &str| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxy = proxy(&Url::parse(url).unwrap(), env).unwrap()?;
        Some(format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_scheme_chooses_the_variable() {
        let env = [("HTTPS_PROXY", "http://a:1"), ("http_proxy", "b:2")];
        assert_eq!(chosen("https://x/", &env).as_deref(), Some("a:1"));
        assert_eq!(chosen("http://x/", &env).as_deref(), Some("b:2"));
        assert_eq!(chosen("http://127.0.0.1/", &env), None);
        assert_eq!(chosen("http://x/", &[]), None);
    }
}
