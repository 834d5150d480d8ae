//! The chart: what it renders, what the API server says to it, and what its controller may do with it.

mod install;
mod matrix;
mod monitoring;
mod swap;
mod values;

use std::{fs, path::PathBuf};

use decryptor::manifest;
use serde_json::Value;
use testkit::{Cluster, cli, ours, peer, run_folder};

fn folder() -> PathBuf {
    ours::workspace().join("charts/kubeseal-rs")
}

fn helm() -> cli::Run {
    cli::run(peer::HELM.path())
}

/// A file with `values`, for `--values`.
fn values_file(values: &Value) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = run_folder().join(format!("values-{number}.json"));
    fs::write(&file, values.to_string()).expect("the run folder can be written");
    file
}

fn template(namespace: &str, values: &Value) -> cli::Output {
    helm()
        .args(["template", "release", "--namespace", namespace, "--values"])
        .arg(values_file(values))
        .arg(folder())
        .output()
}

/// What the chart makes of `values`.
pub(crate) fn rendered(namespace: &str, values: &Value) -> Vec<Value> {
    let output = template(namespace, values);
    assert_eq!(output.code(), 0, "{values}: {}", output.stderr);
    read(&output.stdout)
}

/// What the chart says about `values` that it does not take.
fn refused(values: &Value) -> String {
    let output = template("default", values);
    assert_ne!(output.code(), 0, "{values} is taken: {}", output.text());
    output.stderr
}

fn read(yaml: &[u8]) -> Vec<Value> {
    let documents = manifest::read(yaml).unwrap_or_else(|e| panic!("{e}"));
    documents
        .into_iter()
        .map(manifest::Document::into_value)
        .collect()
}

/// The one object of `kind`; the one called `name` if there are several.
fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> Option<&'a Value> {
    let all = |object: &&Value| {
        object["kind"] == kind && (name.is_empty() || object["metadata"]["name"] == name)
    };
    let found: Vec<_> = objects.iter().filter(all).collect();
    assert!(found.len() < 2, "{} of {kind} {name}", found.len());
    found.first().copied()
}

pub(crate) fn deployment(objects: &[Value]) -> &Value {
    find(objects, "Deployment", "").expect("the chart has one")
}

/// The container's arguments in the one Deployment.
fn args(objects: &[Value]) -> Vec<String> {
    let container = &deployment(objects)["spec"]["template"]["spec"]["containers"][0];
    let args = container["args"].as_array().cloned().unwrap_or_default();
    args.iter()
        .map(|arg| arg.as_str().expect("arguments are text").to_owned())
        .collect()
}

/// Puts the objects into the cluster as they are.
pub(crate) fn apply(cluster: &Cluster, objects: &[Value]) {
    for object in objects {
        cluster.api.apply(&path_of(object), object);
    }
}

/// Where an object of the chart lives; one without a namespace goes where Helm would put it.
fn path_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let root = if version == "v1" {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{version}")
    };
    let plural = match kind.to_lowercase() {
        kind if kind.ends_with("ss") => format!("{kind}es"),
        kind if kind.ends_with('y') => format!("{}ies", kind.trim_end_matches('y')),
        kind => format!("{kind}s"),
    };
    let name = text(&object["metadata"]["name"]);
    if kind.starts_with("Cluster") {
        return format!("{root}/{plural}/{name}");
    }
    let namespace = object["metadata"]["namespace"]
        .as_str()
        .unwrap_or("default");
    format!("{root}/namespaces/{namespace}/{plural}/{name}")
}
