//! Sealing keys: made, found, ordered, renewed and given up; by either controller, for either controller.

use std::{fmt::Display, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use testkit::{
    Cluster, PATIENCE, cluster,
    controller::{self, Controller, Launch},
    path, wait_until,
};

use crate::stand::brought_key;

const LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";

fn ours(cluster: &Arc<Cluster>, home: &str) -> Launch {
    alone(controller::ours(cluster), home)
}

fn theirs(cluster: &Arc<Cluster>, home: &str) -> Launch {
    alone(controller::theirs(cluster), home)
}

fn alone(launch: Launch, home: &str) -> Launch {
    launch
        .namespace(home)
        .only_namespaces(&[])
        .args(["--key-size=2048"])
}

/// The key Secrets, oldest first.
fn keys(cluster: &Cluster, home: &str) -> Vec<Value> {
    let mut keys = cluster.api.list(&format!(
        "{}?labelSelector={LABEL}=active",
        path::secrets(home)
    ));
    keys.sort_by_key(|key| certificate(key).1);
    keys
}

/// A key Secret's certificate as PEM, and when it becomes valid.
fn certificate(key: &Value) -> (String, i64) {
    let pem = key["data"]["tls.crt"]
        .as_str()
        .expect("it has a certificate");
    let pem = String::from_utf8(BASE64_STANDARD.decode(pem).expect("base64")).expect("PEM");
    let cert = keys::sealing::SealingCert::from_pem(pem.as_bytes()).expect("a certificate");
    (pem, cert.not_before().as_second())
}

fn name(object: &Value) -> String {
    object["metadata"]["name"]
        .as_str()
        .expect("named")
        .to_owned()
}

fn wait<T, E: Display>(
    controller: &Controller,
    what: &str,
    probe: impl FnMut() -> Result<T, E>,
) -> T {
    let probed = testkit::poll(PATIENCE, probe);
    probed.unwrap_or_else(|seen| panic!("in vain: {what}\nseen: {seen}\n{}", controller.log()))
}

fn wait_for_certificate(
    controller: &Controller,
    what: &str,
    wanted: impl Fn(&str) -> bool,
) -> String {
    wait(controller, what, || {
        let seen = controller.certificate();
        if wanted(&seen) { Ok(seen) } else { Err(seen) }
    })
}

/// Sleeps over the end of a second, since certificates tell no finer time and equal times keep the older key.
fn next_second(after: i64) {
    wait_until("the next second begins", PATIENCE, || {
        let now = jiff::Timestamp::now().as_second();
        if now > after { Ok(()) } else { Err(now) }
    });
}

#[test]
fn each_controller_uses_and_renews_the_keys_of_the_other() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let first = theirs(&cluster, &home).start();
    let theirs_made = first.certificate();
    first.stop();

    let second = ours(&cluster, &home).start();
    assert_eq!(second.certificate(), theirs_made);
    next_second(certificate(&keys(&cluster, &home)[0]).1);
    second.renew_key();
    let ours_made = wait_for_certificate(&second, "a new key", |seen| seen != theirs_made);
    second.stop();

    let third = theirs(&cluster, &home).start();
    assert_eq!(third.certificate(), ours_made);
    next_second(certificate(&keys(&cluster, &home)[1]).1);
    third.renew_key();
    let theirs_again = wait_for_certificate(&third, "a new key", |seen| seen != ours_made);
    third.stop();

    let fourth = ours(&cluster, &home).start();
    assert_eq!(fourth.certificate(), theirs_again);
    assert_eq!(keys(&cluster, &home).len(), 3);
}

