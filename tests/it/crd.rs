//! The chart's definition of SealedSecret: ours, a superset of the original's, and either may take the other's place.

use std::{env, fs, path::Path, sync::Arc};

use decryptor::{manifest, sealed::crd};
use serde_json::{Value, json};
use testkit::{
    Cluster,
    cluster::{Crd, Options},
    path, wait_until,
};

const DEFINITION: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sealedsecrets.bitnami.com";

#[test]
fn the_charts_definition_is_the_one_that_the_types_give() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/kubeseal-rs/crds/sealedsecret.yaml");
    let hint = "UPDATE=1 cargo test -p kubeseal-rs-tests --test it crd::";
    let yaml = String::from_utf8(manifest::write_yaml(&crd::definition())).unwrap();
    let wanted =
        format!("# Made from the types in decryptor/src/sealed; to make it again: {hint}\n{yaml}");
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, &wanted).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(found, wanted, "run {hint}");
}

#[test]
fn it_is_a_superset_of_the_originals() {
    let (theirs, ours) = both_as_served();
    let version = |definition: &Value| definition["spec"]["versions"][0].clone();
    let (their_version, our_version) = (version(&theirs), version(&ours));
    for field in ["group", "names", "scope", "conversion"] {
        assert_eq!(ours["spec"][field], theirs["spec"][field], "{field}");
    }
    for field in [
        "name",
        "served",
        "storage",
        "subresources",
        "additionalPrinterColumns",
    ] {
        assert_eq!(our_version[field], their_version[field], "{field}");
    }
    let schema = |version: &Value| version["schema"]["openAPIV3Schema"].clone();
    let missing = narrower("", &schema(&their_version), &schema(&our_version));
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "the original takes what ours does not"
    );
}

#[test]
fn null_in_template_data_reaches_the_controller() {
    let cluster = testkit::cluster::shared();
    let namespace = cluster.namespace();
    let sealed = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "omit"},
        "spec": {"encryptedData": {"a": "Ag=="}, "template": {"data": {"a": null, "b": "{{ .a }}"}, "metadata": null}},
    });
    let stored = cluster
        .api
        .create(&path::sealed_secrets(&namespace), &sealed);
    assert_eq!(
        stored["spec"]["template"]["data"],
        json!({"a": null, "b": "{{ .a }}"})
    );
}

#[test]
fn what_the_original_refuses_is_refused() {
    let cluster = testkit::cluster::shared();
    let namespace = cluster.namespace();
    for spec in [
        json!(null),
        json!({}),
        json!({"encryptedData": null}),
        json!({"encryptedData": {"a": 1}}),
        json!({"encryptedData": {}, "template": {"data": {"a": 1}}}),
    ] {
        let object = json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "x"}, "spec": spec});
        let reply = cluster.api.send(
            "POST",
            &path::sealed_secrets(&namespace),
            "application/json",
            object.to_string().as_bytes(),
        );
        assert_eq!(reply.unwrap().status, 422, "{spec}");
    }
}

#[test]
fn stored_objects_stay_valid_when_one_definition_takes_the_others_place() {
    let cluster = cluster_with_theirs();
    let namespace = cluster.namespace();
    let theirs = definition(&cluster);
    let objects = objects();
    for object in &objects {
        cluster
            .api
            .create(&path::sealed_secrets(&namespace), object);
    }
    let before = stored(&cluster, &namespace, &objects);
    replace(&cluster, &crd::definition());
    assert_eq!(
        stored(&cluster, &namespace, &objects),
        before,
        "after theirs → ours"
    );
    touch(&cluster, &namespace, &objects, "ours");
    let marked =
        json!({"status": {"mark": "m", "conditions": [{"type": "Synced", "status": "True"}]}});
    let status = format!("{}/status", path::sealed_secret(&namespace, "plain"));
    cluster.api.patch(&status, &marked);
    replace(&cluster, &theirs);
    assert_eq!(
        stored(&cluster, &namespace, &objects),
        before,
        "after ours → theirs"
    );
    touch(&cluster, &namespace, &objects, "theirs");
}

/// SealedSecrets in the forms that people store.
fn objects() -> Vec<Value> {
    let object = |name: &str, spec: Value| json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": name}, "spec": spec});
    vec![
        object("plain", json!({"encryptedData": {"a": "AgA=", "b": ""}})),
        object("empty", json!({"encryptedData": {}, "template": {}})),
        object("old", json!({"encryptedData": {}, "data": "AgA="})),
        object(
            "full",
            json!({"encryptedData": {"a": "AgA="}, "template": {
                "type": "kubernetes.io/tls", "immutable": true, "data": {"x": "{{ .a }}"},
                "metadata": {
                    "name": "full", "namespace": "n", "labels": {"l": "1"}, "annotations": {"a": "2"}, "finalizers": ["f/f"],
                    "creationTimestamp": null, "uid": "u", "resourceVersion": "1", "ownerReferences": [{"kind": "X"}],
                },
            }}),
        ),
        object(
            "nulls",
            json!({"encryptedData": {"a": "AgA="}, "template": {"metadata": null, "data": null}}),
        ),
    ]
}

