//! What the controller must not hold: it has the sealing keys, and strangers talk to it.

use testkit::ours;

/// Crates that may be in none of its dependencies, by name or by the beginning of one, and why.
const BANNED: [(&str, &str); 10] = [
    (
        "rsa",
        "its private-key operations leak by timing (RUSTSEC-2023-0071)",
    ),
    ("aws-sdk-", "no KMS client next to the sealing keys"),
    ("aws-config", "no KMS client next to the sealing keys"),
    ("vaultrs", "no KMS client next to the sealing keys"),
    ("reqwest", "no KMS client next to the sealing keys"),
    ("pgp", "brings rsa"),
    ("age", "brings rsa, and runs plugins that files name"),
    ("age-core", "only for age"),
    ("ring", "one TLS provider: aws-lc-rs"),
    ("openssl", "one TLS provider: aws-lc-rs"),
];

#[test]
fn the_controller_links_no_banned_crate() {
    let args = [
        "tree",
        "--locked",
        "-p",
        "kubeseal-rs-controller",
        "-e",
        "normal",
        "--prefix",
        "none",
        "-f",
        "{p}",
    ];
    let tree = ours::cargo(&args, &[]);
    let mut found: Vec<String> = tree.lines().filter_map(complaint).collect();
    found.sort();
    found.dedup();
    assert!(
        tree.contains("kubeseal-rs-keys"),
        "that is no dependency tree: {tree}"
    );
    assert!(
        found.is_empty(),
        "the controller links\n{}",
        found.join("\n")
    );
}

fn complaint(line: &str) -> Option<String> {
    let name = line.split(' ').next()?;
    let hit = |banned: &str| name == banned || (name.starts_with(banned) && banned.ends_with('-'));
    let (_, reason) = BANNED
        .iter()
        .find(|(banned, _)| hit(banned) || name == format!("{banned}-sys"))?;
    Some(format!("{name}: {reason}"))
}
