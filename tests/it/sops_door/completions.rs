//! Completions as real shells load them: a person types a line and asks for candidates.

use std::collections::BTreeSet;

use super::*;

/// Both names of our program; the original has one.
const NAMES: [&str; 2] = ["kubeseal", "sops"];

/// Types a line into an interactive zsh, and writes down what its completion adds.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "
PROMPT= PS2=
autoload -Uz compinit; compinit -u -D
compadd() {
  local hits
  if [[ \" \$* \" == *' -'[OAD]' '* ]]; then builtin compadd \"\$@\"; return; fi
  builtin compadd -A hits \"\$@\"
  print -rl -- \$hits >>$3
  builtin compadd \"\$@\"
}
listed() { print -r -- ALL''LISTED }
comppostfuncs=(listed)
source <($4 completion zsh)
print -r -- LOA''DED"
zpty -r shell output '*LOADED*'
zpty -w -n shell "$2"$'\t'
zpty -r shell output '*ALLLISTED*'
zpty -d shell
"#;

const BASH: &str = r#"
source <($4 completion bash)
read -ra COMP_WORDS <<<"$2"
[[ $2 != *" " ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$2 COMP_POINT=${#2}
function=$(complete -p $1 | sed 's/.*-F \([^ ]*\).*/\1/')
$function $1 "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}" >>$3
"#;

const FISH: &str = r#"
$argv[1] completion fish | source
complete -C $argv[2] >>$argv[3]
"#;

impl Desk {
    /// What a shell offers for a line, with one of both programs.
    fn candidates(&self, shell: &str, whose: Whose, line: &str) -> BTreeSet<String> {
        let name = line.split(' ').next().expect("a program");
        self.candidates_by(shell, Path::new(name), whose, line)
    }

    /// The same, with the completion script that some program prints.
    fn candidates_by(
        &self,
        shell: &str,
        script_of: &Path,
        whose: Whose,
        line: &str,
    ) -> BTreeSet<String> {
        let program = match whose {
            Whose::Theirs => peer::SOPS.path(),
            Whose::Ours => self.path("sops"),
        };
        let own = self.path("kubeseal");
        if !own.exists() {
            symlink(ours::kubeseal(), &own).expect("a link");
        }
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let first = program.parent().map(Path::to_owned);
        let folders = first.into_iter().chain(std::env::split_paths(&usual));
        let name = line.split(' ').next().expect("a program");
        let (script, flags): (_, &[&str]) = match shell {
            "zsh" => (ZSH, &["-f", "-c"]),
            "fish" => (FISH, &["--no-config", "-c"]),
            _ => (BASH, &["-c"]),
        };
        let zeroth = (shell != "fish").then_some(shell);
        let seen = self.path("seen");
        fs::write(&seen, "").expect("written");
        cli::run(shell)
            .folder(self.folder.path())
            .env("PATH", std::env::join_paths(folders).expect("folders"))
            .args(flags.iter().copied())
            .arg(script)
            .args(zeroth)
            .args([name, line])
            .args([&seen, script_of])
            .ok();
        let text = self.read("seen");
        let words = text.lines().filter_map(|line| line.split('\t').next());
        let words = words.map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }
}

#[test]
fn every_shell_that_is_there_completes_commands_and_flags() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        for name in NAMES {
            let complete =
                |rest: &str| desk.candidates(shell, Whose::Ours, &format!("{name} {rest}"));
            assert_eq!(complete("dec"), words(&["decrypt"]), "{shell} {name}");
            assert_eq!(
                complete("decrypt --extr"),
                words(&["--extract"]),
                "{shell} {name}"
            );
            assert_eq!(
                complete("exec-"),
                words(&["exec-env", "exec-file"]),
                "{shell} {name}"
            );
            let groups = complete("groups ");
            assert!(
                groups.contains("add") && groups.contains("delete"),
                "{shell} {name}: {groups:?}"
            );
        }
        let own = desk.candidates(shell, Whose::Ours, "kubeseal --cont");
        assert!(own.contains("--controller-name"), "{shell}: {own:?}");
    }
}

#[test]
fn whatever_the_original_completes_is_completed() {
    // What is not built, and help again below each command.
    let left_out = words(&["publish", "keyservice", "h", "help"]);
    let desk = Desk::new();
    for shell in ["bash", "zsh"] {
        assert_eq!(
            desk.candidates(shell, Whose::Ours, "sops he"),
            words(&["help"]),
            "{shell}"
        );
        for line in [
            "sops ",
            "sops e",
            "sops groups ",
            "sops completion ",
            "sops decrypt --ex",
            "sops rotate --add-a",
            "sops set --val",
            "sops updatekeys --y",
        ] {
            let [theirs, ours] = BOTH.map(|whose| desk.candidates(shell, whose, line));
            assert!(!theirs.is_empty(), "{shell}: {line}");
            let missing: Vec<_> = theirs
                .difference(&ours)
                .filter(|word| !left_out.contains(*word))
                .collect();
            assert!(missing.is_empty(), "{shell}: {line}: {missing:?}\n{ours:?}");
        }
    }
}

#[test]
fn scripts_that_were_installed_with_the_original_go_on() {
    let desk = Desk::new();
    for shell in ["bash", "zsh"] {
        for (line, expected) in [
            ("sops dec", &["decrypt"][..]),
            ("sops groups d", &["delete"]),
            ("sops decrypt --ex", &["--extract"]),
        ] {
            for whose in BOTH {
                let found = desk.candidates_by(shell, &peer::SOPS.path(), whose, line);
                assert!(
                    found.is_superset(&words(expected)),
                    "{shell} {whose:?} {line}: {found:?}"
                );
            }
        }
    }
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
