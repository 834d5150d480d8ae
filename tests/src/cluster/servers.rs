//! The three processes of a cluster and their flags.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use crate::{
    peer,
    pki::{self, Authority},
    ports,
    process::Process,
};

/// A process that can be ended and started again as it was.
pub(super) struct Server {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    process: Mutex<Process>,
}

pub(super) struct Servers {
    manager: Mutex<Option<Server>>,
    pub(super) apiserver: Server,
    pub(super) etcd: Server,
}

impl Server {
    fn start(name: &'static str, program: PathBuf, folder: &Path, args: Vec<String>) -> Self {
        let log = folder.join(format!("{name}.log"));
        let process = Mutex::new(spawn(name, &program, &args, &log));
        Self {
            name,
            program,
            args,
            log,
            process,
        }
    }

    pub(super) fn kill(&self) {
        self.process.lock().expect("no holder panics").kill();
    }

    pub(super) fn restart(&self) {
        let mut process = self.process.lock().expect("no holder panics");
        process.kill();
        *process = spawn(self.name, &self.program, &self.args, &self.log);
    }

    fn tail(&self) -> String {
        self.process.lock().expect("no holder panics").tail()
    }

    fn alive(&self) -> bool {
        self.process
            .lock()
            .expect("no holder panics")
            .exited()
            .is_none()
    }
}

fn spawn(name: &str, program: &Path, args: &[String], log: &Path) -> Process {
    let mut command = Command::new(program);
    command.args(args);
    Process::start(name, command, log)
}

impl Servers {
    /// Starts the store and the API server on `port`.
    pub(super) fn start(
        folder: &Path,
        authority: &Authority,
        port: u16,
        more: &[String],
    ) -> io::Result<Self> {
        write_keys(folder, authority)?;
        let store = format!("http://127.0.0.1:{}", ports::free());
        let etcd = Server::start("etcd", peer::ETCD.path(), folder, etcd_args(folder, &store));
        let args = apiserver_args(folder, &store, port)
            .into_iter()
            .chain(more.iter().cloned())
            .collect();
        let apiserver = Server::start("kube-apiserver", peer::KUBE_APISERVER.path(), folder, args);
        Ok(Self {
            etcd,
            apiserver,
            manager: Mutex::default(),
        })
    }

    /// Starts the controllers.
    pub(super) fn start_manager(&self, folder: &Path, kubeconfig: &Path) {
        let (name, program) = (
            "kube-controller-manager",
            peer::KUBE_CONTROLLER_MANAGER.path(),
        );
        let manager = Server::start(name, program, folder, manager_args(folder, kubeconfig));
        *self.manager.lock().expect("no holder panics") = Some(manager);
    }

    pub(super) fn kill(&self) {
        if let Some(manager) = self.manager.lock().expect("no holder panics").as_ref() {
            manager.kill();
        }
        self.apiserver.kill();
        self.etcd.kill();
    }

    /// Whether the store and the API server run: then what answers on their ports is theirs.
    pub(super) fn alive(&self) -> bool {
        [&self.etcd, &self.apiserver].into_iter().all(Server::alive)
    }

    pub(super) fn tails(&self) -> String {
        let manager = self
            .manager
            .lock()
            .expect("no holder panics")
            .as_ref()
            .map(Server::tail);
        [
            manager.unwrap_or_default(),
            self.apiserver.tail(),
            self.etcd.tail(),
        ]
        .join("\n")
    }
}

fn write_keys(folder: &Path, authority: &Authority) -> io::Result<()> {
    let names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let serving = authority.server(&names);
    let (token_private, token_public) = pki::token_keys();
    fs::write(folder.join("ca.crt"), authority.certificate())?;
    fs::write(folder.join("apiserver.crt"), serving.certificate)?;
    fs::write(folder.join("apiserver.key"), serving.key)?;
    fs::write(folder.join("sa.key"), token_private)?;
    fs::write(folder.join("sa.pub"), token_public)?;
    fs::write(
        folder.join("egress.yaml"),
        egress_selector(&folder.join("pods.sock")),
    )
}

/// Pods have no network here: what the API server wants from one goes through the harness.
fn egress_selector(socket: &Path) -> String {
    format!(
        "apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- {{name: cluster, connection: {{proxyProtocol: HTTPConnect, transport: {{uds: {{udsName: {}}}}}}}}}
- {{name: controlplane, connection: {{proxyProtocol: Direct}}}}
- {{name: etcd, connection: {{proxyProtocol: Direct}}}}
",
        socket.display()
    )
}

fn etcd_args(folder: &Path, store: &str) -> Vec<String> {
    let peers = format!("http://127.0.0.1:{}", ports::free());
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        "--unsafe-no-fsync".into(),
        "--log-level=error".into(),
        format!("--listen-client-urls={store}"),
        format!("--advertise-client-urls={store}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
    ]
}

fn apiserver_args(folder: &Path, store: &str, port: u16) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        format!("--etcd-servers={store}"),
        "--bind-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        // Without it the machine's own address would be told to others; a loopback address cannot be reconciled.
        "--advertise-address=127.0.0.1".into(),
        "--endpoint-reconciler-type=none".into(),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        format!("--tls-cert-file={}", file("apiserver.crt")),
        format!("--tls-private-key-file={}", file("apiserver.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={}", file("sa.pub")),
        format!("--service-account-signing-key-file={}", file("sa.key")),
        "--authorization-mode=RBAC".into(),
        "--allow-privileged=true".into(),
        "--enable-priority-and-fairness=false".into(),
        "--profiling=false".into(),
        format!("--cert-dir={}", folder.display()),
        format!("--egress-selector-config-file={}", file("egress.yaml")),
    ]
}

fn manager_args(folder: &Path, kubeconfig: &Path) -> Vec<String> {
    let controllers = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
         serviceaccount-token-controller,root-ca-certificate-publisher-controller,clusterrole-aggregation-controller";
    vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        "--bind-address=127.0.0.1".into(),
        format!("--secure-port={}", ports::free()),
        "--leader-elect=false".into(),
        "--profiling=false".into(),
        // Its own user may do next to nothing: each controller has an account of its own.
        "--use-service-account-credentials=true".into(),
        format!(
            "--service-account-private-key-file={}",
            folder.join("sa.key").display()
        ),
        format!("--root-ca-file={}", folder.join("ca.crt").display()),
        format!("--cert-dir={}", folder.display()),
        format!("--controllers={controllers}"),
    ]
}
