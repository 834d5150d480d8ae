//! Pages with commands, such as the guide for SOPS files: the commands, in their order, say what the page says.

use std::path::PathBuf;
use std::{env, fs};

use tempfile::TempDir;
use testkit::{cli, ours, peer};

/// The commands of a page, each with what it prints.
fn commands(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```console\n").skip(1);
    let lines = blocks.filter_map(|rest| rest.split("```").next());
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in lines.flat_map(str::lines) {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => {
                output.push_str(line);
                output.push('\n');
            }
            (None, None) => panic!("a block begins without a command: {line}"),
        }
    }
    commands
}

/// Keys and object names differ with each run.
fn without_names(text: &str) -> String {
    let word = |word: &str| match word.starts_with("age1") {
        true => "age1".to_owned(),
        false => word.to_owned(),
    };
    let line = |line: &str| match line.starts_with("index ") {
        true => "index".to_owned(),
        false => line.split(' ').map(word).collect::<Vec<_>>().join(" "),
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// Runs the commands of a page in an empty home with these programs, and expects what the page says.
fn replay(page: &str, programs: &[(&str, PathBuf)]) -> usize {
    let home = TempDir::new().expect("a folder can be made");
    let bin = home.path().join("bin");
    fs::create_dir(&bin).expect("the folder is ours");
    for (name, program) in programs {
        std::os::unix::fs::symlink(program, bin.join(name)).expect("the folder is ours");
    }
    let page = fs::read_to_string(ours::workspace().join(page)).expect("the page");
    let commands = commands(&page);
    let mut script = "exec 2>&1\n".to_owned();
    for (command, _) in &commands {
        script.push_str(command);
        script.push_str("\necho '== said'\n");
    }
    let path = env::var("PATH").expect("PATH is text");
    let run = cli::run("bash")
        .folder(home.path())
        .env("HOME", home.path())
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let run = ["AUTHOR", "COMMITTER"].iter().fold(run, |run, who| {
        run.env(format!("GIT_{who}_NAME"), "You")
            .env(format!("GIT_{who}_EMAIL"), "you@example.com")
    });
    let said = run.args(["-c", &script]).ok();
    let said: Vec<_> = said.split("== said\n").collect();
    assert!(said.len() > commands.len(), "{said:?}");
    for ((command, expected), said) in commands.iter().zip(said) {
        assert_eq!(without_names(said), without_names(expected), "$ {command}");
    }
    commands.len()
}

#[test]
fn the_guide_is_what_happens() {
    let programs = [
        ("kubeseal", ours::kubeseal()),
        ("age-keygen", peer::AGE_KEYGEN.path()),
    ];
    assert!(replay("docs/guide.md", &programs) > 30);
}

#[test]
fn the_page_on_kustomize_is_what_happens() {
    let programs = [
        ("kubeseal", ours::kubeseal()),
        ("ksops", ours::decryptor()),
        ("kustomize", peer::KUSTOMIZE.path()),
        ("age-keygen", peer::AGE_KEYGEN.path()),
    ];
    assert!(replay("docs/kustomize.md", &programs) > 10);
}
