//! Dashboards and alert rules: queries that Prometheus takes.

use serde_json::{Value, json};
use testkit::{cli, peer};

use super::{find, rendered};

#[test]
fn prometheus_takes_every_query() {
    let queries = queries();
    assert!(queries.len() > 15, "{queries:?}");
    // A dashboard's variables stand where PromQL has a duration or a text.
    let lines: Vec<String> = queries
        .iter()
        .map(|query| query.replace("$__rate_interval", "5m"))
        .collect();
    let answer = cli::run(peer::go("promql"))
        .stdin(lines.join("\n"))
        .output();
    assert_eq!(answer.code(), 0, "{}{}", answer.text(), answer.stderr);
}

fn queries() -> Vec<String> {
    let values =
        json!({"metrics": {"prometheusRule": {"enabled": true}, "dashboards": {"create": true}}});
    let objects = rendered("default", &values);
    let rule = find(&objects, "PrometheusRule", "").expect("it is there");
    let config = find(&objects, "ConfigMap", "").expect("it is there");
    let mut found = Vec::new();
    collect(rule, &mut found);
    for text in config["data"].as_object().expect("it is there").values() {
        let dashboard: Value =
            serde_json::from_str(text.as_str().expect("it is there")).expect("it is JSON");
        collect(&dashboard, &mut found);
    }
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(
                object
                    .get("expr")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            object.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// The metrics that dashboards and alerts ask for and that `page`, a page of metrics, does not have.
pub(super) fn missing(page: &str) -> Vec<String> {
    let queries = queries();
    let asked = queries.iter().flat_map(|query| names(query));
    asked
        .filter(|name| !page.lines().any(|line| line.starts_with(name)))
        .map(str::to_owned)
        .collect()
}

fn names(query: &str) -> impl Iterator<Item = &str> {
    query
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("sealed_secrets_") || word.starts_with("process_"))
}
