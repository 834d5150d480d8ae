//! The controller's command line: the original's flags, defaults, variables and exit codes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{cli, cluster::User, ours, path, peer};

use crate::stand::Stand;

fn run(args: &[&str], env: &[(&str, &str)]) -> cli::Output {
    let run = cli::run(ours::controller()).args(args.iter().copied());
    env.iter()
        .fold(run, |run, (name, value)| run.env(*name, *value))
        .output()
}

/// Flags and their defaults as the original's help shows them.
fn flags_of_theirs() -> BTreeMap<String, String> {
    let help = cli::run(peer::CONTROLLER.path()).arg("--help").output();
    let lines = help.stderr.lines().filter_map(|line| {
        let (flag, rest) = line.trim_start().strip_prefix("--")?.split_once(' ')?;
        let shown = rest.rsplit_once("(default ").map(|(_, shown)| shown);
        let shown = shown
            .and_then(|shown| shown.strip_suffix(')'))
            .unwrap_or_default();
        Some((flag.to_owned(), shown.trim_matches('"').to_owned()))
    });
    lines.collect()
}

/// Flags and their defaults as our help shows them.
fn flags_of_ours() -> BTreeMap<String, String> {
    let help = run(&["--help"], &[]);
    assert_eq!(help.code(), 0);
    let (mut flags, mut flag) = (BTreeMap::new(), None);
    for line in help.text().lines() {
        if let Some(rest) = line.trim_start().strip_prefix("--") {
            let name = rest
                .split([' ', '=', '['])
                .next()
                .unwrap_or_default()
                .to_owned();
            flags.insert(name.clone(), String::new());
            flag = Some(name);
        }
        if let (Some(flag), Some((_, shown))) = (&flag, line.split_once("[default: ")) {
            flags.insert(flag.clone(), shown.trim_end_matches(']').to_owned());
        }
    }
    flags
}

/// Go shows all units of a duration, and nothing where a switch is off.
fn same_default(theirs: &str, ours: &str) -> bool {
    let trimmed = theirs.strip_suffix("0s").unwrap_or(theirs);
    let trimmed = trimmed
        .strip_suffix("0m")
        .filter(|text| text.ends_with('h'))
        .unwrap_or(trimmed);
    theirs == ours || trimmed == ours || (theirs.is_empty() && ours == "false")
}

#[test]
fn every_flag_of_the_original_is_there_with_its_default() {
    let (theirs, ours) = (flags_of_theirs(), flags_of_ours());
    assert!(theirs.len() > 30, "{theirs:?}");
    let different: Vec<_> = theirs
        .iter()
        .filter(|(flag, default)| {
            !ours
                .get(*flag)
                .is_some_and(|ours| same_default(default, ours))
        })
        .map(|(flag, default)| {
            (
                flag.as_str(),
                default.as_str(),
                ours.get(flag).map(String::as_str),
            )
        })
        .collect();
    // The API server's own fairness is enough; who wants a limit says one.
    assert_eq!(different, [("kubeclient-qps", "5", Some("-1"))]);
    let more: Vec<_> = ours
        .keys()
        .filter(|flag| !theirs.contains_key(*flag))
        .collect();
    let known = [
        "kubeconfig",
        "kubeconfig-context",
        "leader-elect",
        "leader-elect-lease-duration",
        "leader-elect-renew-deadline",
        "leader-elect-retry-period",
        "max-body-size",
        "max-items",
        "namespace-selector",
        "resync-period",
        "strict-templates",
    ];
    assert_eq!(more, known);
}

#[test]
fn the_version_line_is_the_one_that_tools_look_for() {
    let output = run(&["--version"], &[]);
    assert_eq!(output.code(), 0);
    let text = output.text();
    let version = text
        .strip_prefix("controller version: v")
        .expect("the beginning");
    let numbers: Vec<_> = version.trim_end().split('.').collect();
    assert_eq!(numbers.len(), 3);
    assert!(
        numbers.iter().all(|number| number.parse::<u32>().is_ok()),
        "{text}"
    );
}

#[test]
fn wrong_flags_and_variables_end_it_with_two_and_a_reason() {
    for (args, env, said) in [
        (&["--bogus"][..], None, "--bogus"),
        (&["-x"], None, "-x"),
        (&["--key-size=1k"], None, "--key-size"),
        (&["--key-size=1024"], None, "2048, 3072, 4096 or 8192"),
        (&["--all-namespaces", "false"], None, "false"),
        (&["--all-namespaces=maybe"], None, "--all-namespaces"),
        (&["--key-renew-period=-1h"], None, "negative"),
        (&["--rotate-period=-1h"], None, "negative"),
        (&["--key-ttl=1d"], None, "--key-ttl"),
        (&["--key-cutoff-time=yesterday"], None, "date -R"),
        (&["--key-order-priority=Random"], None, "CertNotBefore"),
        (&["--key-prefix=Key"], None, "a-z"),
        (&["--privatekey-labels=a"], None, "key=value"),
        (&["--rate-limit=0"], None, "1 or more"),
        (&["--log-level=LOUD"], None, "DEBUG, INFO, WARN or ERROR"),
        (
            &[],
            Some(("SEALED_SECRETS_RATE_LIMIT", "x")),
            "--rate-limit",
        ),
        (
            &[],
            Some(("SEALED_SECRETS_UPDATE_STATUS", "maybe")),
            "--update-status",
        ),
    ] {
        let env: Vec<_> = env.into_iter().collect();
        let output = run(args, &env);
        assert_eq!(output.code(), 2, "{args:?} {env:?}: {}", output.stderr);
        assert!(
            output.stderr.contains(said),
            "{args:?} {env:?}: {}",
            output.stderr
        );
        assert!(!output.stderr.contains("panicked"));
    }
}

