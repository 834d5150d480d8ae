//! Runs the container of a Deployment as a kubelet would: its arguments, variables and account, ready when its probe says so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use serde_json::Value;
use testkit::{Cluster, ours, ports, process::Process};

const ACCOUNT: &str = "var/run/secrets/kubernetes.io/serviceaccount";

/// Where the program runs.
pub(crate) enum Place {
    /// On the machine as it is, with the account where pods find it.
    Machine,
    /// In a root of its own, read-only, as the image's user.
    Image { root: PathBuf, user: String },
}

/// A running container. It ends when dropped.
pub(crate) struct Pod {
    pub(crate) process: Process,
    pub(crate) port: u16,
    pub(crate) metrics_port: u16,
}

/// Starts the container of `deployment` and waits for its readiness probe.
pub(crate) fn start(cluster: &Arc<Cluster>, deployment: &Value, place: &Place) -> Pod {
    let (port, metrics_port) = (ports::free(), ports::free());
    let spec = &deployment["spec"]["template"]["spec"];
    let container = &spec["containers"][0];
    let namespace = text(&deployment["metadata"]["namespace"]);
    let account = cluster.new_file("serviceaccount");
    write_account(
        cluster,
        namespace,
        text(&spec["serviceAccountName"]),
        &account,
    );
    let mut command = match place {
        Place::Machine => on_machine(&account),
        Place::Image { root, user } => in_image(root, user, &account),
    };
    command
        .args(arguments(container, port, metrics_port))
        .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .env("KUBERNETES_SERVICE_PORT", cluster.port().to_string());
    for variable in container["env"].as_array().into_iter().flatten() {
        let value = match text(&variable["valueFrom"]["fieldRef"]["fieldPath"]) {
            "metadata.namespace" => namespace,
            "metadata.name" => "pod",
            _ => text(&variable["value"]),
        };
        command.env(text(&variable["name"]), value);
    }
    let log = cluster.new_file("pod.log");
    cluster.watch_log("the pod", &log);
    let pod = Pod {
        process: Process::start("the pod", command, &log),
        port,
        metrics_port,
    };
    let ready = text(&container["readinessProbe"]["httpGet"]["path"]);
    cluster.wait_until("the pod is ready", testkit::PATIENCE, || {
        if let Some(status) = pod.process.exited() {
            panic!("the pod ended: {status}\n{}", pod.process.tail());
        }
        pod.get(ready)
    });
    pod
}

impl Pod {
    /// What its endpoint answers with 200.
    pub(crate) fn get(&self, path: &str) -> Result<String, String> {
        get(self.port, path)
    }

    /// Its page of metrics.
    pub(crate) fn metrics(&self) -> String {
        get(self.metrics_port, "/metrics")
            .unwrap_or_else(|e| panic!("{e}\n{}", self.process.tail()))
    }
}

fn get(port: u16, path: &str) -> Result<String, String> {
    let config = ureq::Agent::config_builder().proxy(None).build();
    let agent: ureq::Agent = config.into();
    let answer = agent.get(format!("http://127.0.0.1:{port}{path}")).call();
    let mut answer = answer.map_err(|e| e.to_string())?;
    answer
        .body_mut()
        .read_to_string()
        .map_err(|e| e.to_string())
}

/// The container's arguments; pods here have no addresses of their own, so the ports are ours.
fn arguments(container: &Value, port: u16, metrics_port: u16) -> Vec<String> {
    let args = container["args"].as_array().into_iter().flatten().map(text);
    let map = |arg: &str| match arg.split_once('=') {
        Some(("--listen-addr", _)) => format!("--listen-addr=127.0.0.1:{port}"),
        Some(("--listen-metrics-addr", _)) => {
            format!("--listen-metrics-addr=127.0.0.1:{metrics_port}")
        }
        _ => arg.to_owned(),
    };
    args.map(map).collect()
}

fn write_account(cluster: &Cluster, namespace: &str, name: &str, folder: &Path) {
    let token = cluster.service_account_token(namespace, name);
    let written = fs::create_dir(folder)
        .and_then(|()| fs::write(folder.join("token"), token))
        .and_then(|()| fs::write(folder.join("ca.crt"), cluster.ca_certificate()))
        .and_then(|()| fs::write(folder.join("namespace"), namespace));
    written.expect("the cluster's folder can be written");
}

const ON_MACHINE: &str = r#"mount -t tmpfs none /var/run
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
mount --bind "$0" /var/run/secrets/kubernetes.io/serviceaccount
exec "$@""#;

fn on_machine(account: &Path) -> Command {
    let mut command = isolated();
    command
        .args(["sh", "-ec", ON_MACHINE])
        .arg(account)
        .arg(ours::controller());
    command
}

/// The root and the account are read-only; there is no /proc, no /dev, no /tmp; no privilege can be had back.
const IN_IMAGE: &str = r#"root=$0 account=$1
shift
mount --bind "$root" "$root"
mount --bind "$account" "$root/var/run/secrets/kubernetes.io/serviceaccount"
mount -o remount,bind,ro "$root/var/run/secrets/kubernetes.io/serviceaccount"
mount -o remount,bind,ro "$root"
setpriv=$(command -v setpriv) unshare=$(command -v unshare)
PATH=/usr/local/bin
exec "$setpriv" --no-new-privs "$unshare" --root="$root" --wd=/ ENTER "$@""#;

fn in_image(root: &Path, user: &str, account: &Path) -> Command {
    let (user, group) = user.split_once(':').expect("the image says user and group");
    // Only root can become another user for good; others can see themselves as that user.
    let enter = if rustix::process::geteuid().is_root() {
        format!("--setuid={user} --setgid={group}")
    } else {
        format!("--user --map-user={user} --map-group={group}")
    };
    let mut command = isolated();
    command
        .args(["sh", "-ec", &IN_IMAGE.replace("ENTER", &enter)])
        .args([root, account])
        .arg("controller");
    command
}

fn isolated() -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.arg("--mount").env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Where the account is mounted in an image's root.
pub(crate) fn account_in(root: &Path) -> PathBuf {
    root.join(ACCOUNT)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