#[test]
fn a_key_is_stored_as_the_original_stores_it() {
    let cluster = cluster::shared();
    let flags = [
        "--privatekey-labels=team=a,sealedsecrets.bitnami.com/sealed-secrets-key=off",
        "--privatekey-annotations=note=x",
        "--my-cn=cluster.example",
        "--key-prefix=seal",
        "--key-ttl=240h30m",
    ];
    let shape = |launch: fn(&Arc<Cluster>, &str) -> Launch| {
        let home = cluster.namespace();
        let _controller = launch(&cluster, &home).args(flags).start();
        let keys = keys(&cluster, &home);
        assert_eq!(keys.len(), 1);
        let (pem, not_before) = certificate(&keys[0]);
        let cert = keys::sealing::SealingCert::from_pem(pem.as_bytes()).expect("a certificate");
        let private = BASE64_STANDARD
            .decode(keys[0]["data"]["tls.key"].as_str().expect("a key"))
            .expect("base64");
        let private = String::from_utf8(private).expect("PEM");
        let metadata = &keys[0]["metadata"];
        json!({
            "type": keys[0]["type"], "labels": metadata["labels"], "annotations": metadata["annotations"],
            "generateName": metadata["generateName"], "fields": keys[0]["data"].as_object().map(|data| data.len()),
            "finalizers": metadata["finalizers"], "immutable": keys[0]["immutable"],
            "lifetime": cert.not_after().as_second() - not_before, "bits": cert.key_bits(),
            "private": private.lines().next(), "line": private.lines().nth(1).map(str::len),
        })
    };
    assert_eq!(shape(ours), shape(theirs));
}

#[test]
fn keys_come_and_go_while_it_runs() {
    let cluster = cluster::shared();
    let (home, elsewhere) = (cluster.namespace(), cluster.namespace());
    let controller = ours(&cluster, &home).start();
    let own = controller.certificate();
    next_second(certificate(&keys(&cluster, &home)[0]).1);
    let other = ours(&cluster, &elsewhere).start();
    let brought = other.certificate();
    let key = keys(&cluster, &elsewhere).remove(0);

    let bring = json!({
        "metadata": {"name": "brought", "labels": {LABEL: "active"}}, "type": key["type"], "data": key["data"],
    });
    cluster.api.create(&path::secrets(&home), &bring);
    wait_for_certificate(&controller, "the new key is the newest", |seen| {
        seen == brought
    });
    let relabel = |value: &str| {
        let patch = json!({"metadata": {"labels": {LABEL: value}}});
        cluster.api.patch(&path::secret(&home, "brought"), &patch);
    };
    relabel("compromised");
    wait_for_certificate(&controller, "a relabelled key is forgotten", |seen| {
        seen == own
    });
    relabel("active");
    wait_for_certificate(&controller, "and back", |seen| seen == brought);
    cluster.api.delete(&path::secret(&home, "brought"));
    wait_for_certificate(&controller, "a deleted key is forgotten", |seen| {
        seen == own
    });

    // From before labels: a Secret with the very name.
    let legacy = json!({
        "metadata": {"name": "sealed-secrets-key"}, "type": key["type"], "data": key["data"],
    });
    cluster.api.create(&path::secrets(&home), &legacy);
    wait_for_certificate(&controller, "the unlabelled key counts", |seen| {
        seen == brought
    });
    controller.stop();
    assert_eq!(theirs(&cluster, &home).start().certificate(), brought);
}

#[test]
fn the_newest_key_is_the_one_that_the_order_says() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let first = ours(&cluster, &home).start();
    let own = first.certificate();
    first.stop();
    next_second(certificate(&keys(&cluster, &home)[0]).1);
    // Stored later, though its certificate is older.
    let (secret, brought) = brought_key("brought");
    cluster.api.create(&path::secrets(&home), &secret);
    for launch in [ours, theirs] {
        for (order, newest) in [
            ("CertNotBefore", own.as_str()),
            ("SecretCreationTimestamp", brought.pem()),
        ] {
            let flag = format!("--key-order-priority={order}");
            let controller = launch(&cluster, &home).args([flag]).start();
            assert_eq!(controller.certificate(), newest, "{order}");
            controller.stop();
        }
    }
}

