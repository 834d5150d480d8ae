//! Sealing keys come and go while SealedSecrets are there that need them.

use std::time::{Duration, Instant};

use keys::Scope;
use serde_json::{Value, json};
use testkit::path;

use crate::stand::{Stand, brought_key, condition, sealed_with};

const LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";
const BOTH: [(&str, &str); 2] = [("own", "1"), ("brought", "2")];

fn verify(stand: &Stand, sealed: &Value) -> u16 {
    let reply = stand
        .controller
        .request("POST", "/v1/verify", sealed.to_string().as_bytes());
    reply.unwrap_or_else(|error| panic!("{error}")).status
}

#[test]
fn values_under_several_keys_open_together_while_all_the_keys_are_there() {
    let stand = Stand::start_with(&[], |launch| {
        launch.args(["--rate-limit=1000", "--rate-limit-burst=1000"])
    });
    let (key, cert) = brought_key("brought");
    let mut sealed = stand.sealed("db", &BOTH[..1]);
    let more = sealed_with(&cert, &stand.namespace, "db", &BOTH[1..], Scope::Strict);
    sealed["spec"]["encryptedData"]["brought"] = more["spec"]["encryptedData"]["brought"].clone();
    stand.apply(&sealed);
    let refused = |sealed: &Value| {
        let said = stand.wait_synced("db", "False");
        let message = &condition(&said)["message"];
        assert_eq!(message, "no key could decrypt secret (brought)");
        assert_eq!(verify(&stand, sealed), 409);
    };
    refused(&sealed);
    assert!(stand.secret("db").is_none());

    // A key comes: whoever waited for it does not wait for the next try.
    let begin = Instant::now();
    let secrets = path::secrets(&stand.namespace);
    stand.cluster.api.create(&secrets, &key);
    let made = stand.wait_data("db", &BOTH);
    stand.wait_synced("db", "True");
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_eq!(verify(&stand, &sealed), 200);

    // It is given up: nothing opens with it any more, and what it has opened stays.
    let relabel = |value: &str| {
        let patch = json!({"metadata": {"labels": {LABEL: value}}});
        stand
            .cluster
            .api
            .patch(&stand.secret_path("brought"), &patch);
    };
    relabel("compromised");
    testkit::wait_until("it does not count", testkit::PATIENCE, || {
        match verify(&stand, &sealed) {
            409 => Ok(()),
            status => Err(status),
        }
    });
    sealed["spec"]["template"]["metadata"]["labels"] = json!({"new": "1"});
    stand.apply(&sealed);
    refused(&sealed);
    assert_eq!(stand.secret("db"), Some(made));

    relabel("active");
    stand
        .cluster
        .wait_for(&stand.secret_path("db"), "the change arrives", |secret| {
            secret["metadata"]["labels"] == json!({"new": "1"})
        });
    stand.wait_data("db", &BOTH);
    stand.wait_synced("db", "True");
}
