//! The rules of ownership and of change, row by row.

use std::collections::BTreeSet;

use decryptor::sealed::{MANAGED, PATCH, SKIP_SET_OWNER_REFERENCES};
use serde_json::{Value, json};

use super::*;

fn live(metadata: Value, more: Value) -> LiveSecret {
    let mut secret =
        json!({"metadata": {"name": "db", "namespace": "ns", "uid": "secret"}, "type": "Opaque"});
    let merge = |into: &mut Value, from: Value| {
        if let (Value::Object(into), Value::Object(from)) = (into, from) {
            into.extend(from);
        }
    };
    merge(&mut secret["metadata"], metadata);
    merge(&mut secret, more);
    serde_json::from_value(secret).expect("a Secret")
}

fn sealed() -> ObjectMetadata {
    serde_json::from_value(
        json!({"name": "db", "uid": "ours", "creationTimestamp": "2026-01-02T00:00:00Z"}),
    )
    .expect("metadata")
}

fn owned_by(kind: &str, name: &str, uid: &str) -> Value {
    let version = if kind == KIND { API_VERSION } else { "apps/v1" };
    json!({"ownerReferences": [{"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": true}]})
}

fn annotated(names: &[&str], created: &str) -> Value {
    let annotations: BTreeMap<_, _> = names.iter().map(|name| (*name, "true")).collect();
    json!({"annotations": annotations, "creationTimestamp": created})
}

#[test]
fn whose_a_secret_is() {
    const BEFORE: &str = "2026-01-01T00:00:00Z";
    const SINCE: &str = "2026-01-02T00:00:00Z";
    let skip = SKIP_SET_OWNER_REFERENCES;
    let patch = |managed| Some(Claim::Patch { managed });
    for (metadata, skips_owner, made, expected) in [
        (
            owned_by(KIND, "db", "ours"),
            false,
            false,
            Some(Claim::Owner),
        ),
        (
            owned_by(KIND, "db", "gone"),
            false,
            false,
            Some(Claim::Heir),
        ),
        (owned_by(KIND, "other", "gone"), false, false, None),
        (owned_by("Deployment", "db", "gone"), false, true, None),
        (json!({}), false, false, None),
        (json!({}), false, true, Some(Claim::Owner)),
        (json!({}), true, false, None),
        (
            annotated(&[MANAGED], BEFORE),
            false,
            false,
            Some(Claim::Managed),
        ),
        (annotated(&[PATCH], BEFORE), false, false, patch(false)),
        (
            annotated(&[PATCH, MANAGED], BEFORE),
            false,
            false,
            patch(true),
        ),
        (
            json!({"annotations": {MANAGED: "True", PATCH: "1"}}),
            false,
            false,
            None,
        ),
        (annotated(&[skip], SINCE), true, false, Some(Claim::Maker)),
        (annotated(&[skip], SINCE), false, false, None),
        (annotated(&[skip], BEFORE), true, false, None),
        (annotated(&[], SINCE), true, false, None),
    ] {
        let secret = live(metadata.clone(), json!({}));
        let claimant = Claimant {
            metadata: &sealed(),
            skips_owner,
            made,
        };
        assert_eq!(
            claim(&claimant, &secret.metadata),
            expected,
            "{metadata}, {skips_owner}, {made}"
        );
    }
}

fn wanted(value: &str, type_: Option<&str>, immutable: Option<bool>) -> Unsealed {
    let owner = owned_by(KIND, "db", "ours")["ownerReferences"].take();
    Unsealed {
        namespace: "ns".into(),
        name: "db".into(),
        labels: TextMap::from([("mine".into(), "1".into())]),
        annotations: TextMap::new(),
        owner_references: owner.as_array().cloned().unwrap_or_default(),
        type_: type_.map(str::to_owned),
        immutable,
        data: BTreeMap::from([("a".into(), Plaintext::new(value.into()))]),
        varying: BTreeSet::new(),
        dropped: Vec::new(),
    }
}

/// What is decided, in a word and with what is to be written.
fn decided(wanted: &Unsealed, live: &LiveSecret, claim: Claim, same_spec: bool) -> String {
    let written = |target: &Target<'_>| {
        let keys: Vec<&str> = target.data.keys().copied().collect();
        let labels: Vec<&str> = target.labels.keys().map(String::as_str).collect();
        format!(
            "{} {} {}",
            keys.join(","),
            labels.join(","),
            target.owners.len()
        )
    };
    match plan(wanted, live, claim, same_spec) {
        Plan::Keep => "keep".into(),
        Plan::Replace(target) => format!("replace {}", written(&target)),
        Plan::Patch(target) => format!("patch {}", written(&target)),
        Plan::Refuse(Refusal::Immutable { field, .. }) => format!("immutable {field}"),
        Plan::Refuse(Refusal::Type { from, to, .. }) => format!("type {from} {to}"),
        Plan::Refuse(refusal) => refusal.to_string(),
    }
}

