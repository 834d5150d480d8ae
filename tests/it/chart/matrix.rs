//! What the chart renders, over a matrix of values, as the API server sees it: strictly, with the operator's own schemas.

use std::{fs, sync::Arc};

use serde_json::{Value, json};
use testkit::{Cluster, path, peer};

use super::{deployment, find, path_of, rendered};

#[test]
fn the_api_server_takes_all_that_the_chart_renders() {
    let cluster = Cluster::start();
    define_monitoring(&cluster);
    let namespaces = [(); 3].map(|()| cluster.namespace());
    for values in matrix(&namespaces) {
        for object in rendered(&namespaces[0], &values) {
            dry_run(&cluster, &object, &values);
        }
    }
    pods_pass_the_restricted_standard(&cluster);
}

/// Values, each set of which turns on what the others leave off.
fn matrix([_, second, third]: &[String; 3]) -> Vec<Value> {
    let monitor = json!({
        "enabled": true, "namespace": second, "labels": {"release": "p"}, "annotations": {"a": "b"}, "interval": "10s",
        "scrapeTimeout": "5s", "relabelings": [{"action": "labeldrop", "regex": "x"}],
        "metricRelabelings": [{"action": "labeldrop", "regex": "y"}],
    });
    let service = json!({"type": "NodePort", "nodePort": 30080, "annotations": {"a": "b"}, "labels": {"c": "d"}});
    let group =
        "- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: '{{ .Release.Name }}-users'}";
    let probe = json!({"httpGet": {"path": "/healthz", "port": "http"}});
    vec![
        json!({}),
        json!({"createController": false, "serviceAccount": {"create": false, "name": "own"}}),
        json!({
            "commonLabels": {"team": "{{ .Release.Name }}"}, "commonAnnotations": {"note": "n"}, "nameOverride": "seals",
            "fullnameOverride": "", "namespace": second, "revisionHistoryLimit": 3, "replicas": 3,
            "image": {"registry": "registry.example", "digest": format!("sha256:{}", "0".repeat(64)), "pullSecrets": ["pull"]},
            "extraDeploy": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}}, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-more'}"],
            "pdb": {"create": true, "minAvailable": "50%"}, "updateStrategy": {"type": "Recreate"},
        }),
        json!({
            "podLabels": {"a": "b"}, "podAnnotations": {"c": "d"}, "priorityClassName": "high", "runtimeClassName": "sandbox",
            "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
            "nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": [{"operator": "Exists"}],
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}],
            "hostUsers": false, "dnsPolicy": "Default", "extraEnv": [{"name": "SEALED_SECRETS_LOG_LEVEL", "value": "ERROR"}],
            "additionalVolumes": [{"name": "tmp", "emptyDir": {}}], "additionalVolumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
            "resources": {"limits": {"cpu": 1, "memory": "64Mi"}}, "hostPorts": {"http": 18080, "metrics": 18081},
            "startupProbe": {"enabled": true}, "customLivenessProbe": probe, "readinessProbe": {"enabled": false},
        }),
        json!({"hostNetwork": true, "containerPorts": {"http": 9080, "metrics": 9081}, "leaderElection": {"enabled": false}}),
        json!({"service": service, "metrics": {"service": {"type": "LoadBalancer", "loadBalancerClass": "a/b", "port": 80}}}),
        json!({"metrics": {
            "serviceMonitor": monitor, "podMonitor": monitor,
            "dashboards": {"create": true, "namespace": second, "labels": {"grafana_dashboard": "1"}, "annotations": {"folder": "x"}},
            "prometheusRule": {"enabled": true, "namespace": second, "labels": {"role": "alerts"}},
        }}),
        json!({"ingress": {
            "enabled": true, "ingressClassName": "nginx", "tls": true, "selfSigned": true, "annotations": {"a": "b"},
            "extraHosts": [{"name": "other.example", "path": "/", "pathType": "Prefix"}],
            "extraPaths": [{"path": "/x", "pathType": "Exact", "backend": {"service": {"name": "y", "port": {"number": 80}}}}],
            "extraTls": [{"hosts": ["other.example"], "secretName": "other"}],
        }}),
        json!({"networkPolicy": {"enabled": true, "egress": {"enabled": true, "kubeapiCidr": "10.0.0.1/32", "kubeapiPort": 6443}}}),
        json!({"networkPolicy": {"enabled": true}, "pdb": {"create": true}, "openshift": {"enabled": true}}),
        json!({"rbac": {"create": false}}),
        json!({"rbac": {"clusterRole": false, "clusterRoleName": "mine", "labels": {"a": "b"}, "serviceProxier": {"subjects": group}}}),
        json!({"rbac": {"namespacedRoles": true}, "additionalNamespaces": [second, third]}),
        json!({"allNamespaces": false, "skipRecreate": true, "updateStatus": false}),
        json!({"namespaceSelector": "team=a", "oldGCBehavior": true}),
    ]
}

