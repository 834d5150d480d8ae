//! What a mark holds against someone who may edit Secrets and status.

use keys::SealingKey;
use serde_json::{Value, json};

use super::*;

const SPEC: &str = r#"{
    "encryptedData": {"a": "AgA="},
    "template": {"metadata": {"labels": {"l": "1"}, "annotations": {"n": "1"}}, "data": {"t": "x"}}
}"#;

fn marker(keys: &[&[u8]]) -> Marker {
    marker_with(keys, &Options::default())
}

fn marker_with(keys: &[&[u8]], options: &Options) -> Marker {
    let key = |pem: &&[u8]| (SealingKey::from_pem(pem).expect("a key"), None);
    Marker::of(&KeyRing::new(keys.iter().map(key)), options).expect("it has keys")
}

const KEY: &[u8] = include_bytes!("../../../keys/testdata/rsa2056-pkcs1.pem");

fn sealed(change: impl FnOnce(&mut Value)) -> SealedSecret {
    let mut object = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {"name": "db", "namespace": "ns", "uid": "sealed"},
        "spec": serde_json::from_str::<Value>(SPEC).expect("JSON"),
    });
    change(&mut object);
    serde_json::from_value(object).expect("a SealedSecret")
}

fn secret(change: impl FnOnce(&mut Value)) -> LiveSecret {
    let mut object = json!({
        "metadata": {
            "name": "db", "namespace": "ns", "uid": "secret",
            "labels": {"l": "1", "foreign": "1"}, "annotations": {"n": "1", "foreign": "1"},
            "ownerReferences": [{"kind": "SealedSecret", "name": "db", "uid": "sealed", "controller": true}],
        },
        "type": "Opaque", "data": {"a": "MQ==", "t": "MQ=="},
    });
    change(&mut object);
    serde_json::from_value(object).expect("a Secret")
}

/// Whether the mark of the unchanged pair is believed for this one.
fn believed(marker: &Marker, sealed: &mut SealedSecret, live: &LiveSecret) -> bool {
    let of = self::sealed(|_| ());
    let original = secret(|_| ());
    let mark = marker
        .mark(&of, &View::of_live(&original), [])
        .expect("it can be marked");
    let status = json!({"mark": mark.to_text()});
    sealed.status = serde_json::from_value(status).expect("a status");
    let extent = Extent::of(sealed).expect("it is small");
    marker
        .known(sealed)
        .is_some_and(|known| marker.is_right(&known, &extent, live))
}

#[test]
fn every_change_of_what_the_secret_must_be_voids_the_mark() {
    let marker = marker(&[KEY]);
    let with = |live: &LiveSecret| believed(&marker, &mut sealed(|_| ()), live);
    assert!(with(&secret(|_| ())));
    let same: [fn(&mut Value); 3] = [
        |s| s["metadata"]["labels"]["foreign"] = json!("2"),
        |s| s["metadata"]["annotations"]["more"] = json!("2"),
        |s| s["immutable"] = json!(false),
    ];
    for change in same {
        assert!(with(&secret(change)));
    }
    let other: [fn(&mut Value); 14] = [
        |s| s["data"]["a"] = json!("Mg=="),
        |s| s["data"]["t"] = json!("Mg=="),
        |s| s["data"] = json!({"a": "MQ=="}),
        |s| s["data"]["b"] = json!(""),
        |s| s["data"] = json!({"at": "MQ==MQ=="[..4]}),
        |s| s["type"] = json!("x"),
        |s| s["immutable"] = json!(true),
        |s| s["metadata"]["uid"] = json!("other"),
        |s| s["metadata"]["labels"]["l"] = json!("2"),
        |s| s["metadata"]["labels"] = json!({}),
        |s| s["metadata"]["annotations"]["n"] = json!(""),
        |s| s["metadata"]["annotations"][decryptor::sealed::PATCH] = json!("true"),
        |s| s["metadata"]["ownerReferences"] = json!([]),
        |s| s["metadata"]["ownerReferences"][0]["controller"] = json!(false),
    ];
    for (row, change) in other.into_iter().enumerate() {
        assert!(!with(&secret(change)), "row {row}");
    }
}

