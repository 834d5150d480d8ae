//! The manual: one man page for each command.

use std::fs;
use std::path::PathBuf;

use clap_mangen::Man;

use crate::error::CommandError;
use crate::front;
use crate::ui::Ui;

/// Where the manual goes.
pub(crate) struct Args {
    /// A folder for all pages; `None` for the first page on standard output.
    pub(crate) folder: Option<PathBuf>,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let mut command = front::kubeseal::shown();
    command.build();
    let Some(folder) = args.folder else {
        return ui.print(&page(&command)?.text);
    };
    let cannot_write = |path: PathBuf| {
        move |e| CommandError::new(format!("cannot write {}", path.display())).because(e)
    };
    fs::create_dir_all(&folder).map_err(cannot_write(folder.clone()))?;
    let pages = pages(&command)?;
    for page in &pages {
        let path = folder.join(&page.name);
        fs::write(&path, &page.text).map_err(cannot_write(path))?;
    }
    ui.note(format!(
        "wrote {} pages to {}; read one with `man -l {}`",
        pages.len(),
        folder.display(),
        folder.join(&pages[0].name).display()
    ));
    Ok(())
}

struct Page {
    name: String,
    text: Vec<u8>,
}

/// The page of a command, and those of all commands under it.
fn pages(command: &clap::Command) -> Result<Vec<Page>, CommandError> {
    let mut all = vec![page(command)?];
    for subcommand in command.get_subcommands() {
        all.extend(pages(subcommand)?);
    }
    Ok(all)
}

fn page(command: &clap::Command) -> Result<Page, CommandError> {
    let man = Man::new(command.clone())
        .source(concat!("kubeseal-rs ", env!("CARGO_PKG_VERSION")))
        .manual("kubeseal")
        // Not a date, which would differ with each build, but not empty either: that would move the two above.
        .date(" ");
    let mut text = Vec::new();
    man.render(&mut text)
        .map_err(|e| CommandError::new("cannot write the manual").because(e))?;
    Ok(Page {
        name: man.get_filename(),
        text,
    })
}
