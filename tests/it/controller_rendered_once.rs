//! Templates that draw randomness: rendered when the spec changes, and not again.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::stand::Stand;

fn sealed(stand: &Stand, user: &str) -> Value {
    let mut sealed = stand.sealed("db", &[("user", user)]);
    sealed["spec"]["template"]["data"] =
        json!({"token": "{{ randAlphaNum 24 }} {{ .user }}", "made": "{{ now | unixEpoch }}"});
    sealed
}

/// What was rendered for `user`, once it is there.
fn rendered(stand: &Stand, user: &str) -> Value {
    let secret = stand
        .cluster
        .wait_for(&stand.secret_path("db"), "it was rendered", |secret| {
            let token = secret["data"]["token"].as_str().unwrap_or_default();
            let token = STANDARD.decode(token).unwrap_or_default();
            token.ends_with(format!(" {user}").as_bytes())
                && token.len() == 25 + user.len()
                && secret["data"]["user"] == json!(STANDARD.encode(user))
        });
    stand.wait_synced("db", "True");
    secret["data"].clone()
}

#[test]
fn what_was_drawn_for_a_spec_stays_through_restarts_resyncs_and_new_keys() {
    let stand = Stand::start_with(&[], |launch| launch.args(["--resync-period=1s"]));
    stand.apply(&sealed(&stand, "one"));
    let first = rendered(&stand, "one");

    let stand = stand.restart(|_| ());
    stand.settle();
    assert_eq!(rendered(&stand, "one"), first, "a restart");

    // Somebody breaks another value: it is restored, and what was drawn stays.
    let path = stand.secret_path("db");
    stand
        .cluster
        .api
        .patch(&path, &json!({"data": {"user": "YmF6"}}));
    assert_eq!(rendered(&stand, "one"), first, "healing");

    // Another key set voids every mark.
    let before = stand.controller.certificate();
    stand.controller.renew_key();
    testkit::wait_until("a new key", testkit::PATIENCE, || {
        match stand.controller.certificate() == before {
            true => Err("the old one"),
            false => Ok(()),
        }
    });
    let stand = stand.restart(|_| ());
    stand.settle();
    testkit::wait_until("it was opened again", testkit::PATIENCE, || {
        match stand.operations() {
            0.0 => Err("no private-key operation"),
            _ => Ok(()),
        }
    });
    assert_eq!(rendered(&stand, "one"), first, "a new key");
    let stand = stand.restart(|_| ());
    stand.settle();
    assert_eq!(stand.operations(), 0.0, "it has a mark under the new keys");
    assert_eq!(rendered(&stand, "one"), first);

    stand.apply(&sealed(&stand, "two"));
    let second = rendered(&stand, "two");
    assert_ne!(second["token"], first["token"]);
    assert_eq!(
        second["token"].as_str().map(str::len),
        first["token"].as_str().map(str::len)
    );

    // Deleted, it is made anew: nobody remembers what stood there.
    stand.cluster.api.delete(&path);
    assert_ne!(rendered(&stand, "two")["token"], second["token"]);
}