#[test]
fn a_mark_is_good_for_one_sealed_secret_spec_scope_and_key_set_only() {
    let one = marker(&[KEY]);
    let other: [fn(&mut Value); 7] = [
        |s| s["metadata"]["uid"] = json!("other"),
        |s| s["metadata"]["name"] = json!("other"),
        |s| s["metadata"]["namespace"] = json!("other"),
        |s| s["metadata"]["annotations"] = json!({keys::scope::CLUSTER_WIDE: "true"}),
        |s| s["spec"]["encryptedData"]["a"] = json!("AgE="),
        |s| s["spec"]["template"]["data"]["t"] = json!("y"),
        |s| s["spec"]["template"]["immutable"] = json!(true),
    ];
    for (row, change) in other.into_iter().enumerate() {
        assert!(
            !believed(&one, &mut sealed(change), &secret(|_| ())),
            "row {row}"
        );
    }
    let live = secret(|_| ());
    let of = sealed(|_| ());
    let mark = one
        .mark(&of, &View::of_live(&live), [])
        .expect("it can be marked");
    let mut marked = sealed(|_| ());
    marked.status = serde_json::from_value(json!({"mark": mark.to_text()})).expect("a status");
    let younger = include_bytes!("../../../keys/testdata/rsa2056-pkcs8.pem");
    assert!(
        marker(&[younger]).known(&marked).is_some(),
        "the same key in another wrapping"
    );
    assert!(one.known(&marked).is_some());
    assert!(one.has_made(&marked, "secret") && !one.has_made(&marked, "other"));
    for text in ["", "bm9uZQ", "!", &mark.to_text()[..86]] {
        marked.status = serde_json::from_value(json!({"mark": text})).expect("a status");
        assert!(
            one.known(&marked).is_none() && !one.has_made(&marked, "secret"),
            "{text}"
        );
    }
}

#[test]
fn a_mark_made_where_more_was_let_pass_is_not_believed_but_tells_whose_the_secret_is() {
    let limits = Limits {
        missing_key: MissingKey::Error,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let (easy, strict) = (marker(&[KEY]), marker_with(&[KEY], &options));
    for (made_by, asked) in [(&easy, &strict), (&strict, &easy)] {
        let mut marked = sealed(|_| ());
        let mark = made_by.mark(&marked, &View::of_live(&secret(|_| ())), []);
        let text = mark.expect("it can be marked").to_text();
        marked.status = serde_json::from_value(json!({"mark": text})).expect("a status");
        assert!(made_by.known(&marked).is_some() && asked.known(&marked).is_none());
        assert!(asked.has_made(&marked, "secret"));
    }
}

#[test]
fn rendered_values_are_known_by_their_place_and_key() {
    let marker = marker(&[KEY]);
    let (of, live) = (sealed(|_| ()), secret(|_| ()));
    let value = |text: &str| Plaintext::new(text.into());
    let (first, second) = (value("one"), value("two"));
    let varying = [("t", &first), ("u", &second)];
    let mark = marker
        .mark(&of, &View::of_live(&live), varying)
        .expect("it can be marked");
    let mark = Mark::parse(&mark.to_text()).expect("it reads back");
    assert!(
        marker.is_rendered(&mark, 0, "t", &first) && marker.is_rendered(&mark, 1, "u", &second)
    );
    assert!(!marker.is_rendered(&mark, 0, "u", &first));
    assert!(!marker.is_rendered(&mark, 1, "u", &first));
    assert!(!marker.is_rendered(&mark, 2, "t", &first));
}

#[test]
fn what_cannot_be_told_from_outside_has_no_mark() {
    let marker = marker(&[KEY]);
    let old = sealed(|s| s["spec"]["data"] = json!("AgA="));
    assert!(
        marker
            .mark(&old, &View::of_live(&secret(|_| ())), [])
            .is_none()
    );
    let many: serde_json::Map<_, _> = (0..=MOST_NAMES)
        .map(|number| (format!("k{number}"), json!("AgA=")))
        .collect();
    let wide = sealed(|s| s["spec"]["encryptedData"] = Value::Object(many));
    assert!(
        marker
            .mark(&wide, &View::of_live(&secret(|_| ())), [])
            .is_none()
    );
    let nowhere = sealed(|s| s["metadata"]["uid"] = json!(""));
    assert!(
        marker
            .mark(&nowhere, &View::of_live(&secret(|_| ())), [])
            .is_none()
    );
}