/// Asks the API server what it would say to `object`; unknown fields are errors.
fn dry_run(cluster: &Cluster, object: &Value, values: &Value) {
    let path = format!(
        "{}?dryRun=All&fieldValidation=Strict&fieldManager=test&force=true",
        path_of(object)
    );
    let reply = cluster.api.send(
        "PATCH",
        &path,
        "application/apply-patch+yaml",
        object.to_string().as_bytes(),
    );
    let reply = reply.unwrap_or_else(|e| panic!("{e}"));
    assert!(
        (200..300).contains(&reply.status),
        "{values}\n{object:#}\n{}",
        reply.body
    );
}

/// Defines the Prometheus Operator's resources as it does.
fn define_monitoring(cluster: &Cluster) {
    let module = peer::module_folder(
        "prometheus-operator",
        "github.com/prometheus-operator/prometheus-operator",
    );
    for plural in ["servicemonitors", "podmonitors", "prometheusrules"] {
        let file = module.join(format!(
            "example/prometheus-operator-crd/monitoring.coreos.com_{plural}.yaml"
        ));
        let yaml = fs::read_to_string(&file)
            .unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()));
        let name = format!("{plural}.monitoring.coreos.com");
        cluster.api.apply_yaml(
            &format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"),
            &yaml,
        );
        cluster.wait_for(
            &format!("/apis/monitoring.coreos.com/v1/{plural}"),
            "the operator's resources are served",
            |_| true,
        );
    }
}

fn pods_pass_the_restricted_standard(cluster: &Arc<Cluster>) {
    let namespace = cluster.namespace();
    let enforce = json!({"metadata": {"labels": {
        "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest",
    }}});
    cluster.api.patch(&path::namespace(&namespace), &enforce);
    cluster.service_account(&namespace, "sealed-secrets-controller");
    let try_pod = |spec: &Value| {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "controller"}, "spec": spec});
        let path = format!(
            "{}?dryRun=All&fieldValidation=Strict",
            path::core(&namespace, "pods")
        );
        let reply = cluster.api.send(
            "POST",
            &path,
            "application/json",
            pod.to_string().as_bytes(),
        );
        reply.unwrap_or_else(|e| panic!("{e}"))
    };
    for values in [
        json!({}),
        json!({"openshift": {"enabled": true}}),
        json!({"podSecurityContext": {"fsGroup": null}, "containerSecurityContext": {"runAsUser": null, "runAsGroup": null}}),
    ] {
        let objects = rendered(&namespace, &values);
        let spec = &deployment(&objects)["spec"]["template"]["spec"];
        let reply = try_pod(spec);
        assert_eq!(reply.status, 201, "{values}: {}", reply.body);
        let ids = spec.to_string().contains("runAsUser") || spec.to_string().contains("fsGroup");
        assert_eq!(ids, values == json!({}), "{values}: {spec}");
    }
    // That the standard is in force at all.
    let values = json!({"containerSecurityContext": {"enabled": false}});
    let refused = try_pod(&deployment(&rendered(&namespace, &values))["spec"]["template"]["spec"]);
    assert_eq!(refused.status, 403, "{}", refused.body);
}

#[test]
fn the_network_policy_opens_the_ports_of_the_pod() {
    let values = json!({
        "networkPolicy": {"enabled": true}, "service": {"port": 80}, "containerPorts": {"http": 9080, "metrics": 9081},
    });
    let objects = rendered("default", &values);
    let policy = find(&objects, "NetworkPolicy", "").expect("it was asked for");
    let ports: Vec<_> = policy["spec"]["ingress"][0]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| port["port"].clone())
        .collect();
    assert_eq!(ports, [9080, 9081]);
}

#[test]
fn monitors_scrape_the_port_that_serves_metrics() {
    let values =
        json!({"metrics": {"serviceMonitor": {"enabled": true}, "podMonitor": {"enabled": true}}});
    let objects = rendered("default", &values);
    let (service, pod) = (
        find(&objects, "ServiceMonitor", "").expect("it was asked for"),
        find(&objects, "PodMonitor", "").expect("it was asked for"),
    );
    assert_eq!(service["spec"]["endpoints"][0]["port"], "metrics");
    assert_eq!(pod["spec"]["podMetricsEndpoints"][0]["port"], "metrics");
    let selects = |monitor: &Value, object: &Value| {
        let wanted = monitor["spec"]["selector"]["matchLabels"].as_object();
        wanted
            .into_iter()
            .flatten()
            .all(|(name, value)| object["metadata"]["labels"][name] == *value)
    };
    let of = |name: &str| find(&objects, "Service", name).expect("the chart has it");
    assert!(selects(service, of("sealed-secrets-controller-metrics")));
    assert!(!selects(service, of("sealed-secrets-controller")));
    assert!(selects(pod, &deployment(&objects)["spec"]["template"]));
}
