//! Whatever ends or hinders a change in place: the file is the old one or the new one, and nothing lies beside it.

use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::Instant;

use super::*;

/// Ends a program after so many seconds.
fn killed_after(seconds: f64, run: impl FnOnce(Run) -> Run, program: PathBuf) -> Output {
    let killer = cli::run("timeout").args(["-s", "KILL", &format!("{seconds:.4}")]);
    run(killer.arg(program)).output()
}

impl Desk {
    /// A folder with one encrypted file of many values.
    fn with_a_file(values: usize) -> Self {
        let desk = Self::new();
        let text: String = (0..values)
            .map(|number| format!("key{number}: value {number}\n"))
            .collect();
        desk.write("d/f.yaml", &text);
        desk.encrypt(Whose::Ours, "d/f.yaml");
        desk
    }

    fn value(&self, whose: Whose, key: &str) -> String {
        let path = format!("[\"{key}\"]");
        self.sops(whose, &["decrypt", "--extract", &path, "d/f.yaml"])
            .ok()
    }

    /// Whether the file is as it was, and alone.
    fn is_unharmed(&self, before: &str) {
        assert_eq!(self.read("d/f.yaml"), before);
        assert_eq!(self.files("d"), ["f.yaml"]);
    }
}

#[test]
fn killed_at_any_point_a_change_is_done_or_not_begun() {
    const ROUNDS: u32 = 60;
    let desk = Desk::with_a_file(200);
    let set = |round: u32| {
        let value = format!("\"round {round}\"");
        [
            "set".to_owned(),
            "d/f.yaml".to_owned(),
            "[\"key0\"]".to_owned(),
            value,
        ]
    };
    let begin = Instant::now();
    desk.with_keys(cli::run(desk.path("sops")))
        .args(set(0))
        .output();
    let whole = begin.elapsed().as_secs_f64();
    let mut last = 0;
    let mut done = 0;
    for round in 1..=ROUNDS {
        let after = whole * 1.2 * f64::from(round) / f64::from(ROUNDS);
        killed_after(
            after,
            |run| desk.with_keys(run).args(set(round)),
            desk.path("sops"),
        );
        let now = desk.value(Whose::Ours, "key0");
        if now == format!("round {round}") {
            (last, done) = (round, done + 1);
        }
        assert_eq!(now, format!("round {last}"));
        for name in desk.files("d") {
            assert!(
                ["f.yaml", ".f.yaml.kubeseal-new"].contains(&name.as_str()),
                "{name}"
            );
        }
    }
    assert!(done < ROUNDS, "it was never killed in time");
    desk.sops(Whose::Ours, &["set", "d/f.yaml", "[\"key0\"]", "\"end\""])
        .ok();
    assert_eq!(desk.value(Whose::Theirs, "key0"), "end");
    assert_eq!(desk.files("d"), ["f.yaml"]);
}

#[test]
fn what_was_left_in_the_very_last_step_is_taken_away_by_the_next_change() {
    let desk = Desk::with_a_file(1);
    desk.write("d/.f.yaml.kubeseal-new", "left by somebody who was killed");
    desk.sops(Whose::Ours, &["set", "d/f.yaml", "[\"key0\"]", "\"1\""])
        .ok();
    assert_eq!(desk.value(Whose::Theirs, "key0"), "1");
    assert_eq!(desk.files("d"), ["f.yaml"]);
}

#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size=48k none d
cp f.yaml d/f.yaml
"$@" >&2 || echo $?
cat d/f.yaml
ls -A d >&2"#;
    let desk = Desk::with_a_file(200);
    let before = desk.read("d/f.yaml");
    assert!(before.len() > 24 << 10, "{}", before.len());
    desk.write("f.yaml", &before);
    for args in [
        &["set", "d/f.yaml", "[\"key0\"]", "1"][..],
        &["rotate", "-i", "d/f.yaml"],
    ] {
        let mut run = cli::run("unshare");
        if !rustix::process::geteuid().is_root() {
            run = run.arg("--map-root-user");
        }
        let run = desk
            .with_keys(run)
            .args(["--mount", "sh", "-ec", ON_A_SMALL_DISK, "sh"]);
        let output = run
            .arg(desk.path("sops"))
            .args(args.iter().copied())
            .output();
        assert_eq!(output.text(), format!("3\n{before}"), "{}", output.stderr);
        let words = "cannot write d/f.yaml: no space left on device\nf.yaml\n";
        assert!(output.stderr.ends_with(words), "{}", output.stderr);
    }
}

#[test]
fn a_limit_on_the_length_of_files_leaves_the_file_as_it_was() {
    let desk = Desk::with_a_file(200);
    let before = desk.read("d/f.yaml");
    // With and without the signal that comes with it.
    for (trap, code) in [("trap '' XFSZ;", 3), ("", -1)] {
        let script = format!("{trap} ulimit -f 4; exec ./sops rotate -i d/f.yaml");
        let output = desk
            .with_keys(cli::run("sh"))
            .args(["-c", &script])
            .output();
        assert_eq!(output.code(), code, "{}", output.stderr);
        desk.is_unharmed(&before);
    }
}

