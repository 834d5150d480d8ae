//! `edit`: a document in an editor, in clear, and encrypted again when the editor ends.

mod editor;
mod example;

use std::path::PathBuf;
use std::sync::Arc;

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::{Encrypted, Plain};
use keys::{DataKey, Env};

use self::editor::Session;
use crate::error::CommandError;
use crate::files::{self, Swapped};
use crate::sops::config_file::{ConfigChoice, ConfigFile};
use crate::sops::memory_folder::{self, OnDisk};
use crate::sops::opening::{Opening, warn_of};
use crate::sops::recipients::{self, Named, Recipients, RuleChoice};
use crate::sops::rewrite::{changed_meanwhile, close_again, close_anew, read};
use crate::sops::source::swap;
use crate::sops::{exit, failure};
use crate::ui::Ui;

/// Which document is edited, and what a new one is encrypted with.
pub(crate) struct Args {
    /// The file. If there is none, it is made.
    pub(crate) path: PathBuf,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// How it is opened.
    pub(crate) opening: Opening,
    /// Keys that were named for a new file.
    pub(crate) named: Named,
    /// A rule that was named for a new file.
    pub(crate) rules: RuleChoice,
    /// The configuration that counts for a new file.
    pub(crate) config: ConfigChoice,
    /// Whether the keys are shown too.
    pub(crate) show_keys: bool,
    /// Whether clear text may go to a disk.
    pub(crate) on_disk: OnDisk,
}

/// What the editor's text is closed with.
enum Before {
    /// The document as it was, and its data key.
    There(Box<Encrypted>, DataKey),
    /// There was none; the configuration that counts, if there is one.
    New(Option<Arc<ConfigFile>>),
}

/// Edits it. A text that cannot be encrypted is given back to the editor; the file changes only when all is well.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let env = args.named.env();
    let format = args.format.unwrap_or_else(|| Format::of(&args.path));
    let (before, plain) = match args.path.exists() {
        true => open(args, format, &env, ui).map_err(|e| e.of(&args.path))?,
        false => {
            let config = args.config.find(&args.path, ui)?;
            // Whoever has no keys shall know it before they write.
            args.choose(config.as_deref())
                .map_err(|e| e.of(&args.path))?;
            let example = Plain::parse(example::text(format).as_bytes(), format);
            (Before::New(config), example.map_err(failure::plain)?)
        }
    };
    let folder = memory_folder::make(args.on_disk, ui)?;
    let file = folder
        .path()
        .join(args.path.file_name().unwrap_or_default());
    let unwritable = |e| CommandError::new("cannot write what the editor is to show").because(e);
    let shown = match (&before, args.show_keys) {
        (Before::There(document, _), true) => {
            plain.beside_metadata(document).map_err(failure::plain)?
        }
        _ => plain.into_plaintext(),
    };
    files::create_secret(&file, shown.expose_secret()).map_err(unwritable)?;
    let mut session = Session::begin()?;
    loop {
        session.edit(&file, &env)?;
        let text = files::read(&file)
            .map_err(|e| CommandError::new("cannot read what the editor has left").because(e))?;
        if *text == shown.expose_secret() {
            return Err(CommandError::new("File has not changed, exiting.").code(exit::NOT_CHANGED));
        }
        let closed = args.close(&text, format, &before, &env);
        match closed.and_then(|closed| args.put_back(&closed, &before, ui)) {
            Ok(()) => return Ok(()),
            Err(error) => {
                ui.complain(&error);
                session.wait_for_enter(ui)?;
            }
        }
    }
}

fn open(
    args: &Args,
    format: Format,
    env: &Env,
    ui: &mut Ui,
) -> Result<(Before, Plain), CommandError> {
    let text = read(&args.path)?;
    let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
    let (plain, key) = args.opening.open(&document, env, ui)?;
    Ok((Before::There(Box::new(document), key), plain))
}

impl Args {
    /// Writes the file, unless somebody else has written to it meanwhile.
    fn put_back(
        &self,
        closed: &Encrypted,
        before: &Before,
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        warn_of(closed.warnings(), ui);
        let path = &self.path;
        let swapped = match before {
            Before::There(document, _) => swap(path, document.as_bytes(), closed.as_bytes(), ui)?,
            Before::New(_) if path.exists() => Swapped::ChangedMeanwhile,
            Before::New(_) => {
                files::replace_shared(path, closed.as_bytes())?;
                Swapped::Done
            }
        };
        match swapped {
            Swapped::Done => Ok(()),
            Swapped::ChangedMeanwhile => Err(changed_meanwhile(path)
                .hint("copy what you have written out of the editor, and begin again")),
        }
    }

    fn choose(&self, config: Option<&ConfigFile>) -> Result<Recipients, CommandError> {
        recipients::choose(&self.named, &self.rules, config, &self.path)
    }

    fn close(
        &self,
        text: &[u8],
        format: Format,
        before: &Before,
        env: &Env,
    ) -> Result<Encrypted, CommandError> {
        let plain = match (before, self.show_keys) {
            (Before::There(document, _), true) => alone(text, document)?,
            (Before::There(document, _), false) => {
                Plain::parse(text, document.format()).map_err(failure::plain)?
            }
            (Before::New(_), _) => Plain::parse(text, format).map_err(failure::plain)?,
        };
        match before {
            Before::There(document, key) => close_again(&plain, document, key),
            Before::New(config) => {
                let chosen = self.choose(config.as_deref())?;
                close_anew(&plain, Metadata::new(chosen.rules, chosen.groups), env)
            }
        }
    }
}

/// The document without the keys that were shown, which must be as they were.
fn alone(text: &[u8], document: &Encrypted) -> Result<Plain, CommandError> {
    match Plain::parse_beside_metadata(text, document).map_err(failure::plain)? {
        (plain, true) => Ok(plain),
        (_, false) => Err(CommandError::new(
            "what was shown of the keys was changed, and that is not how they are changed",
        )
        .hint("put it back; updatekeys, rotate and groups change who can open a file")),
    }
}
