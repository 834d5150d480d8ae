//! Go's spelling of flags in that of clap: one dash or two, and the next word is the value, whatever it looks like.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command};

/// Spells all flags `--name` or `--name=value`. Behind a first word that is no command everything is left alone.
pub(super) fn for_clap(
    args: impl IntoIterator<Item = OsString>,
    grammar: &Command,
) -> Vec<OsString> {
    let mut args = args.into_iter();
    let mut spelled: Vec<OsString> = args.next().into_iter().collect();
    let mut command = grammar;
    while let Some(arg) = args.next() {
        if arg == "--" {
            spelled.push(arg);
            break;
        }
        if let Some(flag) = Flag::of(&arg) {
            let known = command.get_arguments().find(|known| flag.names(known));
            let (Some(known), None) = (known, &flag.value) else {
                spelled.push(flag.spell(known, None));
                continue;
            };
            let value = takes_value(known).then(|| args.next()).flatten();
            spelled.push(flag.spell(Some(known), value.as_deref()));
        } else if let Some(next) = arg.to_str().and_then(|name| command.find_subcommand(name)) {
            command = next;
            spelled.push(arg);
        } else {
            if !command.has_subcommands() {
                spelled.push(arg);
                continue;
            }
            spelled.extend([OsString::from("--"), arg]);
            break;
        }
    }
    spelled.extend(args);
    spelled
}

/// `-name`, `--name` or either with `=value`.
struct Flag<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Flag<'a> {
    fn of(arg: &'a OsStr) -> Option<Self> {
        let text = arg.to_str()?.strip_prefix('-')?;
        let text = text.strip_prefix('-').unwrap_or(text);
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            // A number, such as `set` takes: no flag begins so.
            return None;
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        (!name.is_empty()).then_some(Self { name, value })
    }

    fn names(&self, arg: &Arg) -> bool {
        let short = arg.get_short().map(String::from);
        arg.get_long() == Some(self.name) || short.as_deref() == Some(self.name)
    }

    fn spell(&self, known: Option<&Arg>, next: Option<&OsStr>) -> OsString {
        let name = known.and_then(Arg::get_long).unwrap_or(self.name);
        let mut spelled = OsString::from(format!("--{name}"));
        if let Some(value) = self.value.map(OsStr::new).or(next) {
            spelled.push("=");
            spelled.push(value);
        }
        spelled
    }
}

/// Whether the next word is its value: it is not for switches.
fn takes_value(arg: &Arg) -> bool {
    let optional = arg
        .get_num_args()
        .is_some_and(|range| range.min_values() == 0);
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) && !optional
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(args: &str) -> String {
        let switch = |name: &'static str, short| {
            Arg::new(name)
                .long(name)
                .short(short)
                .action(ArgAction::SetTrue)
        };
        let text = |name: &'static str, short| Arg::new(name).long(name).short(short);
        let grammar = Command::new("sops")
            .arg(switch("decrypt", 'd'))
            .arg(text("indent", 'n'))
            .subcommand(
                Command::new("encrypt")
                    .arg(text("age", 'a'))
                    .arg(switch("in-place", 'i')),
            );
        let args = format!("sops {args}");
        let spelled = for_clap(args.split(' ').map(OsString::from), &grammar);
        let words: Vec<_> = spelled
            .iter()
            .skip(1)
            .map(|word| word.to_string_lossy())
            .collect();
        words.join(" ")
    }

    #[test]
    fn flags_are_spelled_with_two_dashes_and_hold_their_value() {
        for (typed, expected) in [
            ("-d file", "--decrypt -- file"),
            ("-decrypt file", "--decrypt -- file"),
            ("--d=false file -d", "--decrypt=false -- file -d"),
            ("-indent -1 -d f", "--indent=-1 --decrypt -- f"),
            ("-n=2 f", "--indent=2 -- f"),
            ("encrypt f -i -age -x", "encrypt f --in-place --age=-x"),
            ("encrypt -d f", "encrypt --d f"),
            ("-d encrypt", "--decrypt encrypt"),
            ("encrypt -- -i", "encrypt -- -i"),
            ("-age", "--age"),
            ("encrypt f -5", "encrypt f -5"),
        ] {
            assert_eq!(spelled(typed), expected, "{typed}");
        }
    }
}
