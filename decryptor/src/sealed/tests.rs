//! Sealing and unsealing by each other; the real peers are met in the integration tests.

use std::sync::OnceLock;

use keys::scope::{CLUSTER_WIDE, NAMESPACE_WIDE};
use keys::sealing::{KeySize, NewKey};
use keys::{KeyRing, Scope, SealingCert, SealingKey};
use serde_json::{Value, json};

use super::plain::NotASecret;
use super::remark::Remark;
use super::unseal::{ItemError, Options, verify};
use super::*;

fn new_key() -> (String, String) {
    let lifetime = jiff::SignedDuration::from_hours(24);
    let new =
        NewKey::generate(KeySize::Rsa2048, "", jiff::Timestamp::UNIX_EPOCH, lifetime).unwrap();
    (new.key_pem.to_string(), new.cert_pem)
}

fn pair() -> (KeyRing, SealingCert) {
    static PEM: OnceLock<(String, String)> = OnceLock::new();
    let (key, cert) = PEM.get_or_init(new_key);
    let key = SealingKey::from_pem(key.as_bytes()).unwrap();
    (
        KeyRing::new([(key, None)]),
        SealingCert::from_pem(cert.as_bytes()).unwrap(),
    )
}

fn secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "db", "namespace": "prod", "labels": {"app": "db"}, "annotations": {"note": "x"}},
        "type": "Opaque",
        "data": {"password": "aHVudGVyMg==", "user": "cm9vdA=="},
        "stringData": {"user": "admin"},
    })
}

fn sealed(scope: Scope) -> SealedSecret {
    let mut sealed = seal(
        &PlainSecret::from_value(&secret()).unwrap(),
        &pair().1,
        scope,
    );
    sealed.metadata.uid = "u-1".to_owned();
    sealed
}

fn open(sealed: &SealedSecret) -> Result<Unsealed, UnsealError> {
    unseal(sealed, &pair().0, &Options::default())
}

fn text<'a>(unsealed: &'a Unsealed, key: &str) -> &'a str {
    std::str::from_utf8(unsealed.data[key].expose_secret()).unwrap()
}

#[test]
fn a_sealed_secret_opens_to_what_was_sealed() {
    for scope in [Scope::Strict, Scope::NamespaceWide, Scope::ClusterWide] {
        let opened = open(&sealed(scope)).unwrap();
        assert_eq!(
            (text(&opened, "password"), text(&opened, "user")),
            ("hunter2", "admin")
        );
        assert_eq!(
            (opened.name.as_str(), opened.namespace.as_str()),
            ("db", "prod")
        );
        assert_eq!(opened.labels["app"], "db");
        assert_eq!(opened.annotations["note"], "x");
        assert_eq!(opened.type_.as_deref(), Some("Opaque"));
        assert_eq!(opened.annotations.get(hint::ANNOTATION), None);
        let owner = json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "db", "uid": "u-1", "controller": true,
        });
        assert_eq!(opened.owner_references, [owner]);
    }
}

#[test]
fn each_scope_travels_as_far_as_it_says() {
    for (scope, other_name, other_namespace) in [
        (Scope::Strict, false, false),
        (Scope::NamespaceWide, true, false),
        (Scope::ClusterWide, true, true),
    ] {
        let original = sealed(scope);
        let mut renamed = original.clone();
        renamed.metadata.name = "other".to_owned();
        let mut moved = original;
        moved.metadata.namespace = "other".to_owned();
        let ring = pair().0;
        for (object, opens) in [(&renamed, other_name), (&moved, other_namespace)] {
            assert_eq!(open(object).is_ok(), opens, "{scope}");
            assert_eq!(verify(object, &ring, true), opens, "{scope}");
        }
    }
}

#[test]
fn no_annotation_widens_a_scope() {
    for annotation in [NAMESPACE_WIDE, CLUSTER_WIDE] {
        let mut outer = sealed(Scope::Strict);
        outer
            .metadata
            .annotations
            .insert(annotation.to_owned(), "true".to_owned());
        assert!(open(&outer).is_err());
        let mut template = sealed(Scope::Strict);
        template.metadata.name = "other".to_owned();
        template
            .spec
            .template
            .metadata
            .annotations
            .insert(annotation.to_owned(), "true".to_owned());
        assert!(open(&template).is_err());
        assert!(rewrap(&template, &pair().0, &pair().1).is_err());
    }
}

#[test]
fn failures_name_their_keys_once_per_reason_and_show_no_value() {
    let mut broken = sealed(Scope::Strict);
    broken
        .spec
        .encrypted_data
        .insert("bad".to_owned(), "not base64!".to_owned());
    broken.metadata.name = "other".to_owned();
    let error = open(&broken).unwrap_err();
    assert_eq!(
        error.to_string(),
        "illegal base64 data (bad)\nno key could decrypt secret (password, user)"
    );
}

