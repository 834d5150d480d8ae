//! Checks that every SealedSecret of a stream can be opened: by the controller, or by private keys at hand.

use decryptor::sealed::SealedSecret;
use decryptor::sealed::unseal::verify;
use keys::KeyRing;

use crate::cluster::{Controller, Session, Verdict};
use crate::documents;
use crate::error::CommandError;
use crate::files::Input;
use crate::private_keys::PrivateKeys;
use crate::ui::{Progress, Ui};

const OTHERWISE: &str =
    "to check without a cluster, name the private keys with --recovery-private-key";

/// What to check, and who is asked.
pub(crate) struct Args {
    /// The SealedSecrets.
    pub(crate) input: Input,
    /// Private keys; if there are none, the controller is asked.
    pub(crate) keys: PrivateKeys,
    /// The controller.
    pub(crate) controller: Controller,
}

enum Judge {
    Keys(KeyRing),
    Controller(Session),
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        input,
        keys,
        controller,
    } = args;
    let text = input.read("json/yaml k8s resource", ui)?;
    let documents = documents::read(&text)?;
    if documents.is_empty() {
        return Err(documents::none_found().because("there is nothing to validate"));
    }
    let mut sealed = Vec::with_capacity(documents.len());
    for document in &documents {
        let one = documents::sealed_secret(document.value()).map_err(|e| e.at(document.place()))?;
        sealed.push((document, one));
    }
    let judge = match keys.is_empty() {
        true => Judge::Controller(controller.connect(OTHERWISE)?),
        false => Judge::Keys(keys.open(ui)?),
    };
    let progress = Progress::new("validated", sealed.len());
    let mut failed = Vec::new();
    for (document, one) in &sealed {
        let opens = judge
            .opens(document.value(), one)
            .map_err(|e| e.at(documents::place(document, documents.len())))?;
        if !opens {
            failed.push(name(one));
        }
        progress.step();
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(CommandError::new(format!(
            "unable to decrypt sealed secret: {}",
            failed.join(", ")
        ))
        .hint("are name, namespace and scope those it was sealed for, and the certificate that of this cluster? \
               `kubeseal inspect` shows them")),
    }
}

impl Judge {
    fn opens(
        &self,
        object: &serde_json::Value,
        sealed: &SealedSecret,
    ) -> Result<bool, CommandError> {
        match self {
            Self::Controller(session) => Ok(session.verify(object)? == Verdict::Opens),
            Self::Keys(ring) => Ok(verify(sealed, ring, true)),
        }
    }
}

fn name(sealed: &SealedSecret) -> String {
    let metadata = &sealed.metadata;
    match metadata.namespace.is_empty() {
        true => metadata.name.clone(),
        false => format!("{} (namespace {})", metadata.name, metadata.namespace),
    }
}