#[test]
fn what_becomes_of_a_secret() {
    let own = |data: Value, more: Value| {
        let mut metadata = owned_by(KIND, "db", "ours");
        metadata["labels"] = json!({"mine": "1"});
        let mut more = more;
        more["data"] = data;
        live(metadata, more)
    };
    let same = || json!({"a": "MQ=="});
    let plain = wanted("1", None, None);
    for (wanted, live, claim, same_spec, expected) in [
        (&plain, own(same(), json!({})), Claim::Owner, true, "keep"),
        (&plain, own(same(), json!({})), Claim::Owner, false, "keep"),
        (
            &plain,
            own(json!({"a": "Mg=="}), json!({})),
            Claim::Owner,
            true,
            "replace a mine 1",
        ),
        (
            &plain,
            own(json!({"a": "MQ==", "b": ""}), json!({})),
            Claim::Owner,
            true,
            "replace a mine 1",
        ),
        (
            &plain,
            own(Value::Null, json!({})),
            Claim::Owner,
            true,
            "replace a mine 1",
        ),
        (
            &wanted("1", None, Some(false)),
            own(same(), json!({})),
            Claim::Owner,
            true,
            "keep",
        ),
        (
            &wanted("1", None, Some(true)),
            own(same(), json!({})),
            Claim::Owner,
            true,
            "replace a mine 1",
        ),
        (
            &wanted("1", Some("Opaque"), None),
            own(same(), json!({})),
            Claim::Owner,
            true,
            "keep",
        ),
        (
            &wanted("1", Some("x"), None),
            own(same(), json!({})),
            Claim::Owner,
            true,
            "type Opaque x",
        ),
        (
            &plain,
            own(same(), json!({"type": "x"})),
            Claim::Owner,
            true,
            "type x Opaque",
        ),
        (
            &plain,
            own(same(), json!({"type": "x"})),
            Claim::Patch { managed: false },
            true,
            "keep",
        ),
        (
            &plain,
            own(same(), json!({"immutable": true})),
            Claim::Owner,
            true,
            "immutable immutable",
        ),
        (
            &wanted("2", None, Some(true)),
            own(same(), json!({"immutable": true})),
            Claim::Owner,
            false,
            "immutable data",
        ),
        (
            &wanted("1", None, Some(true)),
            own(same(), json!({"immutable": true})),
            Claim::Owner,
            false,
            "keep",
        ),
    ] {
        assert_eq!(decided(wanted, &live, claim, same_spec), expected);
    }
}

#[test]
fn what_others_have_written_stays_only_while_the_spec_does() {
    let foreign = |owner: Value| {
        let mut metadata = owner;
        metadata["labels"] = json!({"mine": "1", "foreign": "1"});
        live(metadata, json!({"data": {"a": "MQ==", "b": "MQ=="}}))
    };
    let plain = wanted("2", None, None);
    for (claim, same_spec, expected) in [
        (Claim::Owner, true, "replace a foreign,mine 1"),
        (Claim::Owner, false, "replace a mine 1"),
        (Claim::Maker, true, "replace a foreign,mine 1"),
        (Claim::Managed, true, "replace a mine 1"),
        (Claim::Heir, true, "replace a mine 1"),
        (
            Claim::Patch { managed: true },
            false,
            "patch a,b foreign,mine 1",
        ),
    ] {
        let secret = foreign(owned_by(KIND, "db", "ours"));
        assert_eq!(
            decided(&plain, &secret, claim, same_spec),
            expected,
            "{claim:?} {same_spec}"
        );
    }
    let secret = foreign(json!({}));
    assert_eq!(
        decided(&plain, &secret, Claim::Patch { managed: false }, false),
        "patch a,b foreign,mine 0"
    );
}

#[test]
fn a_service_accounts_token_is_kept_while_it_is_the_same_ones() {
    let check = |type_: &str, account: &str, expected: &[&str]| {
        let annotations = json!({token::ACCOUNT: "a", token::UID: "1", "foreign": "1"});
        let data = json!({"token": "MQ==", "ca.crt": "MQ==", "foreign": "MQ=="});
        let live = live(
            json!({"annotations": annotations}),
            json!({"type": type_, "data": data}),
        );
        let mut wanted = wanted("1", Some(type_), None);
        wanted
            .annotations
            .insert(token::ACCOUNT.to_owned(), account.to_owned());
        let Plan::Replace(target) = plan(&wanted, &live, Claim::Owner, false) else {
            panic!("it is to be written");
        };
        let keys: Vec<&str> = target.data.keys().copied().collect();
        assert_eq!(keys, expected, "{type_} {account}");
        let keeps = expected.contains(&"token");
        assert_eq!(target.annotations.contains_key(token::UID), keeps);
    };
    check(token::TYPE, "a", &["a", "ca.crt", "token"]);
    check(token::TYPE, "b", &["a"]);
    check("Opaque", "a", &["a"]);
}
