//! Seals every Secret of a stream, or none.

use decryptor::manifest::Document;
use decryptor::program::parallel;
use decryptor::sealed::plain::NotASecret;
use decryptor::sealed::{self, PlainSecret, SealedSecret, hint};
use keys::scope::{CLUSTER_WIDE, NAMESPACE_WIDE};
use keys::{Scope, SealingCert};

use crate::cert::CertChoice;
use crate::documents;
use crate::error::CommandError;
use crate::files::Input;
use crate::namespace::Namespaces;
use crate::output::{Format, Output};
use crate::ui::{Progress, Ui};

/// What to seal, and how.
pub(crate) struct Args {
    /// The Secrets.
    pub(crate) input: Input,
    /// Where the SealedSecrets go.
    pub(crate) output: Output,
    /// The certificate.
    pub(crate) cert: CertChoice,
    /// How.
    pub(crate) how: How,
}

/// How Secrets are sealed.
pub(crate) struct How {
    /// The scope that was asked for; `None` leaves it to the Secret's annotations.
    pub(crate) scope: Option<Scope>,
    /// A name for the Secrets, instead of their own.
    pub(crate) name: Option<String>,
    /// The namespace for Secrets that declare none.
    pub(crate) namespaces: Namespaces,
    /// Whether a Secret without values is sealed too.
    pub(crate) allow_empty_data: bool,
    /// Whether the SealedSecret says which key it was sealed with.
    pub(crate) key_hint: bool,
}

/// A Secret that is ready to be sealed.
pub(crate) struct Ready {
    /// The Secret, with its name and namespace settled.
    pub(crate) secret: PlainSecret,
    /// Its scope.
    pub(crate) scope: Scope,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        input,
        output,
        cert,
        how,
    } = args;
    let cert = cert.open(ui)?;
    let ready = {
        let text = input.read("json/yaml k8s resource", ui)?;
        prepare(&documents::read(&text)?, &how, ui)?
    };
    let texts = seal_all(&ready, &cert, how.key_hint, output.format())?;
    output.write(&texts.concat(), ui)
}

/// Checks every Secret before the first one is sealed.
fn prepare(documents: &[Document], how: &How, ui: &mut Ui) -> Result<Vec<Ready>, CommandError> {
    each(documents, ui, |secret| how.settle(secret))
}

/// The same for Secrets whose values go into a SealedSecret that is there: name, namespace and scope are its own.
pub(super) fn prepare_for(
    target: &SealedSecret,
    documents: &[Document],
    how: &How,
    ui: &mut Ui,
) -> Result<Vec<Ready>, CommandError> {
    each(documents, ui, |secret| how.settle_for(target, secret))
}

fn each(
    documents: &[Document],
    ui: &mut Ui,
    settle: impl Fn(PlainSecret) -> Result<Ready, CommandError>,
) -> Result<Vec<Ready>, CommandError> {
    if documents.is_empty() {
        return Err(CommandError::new(
            "no secrets found. Ensure the input is valid and UTF-8 encoded",
        )
        .hint("hand over a Secret as YAML or JSON, with -f or on standard input; `kubectl create secret … --dry-run=client -o yaml` makes one"));
    }
    let mut ready = Vec::with_capacity(documents.len());
    for document in documents {
        let place = || documents::place(document, documents.len());
        let secret = PlainSecret::from_value(document.value()).map_err(|e| {
            let hint = match e {
                NotASecret::Field { .. } | NotASecret::NotBase64 { .. } => "nothing was sealed",
                _ => "nothing was sealed: every document must be a Secret",
            };
            CommandError::new(document.place()).because(e).hint(hint)
        })?;
        for remark in &secret.remarks {
            ui.warn(format!("{}: {remark}", place()));
        }
        ready.push(settle(secret).map_err(|e| match documents.len() {
            1 => e,
            _ => e.at(place()),
        })?);
    }
    Ok(ready)
}

impl How {
    /// Settles a Secret's name, namespace and scope.
    fn settle(&self, mut secret: PlainSecret) -> Result<Ready, CommandError> {
        self.check_data(&secret)?;
        if let Some(name) = &self.name {
            secret.name.clone_from(name);
        }
        if secret.name.is_empty() {
            return Err(CommandError::new("missing metadata.name in input Secret")
                .hint("put it into the manifest, or say --name"));
        }
        let scope = self
            .scope
            .unwrap_or_else(|| Scope::of_annotations(&secret.annotations));
        if scope != Scope::ClusterWide {
            secret.namespace = self.namespaces.choose(&secret.namespace)?;
        }
        Ok(Ready { secret, scope })
    }

    fn settle_for(
        &self,
        target: &SealedSecret,
        mut secret: PlainSecret,
    ) -> Result<Ready, CommandError> {
        self.check_data(&secret)?;
        let declared = [NAMESPACE_WIDE, CLUSTER_WIDE]
            .iter()
            .any(|name| secret.annotations.contains_key(*name))
            .then(|| Scope::of_annotations(&secret.annotations));
        let scope = target_scope(target.scope(), self.scope, declared)?;
        secret.name.clone_from(&target.metadata.name);
        if !target.metadata.namespace.is_empty() {
            secret.namespace.clone_from(&target.metadata.namespace);
        }
        if scope != Scope::ClusterWide {
            secret.namespace = self.namespaces.choose(&secret.namespace)?;
        }
        Ok(Ready { secret, scope })
    }

    fn check_data(&self, secret: &PlainSecret) -> Result<(), CommandError> {
        if !secret.data.is_empty() || self.allow_empty_data {
            return Ok(());
        }
        Err(CommandError::new(
            "secret.data is empty in input Secret, assuming this is an error and aborting",
        )
        .hint("to work with empty data, --allow-empty-data can be used"))
    }
}

/// The scope of a merge is the target's: another one would make values that nobody can open.
fn target_scope(
    target: Scope,
    asked: Option<Scope>,
    declared: Option<Scope>,
) -> Result<Scope, CommandError> {
    for (wish, who) in [
        (asked, "--scope asks"),
        (declared, "the Secret's annotations ask"),
    ] {
        if let Some(other) = wish.filter(|other| *other != target) {
            return Err(CommandError::new(format!(
                "the SealedSecret's scope is {target}, and {who} for {other}"
            ))
            .hint("to change the scope, seal the whole Secret again"));
        }
    }
    Ok(target)
}

/// Seals Secrets on all cores; the texts are in the Secrets' order.
fn seal_all(
    ready: &[Ready],
    cert: &SealingCert,
    key_hint: bool,
    format: Format,
) -> Result<Vec<Vec<u8>>, CommandError> {
    let progress = Progress::new("sealed", ready.len());
    let seal_one = |one: &Ready| {
        let sealed = one.seal(cert, key_hint);
        let text = serde_json::to_value(&sealed).map(|object| format.write(&object));
        progress.step();
        text.map_err(|e| CommandError::new("cannot write a SealedSecret").because(e))
    };
    parallel::map(ready, seal_one).into_iter().collect()
}

impl Ready {
    /// Seals it.
    pub(crate) fn seal(&self, cert: &SealingCert, key_hint: bool) -> SealedSecret {
        let mut sealed = sealed::seal(&self.secret, cert, self.scope);
        if !key_hint {
            sealed.metadata.annotations.remove(hint::ANNOTATION);
        }
        sealed
    }
}
