//! What the values of flags may be: booleans and durations as Go's flag packages read them, and a variable for each flag.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, Subcommand};
use decryptor::format::Format;

use super::document_commands::DocumentCommand;

/// Reads a boolean as Go's `strconv.ParseBool` does.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

/// Reads a duration as Go writes it (`1h30m`, `90s`, `1.5h`); a number alone is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a duration such as 90s, 5m or 720h".to_owned();
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit_end = rest[end..]
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .map_or(rest.len(), |length| end + length);
        total += number * seconds(&rest[end..unit_end]).ok_or_else(wrong)?;
        rest = &rest[unit_end..];
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(total).map_err(|_| wrong())
}

fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

/// The text of a flag. An empty one, which a variable may hold, counts as none.
pub(super) fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

/// Help as people read it: a switch is `--raw` there, though `--raw=false` is understood.
pub(super) fn help(grammar: Command, args: &[OsString]) -> Option<clap::Error> {
    let bare = args
        .iter()
        .filter(|arg| !arg.to_string_lossy().contains('='));
    let shown = grammar.try_get_matches_from(bare);
    shown
        .err()
        .filter(|text| text.kind() == ErrorKind::DisplayHelp)
}

/// Gives every flag of a command and its subcommands the grammar of Go's pflag, and its variable.
///
/// `--flag` and `--flag=false` for booleans; any next word is a text flag's value; the last one counts.
/// Commands on SOPS documents have the variables that sops gives their flags, and no others.
pub(super) fn as_go(command: Command) -> Command {
    if DocumentCommand::has_subcommand(command.get_name()) {
        return with_go_switches(command);
    }
    let command = command.mut_args(flag_as_go);
    let names = subcommands(&command);
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, as_go))
}

fn flag_as_go(arg: Arg) -> Arg {
    let Some(name) = arg.get_long().map(str::to_owned) else {
        return arg;
    };
    let variable = variable(&name);
    let is_text = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let is_optional = is_optional(&arg);
    // An empty variable is no boolean, and no folder: it counts as unset.
    let is_empty = env::var_os(&variable).is_some_and(|value| value.is_empty());
    let arg = match is_text && !is_optional {
        true => arg.allow_hyphen_values(true),
        false => switch_as_go(arg),
    };
    match matches!(name.as_str(), "help" | "version") || ((is_switch || is_optional) && is_empty) {
        true => arg,
        false => arg.env(variable).hide_env(true),
    }
}

fn is_optional(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|range| range.min_values() == 0)
}

/// A switch that may be turned off again: `--flag=false`.
fn switch_as_go(arg: Arg) -> Arg {
    if !matches!(arg.get_action(), ArgAction::SetTrue) {
        return arg;
    }
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_value("false")
        .default_missing_value("true")
        .hide_default_value(true)
        .value_parser(boolean)
        .value_name("BOOL")
        .hide_possible_values(true)
}

/// Lets every switch of a command and its subcommands be turned off again.
pub(super) fn with_go_switches(command: Command) -> Command {
    let command = command.mut_args(switch_as_go);
    let names = subcommands(&command);
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, with_go_switches)
    })
}

fn subcommands(command: &Command) -> Vec<String> {
    let all = command.get_subcommands();
    all.map(|subcommand| subcommand.get_name().to_owned())
        .collect()
}

/// Reads the name of a document's format.
pub(super) fn format(text: &str) -> Result<Format, String> {
    let formats = [
        Format::Yaml,
        Format::Json,
        Format::Dotenv,
        Format::Ini,
        Format::Binary,
    ];
    let named = formats.into_iter().find(|format| format.name() == text);
    named.ok_or_else(|| "must be yaml, json, dotenv, ini or binary".to_owned())
}

/// The variable that stands for a flag.
fn variable(name: &str) -> String {
    format!("SEALED_SECRETS_{}", name.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, millis) in [
            ("0", 0),
            ("30", 30_000),
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("1.5s", 1500),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "h", "1d", "1h5", "-1s", "1..5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn booleans_are_those_of_go() {
        assert_eq!((boolean("T"), boolean("0")), (Ok(true), Ok(false)));
        assert!(boolean("yes").is_err() && boolean("").is_err());
    }

    #[test]
    fn each_flag_has_a_variable() {
        assert_eq!(
            variable("controller-name"),
            "SEALED_SECRETS_CONTROLLER_NAME"
        );
    }
}