#[test]
fn null_in_the_template_leaves_a_key_out_and_finalizers_are_dropped() {
    let mut object = sealed(Scope::Strict);
    object
        .spec
        .template
        .data
        .insert("password".to_owned(), None);
    object
        .spec
        .template
        .metadata
        .other
        .insert("finalizers".to_owned(), json!(["a/b"]));
    object
        .spec
        .template
        .metadata
        .other
        .insert("creationTimestamp".to_owned(), Value::Null);
    object.spec.template.metadata.resource_version = "7".to_owned();
    let opened = open(&object).unwrap();
    assert_eq!(opened.data.keys().collect::<Vec<_>>(), ["user"]);
    assert_eq!(opened.dropped, ["finalizers", "resourceVersion"]);
    let written: Value = serde_json::from_slice(&opened.to_json(None)).unwrap();
    assert_eq!(written["metadata"].get("finalizers"), None);
    assert_eq!(written["metadata"].get("resourceVersion"), None);
    assert_eq!(written["data"], json!({"user": "YWRtaW4="}));
}

#[test]
fn without_an_owner_the_references_of_the_template_stand() {
    let mut object = sealed(Scope::Strict);
    object
        .spec
        .template
        .metadata
        .other
        .insert("ownerReferences".to_owned(), json!([{"name": "someone"}]));
    let opened = open(&object).unwrap();
    assert_eq!(opened.owner_references[0]["name"], "db");
    assert_eq!(opened.dropped, ["ownerReferences"]);
    let annotations = &mut object.spec.template.metadata.annotations;
    annotations.insert(SKIP_SET_OWNER_REFERENCES.to_owned(), "true".to_owned());
    let opened = open(&object).unwrap();
    assert_eq!(opened.owner_references, [json!({"name": "someone"})]);
    assert!(opened.dropped.is_empty());
}

#[test]
fn the_form_from_before_2018_opens_where_it_is_accepted() {
    let label = Scope::Strict.label("prod", "db");
    let inner =
        json!({"kind": "Secret", "metadata": {"labels": {"a": "b"}}, "data": {"k": "dg=="}})
            .to_string();
    let mut object = SealedSecret {
        metadata: sealed(Scope::Strict).metadata,
        ..SealedSecret::default()
    };
    object.spec.data = Some(base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        pair().1.seal(inner.as_bytes(), &label),
    ));
    let opened = open(&object).unwrap();
    assert_eq!(
        (text(&opened, "k"), opened.labels["a"].as_str()),
        ("v", "b")
    );
    let refused = unseal(
        &object,
        &pair().0,
        &Options {
            accept_deprecated_data: false,
            ..Options::default()
        },
    );
    assert!(refused.unwrap_err().to_string().contains("deprecated"));
    object
        .spec
        .encrypted_data
        .insert("k".to_owned(), String::new());
    assert!(
        open(&object)
            .unwrap_err()
            .to_string()
            .contains("at the same time")
    );
    object.spec.encrypted_data.clear();
    object.spec.data = Some(String::new());
    assert_eq!(
        open(&object).unwrap_err(),
        UnsealError::Data(ItemError::NoKey)
    );
}

#[test]
fn wrongly_typed_values_fail_alone() {
    let object: SealedSecret = serde_json::from_value(json!({
        "metadata": {"name": "db", "namespace": "prod"},
        "spec": {"encryptedData": {"a": 1, "b": {"c": []}, "d": null, "e": [[]], "f": "AgB"}, "template": null},
    }))
    .unwrap();
    assert_eq!(
        object
            .spec
            .encrypted_data
            .values()
            .filter(|text| text.is_empty())
            .count(),
        4
    );
    assert!(open(&object).is_err());
    let none: SealedSecret =
        serde_json::from_value(json!({"spec": {"encryptedData": null}})).unwrap();
    assert!(open(&none).unwrap().data.is_empty());
}

#[test]
fn many_values_that_do_not_open_are_not_all_tried() {
    let mut object = sealed(Scope::Strict);
    let value = object.spec.encrypted_data["password"].clone();
    object.metadata.name = "other".to_owned();
    object.spec.encrypted_data = (0..80)
        .map(|number| (format!("{number:03}"), value.clone()))
        .collect();
    let text = open(&object).expect_err("none opens").to_string();
    let (no_key, not_tried) = text.split_once('\n').expect("two reasons");
    assert!(no_key.starts_with("no key could decrypt secret (000, ") && no_key.ends_with("063)"));
    assert!(not_tried.starts_with("not tried, as too many others failed (064, "));
    assert!(not_tried.ends_with("079)"));
}

