//! What names a key of Vault, and what key it is: as the original reads it.

use proptest::prelude::*;
use testkit::cli::Output;
use testkit::vault::ROOT;

use super::desk::Desk;

fn urls() -> impl Strategy<Value = String> {
    let one = |options: &'static [&'static str]| prop::sample::select(options);
    (
        one(&["https://", "http://", "HTTPS://", "//", ""]),
        one(&["v.example", "v.example:8200", "127.0.0.1:1", "[::1]:8200"]),
        one(&["/v1", "/v1", "/v1", "/v2", "/v", "/prefix/v1", ""]),
        one(&["/transit", "/team/transit", "/keys", "/a/b/c", ""]),
        one(&["/keys", "/keys", "/other", ""]),
        one(&["/k", "/k-1.2_x", "/keys", "/k/", ""]),
    )
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].concat())
}

/// What a program took a URL for: nobody may be asked for it, and then its name is said.
fn taken_for(output: &Output) -> Option<String> {
    assert_ne!(output.code(), 0, "{}", output.stderr);
    let name = output.stderr.split("with master key \"").nth(1)?;
    Some(name.split('"').next().expect("the first part").to_owned())
}

#[test]
fn both_take_a_url_for_the_same_key() {
    let desk = Desk::bare(&[("VAULT_TOKEN", ROOT), ("SOPS_HC_VAULT_ALLOWLIST", "none")]);
    let config = ProptestConfig {
        cases: 80,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&(urls(),), |(url,)| {
        let args = ["encrypt", "--hc-vault-transit", &url, "a.yaml"];
        let [ours, theirs] = [desk.ours(&args), desk.theirs(&args)].map(|run| run.output());
        let (ours, theirs) = (taken_for(&ours), taken_for(&theirs));
        // The original takes `host:port` for a scheme.
        let theirs = theirs.filter(|_| url.contains("://"));
        prop_assert_eq!(&ours, &theirs, "{}", url);
        Ok(())
    });
    outcome.expect("both read them alike");
    // Names and refusals are told apart.
    for (url, is_key) in [
        ("https://v/v1/transit/keys/k", true),
        ("https://v/transit/keys/k", false),
    ] {
        let output = desk
            .theirs(&["encrypt", "--hc-vault-transit", url, "a.yaml"])
            .output();
        assert_eq!(taken_for(&output).is_some(), is_key, "{}", output.stderr);
    }
}
