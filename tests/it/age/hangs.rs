//! Programs that hang or talk without end keep nobody waiting for ever.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use super::{Person, age_key, recover, toy, with_toy};

const SOON: Duration = Duration::from_millis(300);

/// With a plugin that does this, in place of the toy.
fn with_script(person: Person, script: &str) -> Person {
    let script = format!(
        "#!/bin/sh\necho run >>'{}'\n{script}\n",
        person.path("runs").display()
    );
    let program = person.write("bin/age-plugin-toy", &script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("the file is ours");
    let folder = program.parent().expect("it is in a folder").display();
    let path = format!("{folder}:{}", person.variables["PATH"]);
    person.with("PATH", path)
}

fn runs(person: &Person) -> usize {
    fs::read_to_string(person.path("runs"))
        .unwrap_or_default()
        .lines()
        .count()
}

#[test]
fn a_plugin_that_hangs_is_given_up_once_for_all_keys() {
    let [recipient, identity, _] = toy();
    let one = with_toy(Person::new());
    let document = one.encrypted(&["--age", &format!("{recipient},{}", age_key(&[]).1)]);
    for script in [
        "exec sleep 600",
        "exec <&-; exec sleep 600",
        "while :; do printf -- '-> msg\\nAAAA\\n' || exit; done",
        "while :; do printf -- '-> error internal\\nAAAA\\n' || exit; done",
        "exec cat /dev/zero",
    ] {
        let person = with_script(Person::new().with("SOPS_AGE_KEY", &identity), script);
        let env = person.env().with_time_limit(SOON);
        let start = Instant::now();
        recover(&document, &env).expect_err("nothing opens it");
        assert!(
            start.elapsed() < SOON * 50,
            "{script}: {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn a_command_that_hangs_is_given_up_once_for_all_keys() {
    let recipients = [age_key(&[]).1, age_key(&[]).1, age_key(&[]).1];
    let document = Person::new().encrypted(&["--age", &recipients.join(",")]);
    let person = with_script(Person::new(), "exec sleep 600");
    let person = person.with("SOPS_AGE_KEY_CMD", "age-plugin-toy --identities");
    let env = person.env().with_time_limit(SOON);
    let start = Instant::now();
    for _ in 0..2 {
        let error = recover(&document, &env).expect_err("nothing opens it");
        assert!(error.contains("did not end in time"), "{error}");
    }
    assert!(start.elapsed() < SOON * 50, "{:?}", start.elapsed());
    assert_eq!(runs(&person), 1);
}

#[test]
fn a_plugin_sees_no_identities() {
    let [recipient, identity, _] = toy();
    let document = with_toy(Person::new()).encrypted(&["--age", &recipient]);
    let person = Person::new();
    let seen = person.path("seen").display().to_string();
    let person = with_script(person, &format!("env >'{seen}'"));
    let person = person.with("SOPS_AGE_KEY", &identity);
    person.recover(&document).expect_err("it answers nothing");
    let seen = fs::read_to_string(seen).expect("it ran");
    assert!(
        seen.contains("HOME=") && !seen.contains(&identity),
        "{seen}"
    );
}
