//! Where the certificate to seal with comes from, and whether it may be used.

mod fetch;
mod policy;

use std::path::PathBuf;

use keys::SealingCert;

pub(crate) use policy::{Pin, Policy};

use crate::cluster::Controller;
use crate::error::CommandError;
use crate::files;
use crate::keyring::Keyring;
use crate::ui::Ui;

/// Where a certificate comes from.
pub(crate) enum Source {
    /// A file, or an http, https or file URL.
    Place(String),
    /// The newest key of a local keyring.
    Keyring(Keyring),
    /// The controller of a cluster.
    Controller(Box<Controller>),
}

/// Which certificate to seal with, and what it must be like.
pub(crate) struct CertChoice {
    /// Where it comes from.
    pub(crate) source: Source,
    /// What it must be like.
    pub(crate) policy: Policy,
}

impl CertChoice {
    /// Reads the certificate as it is, byte for byte. Only the pins are checked.
    pub(crate) fn fetch(&self, ui: &mut Ui) -> Result<Vec<u8>, CommandError> {
        let text = self.read(ui)?;
        if self.policy.has_pins() {
            self.policy.check_pins(&self.parse(&text)?)?;
        }
        Ok(text)
    }

    /// Reads the certificate, to look at it. Only the pins are checked.
    pub(crate) fn look(&self, ui: &mut Ui) -> Result<SealingCert, CommandError> {
        let cert = self.parse(&self.read(ui)?)?;
        self.policy.check_pins(&cert)?;
        Ok(cert)
    }

    /// Reads the certificate and makes sure that it may be sealed with.
    pub(crate) fn open(&self, ui: &mut Ui) -> Result<SealingCert, CommandError> {
        let cert = self.parse(&self.read(ui)?)?;
        self.policy.check(&cert, jiff::Timestamp::now(), ui)?;
        Ok(cert)
    }

    fn parse(&self, text: &[u8]) -> Result<SealingCert, CommandError> {
        SealingCert::from_pem(text).map_err(|e| {
            CommandError::new(format!(
                "cannot use the certificate from {}",
                self.source.name()
            ))
            .because(e)
            .hint("a sealing certificate is the PEM text that `kubeseal --fetch-cert` prints")
        })
    }

    fn read(&self, ui: &mut Ui) -> Result<Vec<u8>, CommandError> {
        match &self.source {
            Source::Place(place) => read_place(place, ui),
            Source::Keyring(keyring) => Ok(keyring.newest()?.cert.pem().as_bytes().to_vec()),
            Source::Controller(controller) => controller
                .connect("to seal without a cluster, hand over its certificate with --cert")?
                .certificate(),
        }
    }
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Place(place) => without_password(place),
            Self::Keyring(keyring) => format!("the keyring {}", keyring.folder().display()),
            Self::Controller(controller) => {
                format!(
                    "the controller {}/{}",
                    controller.namespace, controller.name
                )
            }
        }
    }
}

/// A URL as it may be shown.
fn without_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // It has a password, so it can have another one.
            let _ = url.set_password(Some("xxxxx"));
            url.to_string()
        }
        _ => text.to_owned(),
    }
}

fn read_place(place: &str, ui: &mut Ui) -> Result<Vec<u8>, CommandError> {
    let cannot_open = |e: std::io::Error| {
        CommandError::new(format!("open {place}"))
            .because(e)
            .hint("--cert takes a file or an http, https or file URL; fetch the file with `kubeseal --fetch-cert`")
    };
    match Place::of(place)? {
        Place::File(path) => match files::read(&path) {
            Ok(text) => Ok(text.to_vec()),
            Err(e) => Err(cannot_open(e)),
        },
        Place::Web(url) => fetch::get(&url, ui),
    }
}

/// What the text of `--cert` means.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Web(url::Url),
}

impl Place {
    /// A text with a scheme is a URL; a scheme of one letter is a Windows drive.
    fn of(text: &str) -> Result<Self, CommandError> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        let is_scheme = |scheme: &str| {
            scheme.len() > 1
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        if !scheme.is_some_and(is_scheme) {
            return Ok(Self::File(text.into()));
        }
        let unsupported = || {
            let shown = without_password(text);
            CommandError::new(format!("cannot fetch {shown:?}: unsupported protocol scheme"))
                .hint("--cert takes a file or an http, https or file URL; put ./ before a file name with a colon")
        };
        // What cannot be read may hold a password anywhere.
        let scheme = scheme.unwrap_or_default();
        let url = url::Url::parse(text)
            .map_err(|e| CommandError::new(format!("cannot fetch \"{scheme}:…\"")).because(e))?;
        match url.scheme() {
            "http" | "https" => Ok(Self::Web(url)),
            "file" => Ok(Self::File(url.to_file_path().map_err(|()| unsupported())?)),
            _ => Err(unsupported()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_scheme_is_a_url() {
        let file = |text: &str| Place::of(text).unwrap() == Place::File(text.into());
        assert!(file("cert.pem"));
        assert!(file("/a/cert.pem"));
        assert!(file(r"C:\cert.pem"));
        assert!(file("a b:c"));
        assert_eq!(
            Place::of("file:///a%20b/c").unwrap(),
            Place::File("/a b/c".into())
        );
        assert!(matches!(Place::of("https://a/b").unwrap(), Place::Web(_)));
        assert!(Place::of("ftp://a/b").is_err());
    }
}