fn stored(cluster: &Cluster, namespace: &str, objects: &[Value]) -> Vec<Value> {
    let spec = |object: &Value| {
        let name = object["metadata"]["name"].as_str().expect("it has a name");
        cluster
            .sealed_secret(namespace, name)
            .expect("it was stored")["spec"]
            .take()
    };
    objects.iter().map(spec).collect()
}

/// Writes every object once, so that the API server checks the whole of it.
fn touch(cluster: &Cluster, namespace: &str, objects: &[Value], under: &str) {
    for object in objects {
        let name = object["metadata"]["name"].as_str().expect("it has a name");
        let patch = json!({"metadata": {"labels": {"touched-under": under}}});
        cluster
            .api
            .patch(&path::sealed_secret(namespace, name), &patch);
    }
}

fn cluster_with_theirs() -> Arc<Cluster> {
    Cluster::start_with(&Options {
        crd: Crd::Theirs,
        ..Options::default()
    })
}

fn definition(cluster: &Cluster) -> Value {
    cluster.api.get(DEFINITION).expect("the cluster has one")
}

/// Both definitions as the API server gives them back: theirs first.
fn both_as_served() -> (Value, Value) {
    let cluster = cluster_with_theirs();
    let theirs = definition(&cluster);
    replace(&cluster, &crd::definition());
    (theirs, definition(&cluster))
}

/// Puts `wanted` in place and waits until the API server validates by it.
fn replace(cluster: &Cluster, wanted: &Value) {
    let mut next = wanted.clone();
    next["metadata"] = json!({"name": wanted["metadata"]["name"], "resourceVersion": definition(cluster)["metadata"]["resourceVersion"]});
    next.as_object_mut()
        .expect("it is an object")
        .remove("status");
    cluster.api.replace(DEFINITION, &next);
    cluster.wait_for(DEFINITION, "the definition is established", |definition| {
        let conditions = definition["status"]["conditions"].as_array();
        conditions
            .into_iter()
            .flatten()
            .any(|c| c["type"] == "Established" && c["status"] == "True")
    });
    let keeps_null = |schema: &Value| {
        schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
            ["template"]["properties"]["data"]["additionalProperties"]["nullable"]
            == true
    };
    // A definition is in force a moment after it is stored: a dry run with a null tells them apart.
    let namespace = cluster.namespace();
    wait_until("the definition is in force", testkit::PATIENCE, || {
        let probe = json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "probe"},
            "spec": {"encryptedData": {}, "template": {"data": {"a": null}}},
        });
        let path = format!("{}?dryRun=All", path::sealed_secrets(&namespace));
        let answer = cluster.api.create(&path, &probe);
        if answer["spec"]["template"]["data"].get("a").is_some() == keeps_null(wanted) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
}

/// What the schema `theirs` takes and `ours` does not, as paths with a reason.
fn narrower(at: &str, theirs: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for field in ["type", "format"] {
        if !ours[field].is_null() && ours[field] != theirs[field] {
            found.push(format!(
                "{at}: {field} {} against {}",
                ours[field], theirs[field]
            ));
        }
    }
    for freedom in ["nullable", "x-kubernetes-preserve-unknown-fields"] {
        if theirs[freedom] == true && ours[freedom] != true {
            found.push(format!("{at}: not {freedom}"));
        }
    }
    let known = theirs["required"].as_array().cloned().unwrap_or_default();
    for required in ours["required"].as_array().into_iter().flatten() {
        if !known.contains(required) {
            found.push(format!("{at}: {required} is required"));
        }
    }
    for limit in LIMITS {
        if !ours[limit].is_null() && ours[limit] != theirs[limit] {
            found.push(format!("{at}: {limit}"));
        }
    }
    for (name, property) in theirs["properties"].as_object().into_iter().flatten() {
        match ours["properties"].get(name) {
            Some(ours) => found.extend(narrower(&format!("{at}.{name}"), property, ours)),
            None => found.push(format!("{at}.{name}: not there")),
        }
    }
    for inner in ["additionalProperties", "items"] {
        if theirs[inner].is_object() {
            found.extend(narrower(
                &format!("{at}.{inner}"),
                &theirs[inner],
                &ours[inner],
            ));
        }
    }
    found
}

/// Keywords that refuse values, where sealed-secrets 0.40.0 has none.
const LIMITS: [&str; 14] = [
    "default",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "x-kubernetes-validations",
    "not",
    "allOf",
];
