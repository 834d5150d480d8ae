//! Shows the certificate that Secrets would be sealed with, byte for byte.

use crate::cert::CertChoice;
use crate::error::CommandError;
use crate::output::Output;
use crate::ui::Ui;

/// Which certificate, and where it goes.
pub(crate) struct Args {
    /// The certificate.
    pub(crate) cert: CertChoice,
    /// Where it goes.
    pub(crate) output: Output,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { cert, output } = args;
    let text = cert.fetch(ui)?;
    output.write(&text, ui)
}
