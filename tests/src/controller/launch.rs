//! How a controller is started: its account, its rights, its flags, its place in the cluster.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use serde_json::{Value, json};

use super::Controller;
use crate::{
    cluster::{Cluster, User},
    ports,
    process::Process,
};

/// Gives the process a pod's view: its service account where pods find it, and nobody else sees that.
const POD: &str = r#"mount -t tmpfs none /var/run
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
mount --bind "$0" /var/run/secrets/kubernetes.io/serviceaccount
exec "$@""#;

/// A controller about to be started. The account `sealed-secrets-controller` and its rights are made on the way.
#[derive(Clone)]
pub struct Launch {
    cluster: Arc<Cluster>,
    name: &'static str,
    program: PathBuf,
    namespace: String,
    service: Option<String>,
    account: String,
    rules: Option<Value>,
    args: Vec<String>,
    env: Vec<(String, String)>,
    in_cluster: bool,
}

impl Launch {
    pub(super) fn new(
        cluster: &Arc<Cluster>,
        name: &'static str,
        program: PathBuf,
        rules: Value,
    ) -> Self {
        Self {
            cluster: Arc::clone(cluster),
            name,
            program,
            namespace: "kube-system".into(),
            service: Some("sealed-secrets-controller".into()),
            account: "sealed-secrets-controller".into(),
            rules: Some(rules),
            args: Vec::new(),
            env: Vec::new(),
            in_cluster: true,
        }
    }

    /// Sets the namespace of the controller, its keys and its Service; `kube-system` if not said.
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// Watches its own namespace and `others` only: for clusters that tests share.
    pub fn only_namespaces(self, others: &[&str]) -> Self {
        let others = format!("--additional-namespaces={}", others.join(","));
        self.args(["--all-namespaces=false", &others])
    }

    /// Adds flags.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the name of its Service; `None` leaves it without one (a second replica, say).
    pub fn service(mut self, service: Option<&str>) -> Self {
        self.service = service.map(str::to_owned);
        self
    }

    /// Sets its service account.
    pub fn account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.account);
        self
    }

    /// Sets the RBAC rules of its account in the whole cluster; `None` leaves the account and its rights to the test.
    pub fn rules(mut self, rules: Option<Value>) -> Self {
        self.rules = rules;
        self
    }

    /// Runs it outside of the cluster with `--kubeconfig` (ours only).
    pub fn outside(mut self) -> Self {
        self.in_cluster = false;
        self
    }

    /// Runs another build of the program.
    pub fn program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// Starts it and waits until it is ready.
    pub fn start(self) -> Controller {
        for _ in 0..2 {
            let controller = self.clone().start_unready();
            if controller.is_ready() {
                return controller;
            }
        }
        panic!("no controller after two attempts: others take the ports");
    }

    /// Starts it and returns at once.
    pub fn start_unready(self) -> Controller {
        let user = User::ServiceAccount {
            namespace: self.namespace.clone(),
            name: self.account.clone(),
        };
        if let Some(rules) = &self.rules {
            self.cluster.service_account(&self.namespace, &self.account);
            self.cluster.grant(
                &user,
                None,
                &format!("{}-{}", self.account, self.namespace),
                rules,
            );
        }
        let (port, metrics_port) = (ports::free(), ports::free());
        if let Some(service) = &self.service {
            self.cluster
                .expose(&self.namespace, service, "http", 8080, port);
            self.cluster.expose(
                &self.namespace,
                &format!("{service}-metrics"),
                "metrics",
                8081,
                metrics_port,
            );
        }
        let mut command = if self.in_cluster {
            self.pod()
        } else {
            self.plain(&user)
        };
        command
            .arg(format!("--listen-addr=127.0.0.1:{port}"))
            .arg(format!("--listen-metrics-addr=127.0.0.1:{metrics_port}"))
            .args(&self.args)
            .envs(self.env.iter().cloned());
        let log = self.cluster.new_file("controller.log");
        self.cluster.watch_log(self.name, &log);
        let process = Process::start(self.name, command, &log);
        Controller {
            process,
            launch: self,
            port,
            metrics_port,
        }
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn pod(&self) -> Command {
        let folder = self.cluster.new_file("serviceaccount");
        self.write_account(&folder)
            .expect("the folder of the cluster can be written");
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command
            .args(["--mount", "sh", "-ec", POD])
            .arg(folder)
            .arg(&self.program);
        clear(&mut command)
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", self.cluster.port().to_string());
        command
    }

    fn plain(&self, user: &User) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--kubeconfig")
            .arg(self.cluster.kubeconfig(user));
        clear(&mut command).env("POD_NAMESPACE", &self.namespace);
        command
    }

    fn write_account(&self, folder: &Path) -> std::io::Result<()> {
        fs::create_dir(folder)?;
        fs::write(
            folder.join("token"),
            self.cluster
                .service_account_token(&self.namespace, &self.account),
        )?;
        fs::write(folder.join("ca.crt"), self.cluster.ca_certificate())?;
        fs::write(folder.join("namespace"), &self.namespace)
    }
}

fn clear(command: &mut Command) -> &mut Command {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
}

/// What the original's chart grants to its controller.
pub(super) fn rules_of_theirs() -> Value {
    json!([
        {"apiGroups": ["bitnami.com"], "resources": ["sealedsecrets"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["bitnami.com"], "resources": ["sealedsecrets/status"], "verbs": ["update"]},
        {
            "apiGroups": [""], "resources": ["secrets"],
            "verbs": ["get", "list", "create", "update", "delete", "watch"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
    ])
}

/// What our chart grants: more than the original's only where a feature of ours needs it.
pub(super) fn rules_of_ours() -> Value {
    let mut rules = rules_of_theirs();
    let more = json!([
        {"apiGroups": ["bitnami.com"], "resources": ["sealedsecrets/status"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update", "patch"]},
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    ]);
    if let (Value::Array(rules), Value::Array(more)) = (&mut rules, more) {
        rules.extend(more);
    }
    rules
}
