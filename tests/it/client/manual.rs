//! The manual and the completions: they know every command.

use std::fs;

use super::{folder, ours, read};

/// Every command, as the help of the commands above it lists them.
fn commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut at = 0;
    while let Some(command) = all.get(at).cloned() {
        at += 1;
        let help = ours().args(command.clone()).arg("--help").ok();
        let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
        let names = listed
            .lines()
            .take_while(|line| !line.is_empty())
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next());
        for name in names.filter(|name| *name != "help") {
            all.push([&command[..], &[name.to_owned()]].concat());
        }
    }
    all
}

#[test]
fn every_command_has_a_page_of_the_manual_with_all_its_flags() {
    let folder = folder();
    let pages = folder.path().join("man/man1");
    ours().args(["man", "--dir"]).arg(&pages).ok();
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for command in &commands {
        let name = [&["kubeseal".to_owned()], &command[..]].concat().join("-");
        let page = read(pages.join(format!("{name}.1"))).replace('\\', "");
        let help = ours().args(command.clone()).arg("--help").ok();
        for flag in help
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
        {
            let flag = flag[2..].split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
            let flag = format!("--{}", flag.into_iter().next().unwrap_or_default());
            assert!(page.contains(&flag), "{name}: {flag}");
        }
    }
    let count = fs::read_dir(&pages).expect("a folder").count();
    assert_eq!(count, commands.len());
    assert_eq!(ours().arg("man").ok(), read(pages.join("kubeseal.1")));
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = ours().args(["completion", shell]).ok();
        for command in commands().into_iter().flatten() {
            assert!(text.contains(&command), "{shell}: {command}");
        }
    }
}
