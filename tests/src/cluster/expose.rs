//! A local server as a Service of the cluster, reachable through the API server's service proxy.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::Cluster;
use crate::path;

impl Cluster {
    /// Puts the server on 127.0.0.1:`local` behind `port` of the Service; again, for another server or port.
    ///
    /// The Service is made if it is not there; its other ports stay as they are. There are no kubelets: a Pod object
    /// lends it an address, and what the API server sends to that address comes to `local`.
    pub fn expose(&self, namespace: &str, service: &str, port_name: &str, port: u16, local: u16) {
        let address = self.pod_address(namespace, service);
        self.routes.set(format!("{address}:{port}"), local);
        self.add_port(namespace, service, port_name, port);
        let endpoints = path::core(namespace, &format!("endpoints/{service}"));
        let known = self.api.get(&endpoints).unwrap_or(Value::Null);
        let mut ports = known["subsets"][0]["ports"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        ports.retain(|known| known["name"] != port_name);
        ports.push(json!({"name": port_name, "port": port, "protocol": "TCP"}));
        let target = json!({"kind": "Pod", "namespace": namespace, "name": service});
        self.api.apply(
            &endpoints,
            &json!({
                "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": service},
                "subsets": [{"addresses": [{"ip": address, "targetRef": target}], "ports": ports}],
            }),
        );
    }

    fn add_port(&self, namespace: &str, service: &str, name: &str, port: u16) {
        let path = path::core(namespace, &format!("services/{service}"));
        let known = self.api.get(&path).unwrap_or(Value::Null);
        let mut ports = known["spec"]["ports"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if ports
            .iter()
            .any(|known| known["port"] == port && (known["name"] == name || ports.len() == 1))
        {
            return;
        }
        ports.push(json!({"name": name, "port": port, "protocol": "TCP"}));
        let spec = json!({"ports": ports});
        self.api.apply(
            &path,
            &json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": service}, "spec": spec}),
        );
    }

    /// The address of the Pod that stands behind the Service; the Pod is made the first time.
    fn pod_address(&self, namespace: &str, service: &str) -> String {
        let (address, is_new) = self.pods.address(&format!("{namespace}/{service}"));
        if is_new {
            let pod = json!({
                "metadata": {"name": service},
                "spec": {
                    "nodeName": "none", "automountServiceAccountToken": false,
                    "containers": [{"name": "server", "image": "none"}],
                },
            });
            self.api.create(&path::core(namespace, "pods"), &pod);
            let status = json!({"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}});
            self.api.patch(
                &path::core(namespace, &format!("pods/{service}/status")),
                &status,
            );
        }
        address
    }
}

/// The Services whose Pods have addresses, in the order of these.
#[derive(Default)]
pub(super) struct Pods(Mutex<Vec<String>>);

impl Pods {
    /// The address for `service`, and whether it is new.
    fn address(&self, service: &str) -> (String, bool) {
        let mut known = self.0.lock().expect("no holder panics");
        let place = known.iter().position(|known| known == service);
        let number = place.unwrap_or(known.len());
        if place.is_none() {
            known.push(service.to_owned());
        }
        (
            format!("10.244.{}.{}", number / 250, number % 250 + 1),
            place.is_none(),
        )
    }
}
