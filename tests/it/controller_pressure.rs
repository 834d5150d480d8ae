//! An API server that has no time, and people who write to the same objects: every Secret arrives all the same.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::{Cluster, cluster::Options};

use crate::stand::{Stand, condition};

/// How many requests the API server has turned away so far.
fn turned_away(cluster: &Cluster) -> f64 {
    let reply = cluster.api.send("GET", "/metrics", "text/plain", b"");
    let Value::String(text) = reply.expect("the API server answers").body else {
        panic!("metrics are text");
    };
    let lines = text.lines().filter(|line| {
        line.starts_with("apiserver_request_total{") && line.contains("code=\"429\"")
    });
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[test]
fn an_api_server_that_turns_requests_away_gets_them_again() {
    let options = Options {
        // Administrators pass; the controller is none.
        apiserver: vec![
            "--max-mutating-requests-inflight=1".into(),
            "--max-requests-inflight=2".into(),
        ],
        ..Options::default()
    };
    // Pods, which a Service needs here, take more than one request at a time to make.
    let stand = Stand::start_on(Cluster::start_with(&options), |launch| launch.service(None));
    let names: Vec<String> = (0..40).map(|number| format!("db{number}")).collect();
    for name in &names {
        stand.apply(&stand.sealed(name, &[("of", name)]));
    }
    for name in &names {
        stand.wait_data(name, &[("of", name)]);
        let synced = stand.wait_synced(name, "True");
        assert_eq!(condition(&synced)["message"], Value::Null);
    }
    // Many at once again, after a start.
    let stand = stand.restart(|stand| {
        for name in &names {
            stand.cluster.api.delete(&stand.secret_path(name));
        }
    });
    for name in &names {
        stand.wait_data(name, &[("of", name)]);
        stand.wait_synced(name, "True");
    }
    let turned_away = turned_away(&stand.cluster);
    assert!(turned_away > 0.0, "the API server was never too busy");
    assert!(stand.controller.process.exited().is_none());
}

#[test]
fn a_limit_of_requests_is_kept_to() {
    let stand = Stand::start_with(&[], |launch| {
        launch.args(["--kubeclient-qps=10", "--kubeclient-burst=1"])
    });
    let begin = Instant::now();
    let names: Vec<String> = (0..8).map(|number| format!("db{number}")).collect();
    for name in &names {
        stand.apply(&stand.sealed(name, &[("of", name)]));
    }
    for name in &names {
        stand.wait_data(name, &[("of", name)]);
        stand.wait_synced(name, "True");
    }
    // Each takes two requests at least: the Secret and the status.
    assert!(begin.elapsed() > Duration::from_millis(1400));
}

#[test]
fn a_secret_that_somebody_edits_all_the_time_follows_its_sealed_secret() {
    let stand = Stand::start();
    stand.apply(&stand.sealed("db", &[("foo", "0")]));
    stand.wait_synced("db", "True");
    let (stop, edits) = (AtomicBool::new(false), AtomicU32::new(0));
    let (secret, sealed) = (stand.secret_path("db"), stand.sealed_path("db"));
    thread::scope(|scope| {
        for path in [&secret, &sealed] {
            let (api, stop, edits) = (stand.cluster.api.clone(), &stop, &edits);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let count = edits.fetch_add(1, Ordering::Relaxed).to_string();
                    let patch = json!({"metadata": {"annotations": {"example.com/edit": count}}});
                    api.patch(path, &patch);
                }
            });
        }
        // What panics below must not leave the others at work.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 1..=8 {
                let value = round.to_string();
                stand.apply(&stand.sealed("db", &[("foo", &value)]));
                stand.wait_data("db", &[("foo", &value)]);
                stand.wait_synced("db", "True");
            }
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    assert!(edits.load(Ordering::Relaxed) > 20);
    stand.wait_data("db", &[("foo", "8")]);
    let written = stand.wait_event("db", "Unsealed", "")["count"].clone();
    let written = written.as_u64().unwrap_or_default();
    assert!(
        (9..=40).contains(&written),
        "{written} writes for nine specs"
    );
}
