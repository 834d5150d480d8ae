//! Completions for a shell.

use clap_complete::Shell;

use crate::error::CommandError;
use crate::front;
use crate::ui::Ui;

/// For which shell.
pub(crate) struct Args {
    /// The shell.
    pub(crate) shell: Shell,
    /// Whether they are for the link of that name.
    pub(crate) called_sops: bool,
}

/// Prints what may stand next on a command line of sops, a word a line: its own completion scripts ask for that, which people
/// may have installed with it.
pub(crate) fn candidates(words: &[String], ui: &mut Ui) -> Result<(), CommandError> {
    let mut grammar = front::sops::completed();
    grammar.build();
    let command = words.iter().fold(&grammar, |command, word| {
        command.find_subcommand(word).unwrap_or(command)
    });
    let dashed = words.last().filter(|word| word.starts_with('-'));
    let next: Vec<String> = match dashed {
        Some(begin) => flags(command)
            .filter(|flag| flag.starts_with(begin.as_str()))
            .collect(),
        None => commands(command).collect(),
    };
    ui.print(
        next.iter()
            .map(|word| format!("{word}\n"))
            .collect::<String>()
            .as_bytes(),
    )
}

fn flags(command: &clap::Command) -> impl Iterator<Item = String> {
    let flags = command.get_arguments().filter(|flag| !flag.is_hide_set());
    flags.flat_map(|flag| {
        let long = flag.get_long().map(|name| format!("--{name}"));
        let short = flag.get_short().map(|letter| format!("-{letter}"));
        long.into_iter().chain(short)
    })
}

/// The commands below one, or the words that it takes.
fn commands(command: &clap::Command) -> impl Iterator<Item = String> {
    let below = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned());
    let words = command.get_positionals().flat_map(|arg| {
        let values = arg.get_possible_values();
        values.into_iter().map(|value| value.get_name().to_owned())
    });
    below.chain(words)
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { shell, called_sops } = args;
    let (mut grammar, name) = match called_sops {
        true => (front::sops::completed(), "sops"),
        false => (front::kubeseal::shown(), "kubeseal"),
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut grammar, name, &mut text);
    ui.print(&text)
}
