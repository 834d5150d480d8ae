//! The floor: the writes and the private-key operations that no controller can do without, and nothing else.

use std::thread;
use std::time::{Duration, Instant};

use keys::{KeyRing, SealingKey};
use serde_json::json;
use testkit::{Cluster, path};

use crate::load::{Load, VALUES, each};

/// How long the writes of a cold start take when the values are known and the opening goes on beside them.
pub(crate) fn measure(cluster: &Cluster, load: &Load) -> Duration {
    let key = SealingKey::from_pem(load.key.key_pem.as_bytes()).expect("our own key");
    let ring = KeyRing::new([(key, None)]);
    let label = keys::Scope::ClusterWide.label("", "");
    let sealed = load.cert.seal(b"value", &label);
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let begun = Instant::now();
    thread::scope(|scope| {
        for core in 0..cores {
            let (ring, sealed, label) = (&ring, &sealed, &label);
            let share = load.objects * VALUES;
            scope.spawn(move || {
                for _ in (core..share).step_by(cores) {
                    ring.open(sealed, label, None).expect("opens");
                }
            });
        }
        each(0..load.objects, |at| write(cluster, at));
    });
    begun.elapsed()
}

/// A Secret, a status, an event.
fn write(cluster: &Cluster, at: usize) {
    let namespace = Load::namespace(at);
    let name = format!("object-{at}");
    let data: serde_json::Value = (0..VALUES)
        .map(|key| (format!("key{key}"), json!("dmFsdWU=")))
        .collect();
    let secret = json!({"metadata": {"name": name, "labels": {"app": "load"}}, "data": data});
    cluster.api.create(&path::secrets(&namespace), &secret);
    let status = json!({"status": {"observedGeneration": 1, "conditions": [{"type": "Synced", "status": "True"}]}});
    cluster.api.patch(
        &format!("{}/status", path::sealed_secret(&namespace, &name)),
        &status,
    );
    let event = json!({
        "metadata": {"generateName": "floor-"}, "reason": "Unsealed", "type": "Normal", "message": "floor",
        "involvedObject": {"kind": "SealedSecret", "apiVersion": "bitnami.com/v1alpha1", "name": name, "namespace": namespace},
        "source": {"component": "floor"},
    });
    cluster
        .api
        .create(&path::core(&namespace, "events"), &event);
}
