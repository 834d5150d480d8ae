//! Opens every SealedSecret of a stream with private keys, without a cluster.

use decryptor::manifest::{self, Document};
use decryptor::sealed::unseal::Options;
use decryptor::sealed::{SKIP_SET_OWNER_REFERENCES, SealedSecret, is_true, unseal};
use keys::KeyRing;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::documents;
use crate::error::CommandError;
use crate::files::Input;
use crate::output::{Format, Output};
use crate::private_keys::PrivateKeys;
use crate::ui::Ui;

/// What to open, and with which keys.
pub(crate) struct Args {
    /// The SealedSecrets.
    pub(crate) input: Input,
    /// Where the Secrets go.
    pub(crate) output: Output,
    /// The private keys.
    pub(crate) keys: PrivateKeys,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        input,
        output,
        keys,
    } = args;
    let ring = keys.open(ui)?;
    let text = input.read("json/yaml k8s resource", ui)?;
    let documents = documents::read(&text)?;
    if documents.is_empty() {
        return Err(documents::none_found());
    }
    let mut secrets = Vec::with_capacity(documents.len());
    for document in &documents {
        let sealed =
            documents::sealed_secret(document.value()).map_err(|e| e.at(document.place()))?;
        let secret = open(document, &sealed, &ring, output.format(), ui);
        secrets.push(secret.map_err(|e| match documents.len() {
            1 => e,
            count => e.at(documents::place(document, count)),
        })?);
    }
    let size = secrets.iter().map(|secret| secret.len()).sum();
    let mut all = Zeroizing::new(Vec::with_capacity(size));
    secrets
        .iter()
        .for_each(|secret| all.extend_from_slice(secret));
    output.write_secret(&all, ui)
}

fn open(
    document: &Document,
    sealed: &SealedSecret,
    ring: &KeyRing,
    format: Format,
    ui: &mut Ui,
) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let mut secret = unseal(sealed, ring, &Options::default()).map_err(|e| {
        let error = CommandError::new(e.to_string());
        match ring.is_empty() {
            true => error.hint("no private key was given: name a file with --recovery-private-key, or a folder with --keyring"),
            false => error.hint("are name, namespace and scope those it was sealed for? `kubeseal inspect` shows them"),
        }
    })?;
    for field in &secret.dropped {
        let place = documents::place(document, 1);
        ui.warn(format!(
            "{place}: metadata.{field} of the template is left out"
        ));
    }
    // Outside its cluster the SealedSecret has no identity that a Secret could be owned by.
    if !is_true(
        &sealed.spec.template.metadata.annotations,
        SKIP_SET_OWNER_REFERENCES,
    ) {
        secret.owner_references.clear();
    }
    let json = secret.to_json(None);
    let mut object: Value =
        serde_json::from_slice(&json).map_err(|_| CommandError::new("cannot write the Secret"))?;
    let mut ordered = in_order(&mut object);
    let text = Zeroizing::new(format.write(&ordered));
    manifest::wipe(&mut ordered);
    Ok(text)
}

/// The fields of a Secret in the order in which the original writes them.
fn in_order(object: &mut Value) -> Value {
    let order = [
        "kind",
        "apiVersion",
        "metadata",
        "immutable",
        "data",
        "type",
    ];
    let fields = order.iter().filter_map(|field| {
        let value = object.get_mut(*field)?.take();
        Some(((*field).to_owned(), value))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}