#[test]
fn a_flag_beats_its_variable_and_the_last_flag_counts() {
    let version = |args: &[&str], env: &[(&str, &str)]| {
        let output = run(args, env);
        output.code() == 0 && output.text().starts_with("controller version: ")
    };
    assert!(version(&[], &[("SEALED_SECRETS_VERSION", "true")]));
    assert!(version(&["--version=false", "--version"], &[]));
    assert!(version(
        &["--version=1"],
        &[("SEALED_SECRETS_VERSION", "false")]
    ));
    let good = ("SEALED_SECRETS_KEY_SIZE", "3072");
    assert!(version(
        &[
            "--version",
            "--key-renew-period",
            "87600h30m",
            "--kubeclient-qps",
            "-1"
        ],
        &[good]
    ));
}

#[test]
fn outside_a_cluster_it_says_what_is_missing() {
    let ports = [
        "--listen-addr=127.0.0.1:0",
        "--listen-metrics-addr=127.0.0.1:0",
    ];
    let output = run(&ports, &[]);
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("--kubeconfig FILE"),
        "{}",
        output.stderr
    );
    let output = run(&[&ports[..], &["--kubeconfig=/nowhere"]].concat(), &[]);
    assert_eq!(output.code(), 1);
    assert!(output.stderr.contains("/nowhere"), "{}", output.stderr);
    assert!(!output.stderr.contains("panicked"));
}

#[test]
fn outside_a_cluster_a_kubeconfig_is_enough() {
    let stand = Stand::start_with(&[], |launch| {
        launch.outside().args(["--kubeconfig-context=test"])
    });
    stand.apply(&stand.sealed("db", &[("foo", "bar")]));
    stand.wait_data("db", &[("foo", "bar")]);
    let config = stand.cluster.kubeconfig(&User::Admin);
    let config = format!("--kubeconfig={}", config.display());
    let listen = [
        "--listen-addr=127.0.0.1:0",
        "--listen-metrics-addr=127.0.0.1:0",
    ];
    let output = run(
        &[&listen[..], &[&config, "--kubeconfig-context=nope"]].concat(),
        &[],
    );
    assert_eq!(output.code(), 1);
    assert!(output.stderr.contains("nope"), "{}", output.stderr);
}

#[test]
fn a_log_is_text_or_json_and_goes_where_it_is_wanted() {
    let run = |more: &[&str]| {
        let base = [
            "--listen-addr=127.0.0.1:0",
            "--listen-metrics-addr=127.0.0.1:0",
            "--kubeconfig=/nowhere",
        ];
        let output = run(&[&base[..], more].concat(), &[]);
        assert_eq!(output.code(), 1);
        (output.text(), output.stderr)
    };
    let (info, errors) = run(&[]);
    assert!(
        info.contains(" level=INFO msg=") && !info.contains("ERROR"),
        "{info}"
    );
    assert!(
        errors.contains(" level=ERROR msg=") && !errors.contains("INFO"),
        "{errors}"
    );
    let (info, errors) = run(&["--log-format=json"]);
    for (text, level) in [(&info, "INFO"), (&errors, "ERROR")] {
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            assert!(
                line["time"].is_string() && line["msg"].is_string(),
                "{line}"
            );
            assert_eq!(line["level"], level);
        }
    }
    let (info, errors) = run(&["--log-info-stdout=false"]);
    assert!(
        info.is_empty() && errors.contains("level=INFO"),
        "{info}{errors}"
    );
    let (info, errors) = run(&["--log-level=ERROR"]);
    assert!(
        info.is_empty() && errors.lines().count() == 1,
        "{info}{errors}"
    );
}

#[test]
fn a_missing_key_in_a_template_can_be_made_an_error() {
    for (flag, is_made) in [
        ("--strict-templates=false", true),
        ("--strict-templates", false),
    ] {
        let stand = Stand::start_with(&[], |launch| launch.args([flag]));
        let mut sealed = stand.sealed("typo", &[("password", "correct horse")]);
        sealed["spec"]["template"]["data"] = json!({"url": "x://{{ .pasword }}@db"});
        stand.apply(&sealed);
        let path = path::sealed_secret(&stand.namespace, "typo");
        let wanted = if is_made { "True" } else { "False" };
        stand.cluster.wait_for(&path, "it has a status", |object| {
            object["status"]["conditions"][0]["status"] == wanted
        });
        let made = stand.cluster.secret(&stand.namespace, "typo");
        assert_eq!(made.is_some(), is_made, "{flag}");
    }
}
