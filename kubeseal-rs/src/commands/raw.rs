//! Seals one value that stands for itself.

use std::path::PathBuf;

use decryptor::sealed::seal::seal_raw;
use keys::Scope;

use crate::cert::CertChoice;
use crate::error::CommandError;
use crate::files::{self, Input};
use crate::namespace::Namespaces;
use crate::output::Output;
use crate::ui::Ui;

/// What to seal, and for where.
pub(crate) struct Args {
    /// A file with the value; `None` for standard input.
    pub(crate) value: Option<PathBuf>,
    /// Where the sealed value goes.
    pub(crate) output: Output,
    /// The certificate.
    pub(crate) cert: CertChoice,
    /// The scope.
    pub(crate) scope: Scope,
    /// The name of the Secret that the value is for, which some scopes can do without.
    pub(crate) name: Option<String>,
    /// The namespace of that Secret.
    pub(crate) namespaces: Namespaces,
}

const BOUND: &str =
    "the value opens only in the Secret that these name; --scope cluster-wide lets it open in any";

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        value,
        output,
        cert,
        scope,
        name,
        namespaces,
    } = args;
    let cert = cert.open(ui)?;
    let namespace = match scope {
        Scope::ClusterWide => String::new(),
        _ => namespaces.default().ok_or_else(|| {
            CommandError::new(format!(
                "must provide the --namespace flag with --raw and --scope {scope}"
            ))
            .hint(BOUND)
        })?,
    };
    if scope == Scope::Strict && name.is_none() {
        return Err(CommandError::new(format!(
            "must provide the --name flag with --raw and --scope {scope}"
        ))
        .hint(BOUND));
    }
    let value = match value {
        Some(path) => files::read(&path)
            .map_err(|e| CommandError::new(format!("open {}", path.display())).because(e))?,
        None => Input::Stdin.read("a secret to encrypt", ui)?,
    };
    let sealed = seal_raw(&value, &cert, scope, &namespace, &name.unwrap_or_default());
    output.write(sealed.as_bytes(), ui)
}