#[test]
fn where_nothing_can_be_written_beside_it_the_file_stays_and_the_person_knows_why() {
    let desk = Desk::with_a_file(1);
    let before = desk.read("d/f.yaml");
    fs::set_permissions(desk.path("d"), fs::Permissions::from_mode(0o555)).expect("ours");
    // Root writes everywhere unless it gives that up.
    let mut run = match rustix::process::geteuid().is_root() {
        true => cli::run("setpriv").arg("--bounding-set=-dac_override,-dac_read_search"),
        false => cli::run("env"),
    };
    run = desk.with_keys(run).arg(desk.path("sops"));
    let output = run.args(["set", "d/f.yaml", "[\"key0\"]", "1"]).output();
    fs::set_permissions(desk.path("d"), fs::Permissions::from_mode(0o755)).expect("ours");
    assert_eq!(output.code(), 3, "{}", output.stderr);
    for words in [
        "cannot write d/f.yaml: permission denied",
        "must be writable too",
    ] {
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    desk.is_unharmed(&before);
}

#[test]
fn links_stay_links_and_modes_and_owners_stay() {
    let desk = Desk::with_a_file(1);
    symlink("d/f.yaml", desk.path("link.yaml")).expect("a link");
    let file = desk.path("d/f.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("ours");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(12), Some(34)).expect("root may");
    }
    let known = |path: &Path| {
        let metadata = fs::metadata(path).expect("it is there");
        (metadata.mode(), metadata.uid(), metadata.gid())
    };
    let before = known(&file);
    for (whose, args) in [
        (
            Whose::Theirs,
            &["set", "link.yaml", "[\"key0\"]", "\"1\""][..],
        ),
        (Whose::Ours, &["set", "link.yaml", "[\"key0\"]", "\"2\""]),
        (Whose::Ours, &["rotate", "-i", "link.yaml"]),
        (Whose::Ours, &["decrypt", "-i", "link.yaml"]),
        (
            Whose::Ours,
            &["encrypt", "-i", "--age", &desk.recipient, "link.yaml"],
        ),
    ] {
        desk.sops(whose, args).ok();
        let link = fs::symlink_metadata(desk.path("link.yaml")).expect("it is there");
        assert!(link.is_symlink(), "{args:?}");
        assert_eq!(known(&file), before, "{args:?}");
    }
    assert_eq!(desk.value(Whose::Theirs, "key0"), "2");
    fs::hard_link(&file, desk.path("other.yaml")).expect("another name");
    let text = desk.read("other.yaml");
    let output = desk
        .sops(Whose::Ours, &["set", "d/f.yaml", "[\"key0\"]", "\"3\""])
        .output();
    assert!(
        output.stderr.contains("has other names (hard links: 1)"),
        "{}",
        output.stderr
    );
    assert_eq!(desk.read("other.yaml"), text);
    assert_eq!(desk.value(Whose::Theirs, "key0"), "3");
}

#[test]
fn of_changes_made_at_the_same_time_none_is_lost() {
    const WRITERS: usize = 12;
    let desk = Desk::with_a_file(WRITERS);
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let desk = &desk;
            scope.spawn(move || {
                let path = format!("[\"key{number}\"]");
                desk.sops(Whose::Ours, &["set", "d/f.yaml", &path, "\"changed\""])
                    .ok();
            });
        }
    });
    for number in 0..WRITERS {
        assert_eq!(desk.value(Whose::Ours, &format!("key{number}")), "changed");
    }
    assert_eq!(desk.files("d"), ["f.yaml"]);
}

#[test]
fn killed_at_any_point_a_tree_has_only_whole_files() {
    const ROUNDS: u32 = 12;
    const FILES: usize = 24;
    let desk = Desk::new();
    for number in 0..FILES {
        desk.write(&format!("d/{number}.json"), "{\"a\": \"b\"}");
        desk.encrypt(Whose::Ours, &format!("d/{number}.json"));
    }
    let names = desk.files("d");
    let begin = Instant::now();
    desk.kubeseal(&["rotate", "-i", "d"]).ok();
    let whole = begin.elapsed().as_secs_f64();
    for round in 1..=ROUNDS {
        let after = whole * f64::from(round) / f64::from(ROUNDS);
        let rotate = |run: Run| desk.with_keys(run).args(["rotate", "-i", "d"]);
        killed_after(after, rotate, ours::kubeseal());
        let there = desk.kubeseal(&["decrypt", "--dry-run", "d"]).output();
        assert_eq!(there.code(), 0, "{}", there.stderr);
    }
    desk.kubeseal(&["rotate", "-i", "d"]).ok();
    assert_eq!(desk.files("d"), names);
}