#[test]
fn the_bounds_hold_for_all_templates_of_an_object_together() {
    let with = |templates: &[(&str, &str)]| {
        let mut object = sealed(Scope::Strict);
        let templates = templates.iter();
        object.spec.template.data = templates
            .map(|(key, source)| ((*key).to_owned(), Some((*source).to_owned())))
            .collect();
        open(&object).map(drop).map_err(|error| error.to_string())
    };
    let steps = "{{ len (until 600000) }}";
    let output = "{{ repeat 900000 \"x\" }}";
    let memory = "{{ len (repeat 40000000 \"x\") }}";
    for (source, reason) in [
        (steps, "too many steps"),
        (output, "writes too much"),
        (memory, "too much memory"),
    ] {
        assert_eq!(with(&[("a", source)]), Ok(()));
        let both = with(&[("a", source), ("b", source)]);
        let text = both.expect_err("together they are too much");
        assert!(text.contains(reason) && text.ends_with("(b)"), "{text}");
    }
    // The dot is not copied for each: this would take minutes.
    let names: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(with(&many), Ok(()));
}

#[test]
fn hints_read_back_and_a_lying_hint_changes_no_result() {
    let (ring, cert) = pair();
    let (_, other) = new_key();
    let other = SealingCert::from_pem(other.as_bytes()).unwrap();
    let mut hints = KeyHints::all(cert.fingerprint());
    hints.set("password", other.fingerprint());
    let mut object = sealed(Scope::Strict);
    let text = hints.to_text().unwrap();
    object
        .metadata
        .annotations
        .insert(hint::ANNOTATION.to_owned(), text);
    assert_eq!(
        KeyHints::of_annotations(&object.metadata.annotations),
        hints
    );
    assert_eq!(hints.of("password"), Some(other.fingerprint()));
    assert_eq!(hints.of("user"), Some(cert.fingerprint()));
    for lie in [
        "",
        "SHA256:",
        "x",
        "a=b",
        "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &hints.to_text().unwrap(),
    ] {
        object
            .metadata
            .annotations
            .insert(hint::ANNOTATION.to_owned(), lie.to_owned());
        assert!(unseal(&object, &ring, &Options::default()).is_ok(), "{lie}");
    }
}

#[test]
fn rewrapping_changes_the_wrapped_keys_and_the_hint_alone() {
    let (ring, _) = pair();
    let (key, cert) = new_key();
    let (key, cert) = (
        SealingKey::from_pem(key.as_bytes()).unwrap(),
        SealingCert::from_pem(cert.as_bytes()).unwrap(),
    );
    let mut object = sealed(Scope::Strict);
    object
        .spec
        .template
        .data
        .insert("t".to_owned(), Some("{{ .nonsense".to_owned()));
    let moved = rewrap(&object, &ring, &cert).unwrap();
    assert_eq!(moved.spec.template, object.spec.template);
    assert_eq!(
        KeyHints::of_annotations(&moved.metadata.annotations),
        KeyHints::all(key.fingerprint())
    );
    let new_ring = KeyRing::new([(key, None)]);
    assert!(verify(&moved, &new_ring, true) && !verify(&moved, &ring, true));
}

#[test]
fn what_is_no_secret_is_refused_by_what_it_is() {
    let read = |value: Value| PlainSecret::from_value(&value).err().unwrap();
    assert_eq!(read(json!("text")), NotASecret::NotAnObject);
    assert_eq!(
        read(json!({"kind": "ConfigMap", "apiVersion": "v1"})),
        NotASecret::Kind {
            kind: "ConfigMap".to_owned()
        }
    );
    assert_eq!(read(json!({"apiVersion": "v1"})), NotASecret::NoKind);
    assert_eq!(
        read(json!({"kind": "Secret", "apiVersion": "v2"})),
        NotASecret::ApiVersion("v2".to_owned())
    );
    let with = |field: &str, value: Value| {
        let mut secret = secret();
        secret[field] = value;
        read(secret).to_string()
    };
    assert_eq!(
        with("data", json!({"k": "clear text!"})),
        "data.k is not base64; put clear text under stringData"
    );
    assert_eq!(with("data", json!([1])), "data must be a mapping");
    assert_eq!(
        with("stringData", json!({"k": []})),
        "stringData.k must be text"
    );
    assert_eq!(
        with("immutable", json!("yes")),
        "immutable must be true or false"
    );
}

#[test]
fn copies_of_the_secret_in_annotations_go_and_what_is_left_out_is_said() {
    let mut value = secret();
    value["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        json!("hunter2");
    value["metadata"]["finalizers"] = json!(["a/b"]);
    value["metadata"]["uid"] = json!("x");
    value["stringData"]["flag"] = json!(true);
    let plain = PlainSecret::from_value(&value).unwrap();
    assert_eq!(plain.annotations.keys().collect::<Vec<_>>(), ["note"]);
    let dropped = Remark::Dropped {
        field: "finalizers".to_owned(),
    };
    assert_eq!(
        plain.remarks,
        [
            dropped,
            Remark::Coerced {
                key: "flag".to_owned()
            }
        ]
    );
    let written = serde_json::to_string(&seal(&plain, &pair().1, Scope::Strict)).unwrap();
    assert!(
        !written.contains("finalizers") && !written.contains("uid") && !written.contains("hunter2")
    );
}
