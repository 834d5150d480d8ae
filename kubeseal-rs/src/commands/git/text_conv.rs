//! `git textconv`: a file in clear, for `git diff`, `git log -p` and `git show`.

use std::path::PathBuf;

use decryptor::format::Format;
use decryptor::sops::Encrypted;

use crate::error::CommandError;
use crate::sops::opening::Opening;
use crate::sops::{data_key, source};
use crate::ui::Ui;

/// Which file.
pub(crate) struct Args {
    /// The file. Git gives its versions names that end as the file's own.
    pub(crate) path: PathBuf,
    /// How it is opened.
    pub(crate) opening: Opening,
}

/// Prints it in clear. One that cannot be opened is printed as it is: Git shows nothing of any file otherwise.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { path, opening } = args;
    let text = source::read(path)?;
    if let Ok(document) = Encrypted::parse(&text, Format::of(path)) {
        match opening.open(&document, &data_key::env(), ui) {
            Ok((plain, _)) => return ui.print(plain.expose_secret()),
            Err(error) => {
                let name = path.file_name().unwrap_or_default().display();
                let line = error.line();
                let why = line.lines().next().unwrap_or_default();
                ui.warn(format!("{name} is shown encrypted: {why}"));
            }
        }
    }
    ui.print(&text)
}
