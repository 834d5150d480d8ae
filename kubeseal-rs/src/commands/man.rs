//! The manual, as a man page.

use clap_mangen::Man;

use crate::error::CommandError;
use crate::front;
use crate::ui::Ui;

pub(crate) fn run(ui: &mut Ui) -> Result<(), CommandError> {
    let mut text = Vec::new();
    Man::new(front::kubeseal::shown())
        .render(&mut text)
        .map_err(|e| CommandError::new("cannot write the manual").because(e))?;
    ui.print(&text)
}