#[test]
fn the_last_key_gone_makes_a_new_one() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = ours(&cluster, &home).start();
    let first = keys(&cluster, &home).remove(0);
    let patch = json!({"metadata": {"labels": {LABEL: "compromised"}}});
    cluster
        .api
        .patch(&path::secret(&home, &name(&first)), &patch);
    wait(&controller, "there is another key", || {
        match &keys(&cluster, &home)[..] {
            [key] if name(key) != name(&first) => Ok(()),
            keys => Err(format!("{} keys", keys.len())),
        }
    });
}

#[test]
fn what_is_no_key_is_passed_over_and_said_so() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = ours(&cluster, &home).start();
    let good = keys(&cluster, &home).remove(0);
    let before = controller.certificate();
    let ec = rcgen_key();
    let base64 = |text: &str| Value::from(BASE64_STANDARD.encode(text));
    let (key, cert) = (&good["data"]["tls.key"], &good["data"]["tls.crt"]);
    let elsewhere = cluster.namespace();
    let other = ours(&cluster, &elsewhere).start();
    let foreign = &keys(&cluster, &elsewhere)[0]["data"]["tls.crt"];
    for (name, data) in [
        ("empty", json!({})),
        ("null", json!({"tls.key": null, "tls.crt": null})),
        ("nothing", json!({"tls.key": "", "tls.crt": ""})),
        (
            "garbage",
            json!({"tls.key": base64("garbage"), "tls.crt": cert}),
        ),
        ("ec", json!({"tls.key": base64(&ec), "tls.crt": cert})),
        ("certless", json!({"tls.key": key})),
        ("mismatched", json!({"tls.key": key, "tls.crt": foreign})),
    ] {
        let secret = json!({"metadata": {"name": name, "labels": {LABEL: "active"}}, "data": data});
        cluster.api.create(&path::secrets(&home), &secret);
        wait(&controller, "an event says so", || {
            let events = cluster.events(&home, name);
            match events
                .iter()
                .find(|event| event["reason"] == "ErrKeyRefused")
            {
                Some(event) if event["type"] == "Warning" => Ok(()),
                _ => Err(format!("{name}: {events:?}")),
            }
        });
    }
    assert_eq!(controller.certificate(), before);
    drop((controller, other));
    // Nor does any of them stop it from starting.
    assert_eq!(ours(&cluster, &home).start().certificate(), before);
}

fn rcgen_key() -> String {
    rcgen::KeyPair::generate().expect("made").serialize_pem()
}

#[test]
fn renewal_follows_period_cutoff_and_signal() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let count = || keys(&cluster, &home).len();
    let controller = ours(&cluster, &home).args(["--key-renew-period=0"]).start();
    assert_eq!(count(), 1);
    controller.renew_key();
    wait(&controller, "a key on SIGUSR1", || {
        if count() == 2 { Ok(()) } else { Err(count()) }
    });
    controller.stop();

    let past = "--key-cutoff-time=Mon, 02 Jan 2006 15:04:05 -0700";
    ours(&cluster, &home).args([past]).start().stop();
    assert_eq!(count(), 2);
    let future = "--key-cutoff-time=Fri, 02 Jan 2099 15:04:05 -0700";
    let controller = ours(&cluster, &home).args([future]).start();
    wait(&controller, "a key by the cut-off", || {
        if count() == 3 { Ok(()) } else { Err(count()) }
    });
    controller.stop();

    let controller = ours(&cluster, &home)
        .args(["--key-renew-period=1s"])
        .start();
    wait(&controller, "keys by age", || {
        if count() >= 5 { Ok(()) } else { Err(count()) }
    });
    controller.stop();
    let newest = certificate(keys(&cluster, &home).last().expect("several")).0;
    let their = theirs(&cluster, &home)
        .args(["--key-renew-period=0"])
        .start();
    assert_eq!(their.certificate(), newest);
}
