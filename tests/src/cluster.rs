//! A real API server with its store and its controllers, on loopback, for one or many tests.

mod access;
mod expose;
mod servers;

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

pub use self::access::User;
use self::{expose::Pods, servers::Servers};
use crate::{
    api::{Api, Credential},
    connect::{self, Routes},
    ours, path, peer,
    pki::Authority,
    ports,
    progress::say,
    reaper,
    wait::{PATIENCE, poll},
};

/// etcd, kube-apiserver and kube-controller-manager. They end when the last handle is dropped.
pub struct Cluster {
    /// The API server, as a cluster administrator.
    pub api: Api,
    folder: PathBuf,
    port: u16,
    authority: Authority,
    servers: Servers,
    routes: Routes,
    pods: Pods,
    logs: Mutex<Vec<(String, PathBuf)>>,
    files: AtomicU32,
    _permit: Option<Permit>,
}

/// What may differ between clusters.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which definition of SealedSecret the cluster begins with.
    pub crd: Crd,
    /// More flags for the API server.
    pub apiserver: Vec<String>,
}

/// A definition of the SealedSecret resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crd {
    /// That of our chart.
    #[default]
    Ours,
    /// That of the original's chart.
    Theirs,
    /// None at all: the API server does not know SealedSecrets.
    Absent,
}

/// The cluster that tests of this process share: for tests that keep to namespaces of their own.
pub fn shared() -> Arc<Cluster> {
    static SHARED: OnceLock<Arc<Cluster>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| Arc::new(Cluster::start_any(&Options::default(), None))))
}

impl Cluster {
    /// A cluster of the test's own. At most two live at once in a process; a third waits.
    pub fn start() -> Arc<Self> {
        Self::start_with(&Options::default())
    }

    /// A cluster of the test's own, with `options`.
    pub fn start_with(options: &Options) -> Arc<Self> {
        Arc::new(Self::start_any(options, Some(Permit::acquire())))
    }

    fn start_any(options: &Options, permit: Option<Permit>) -> Self {
        for program in [
            &peer::ETCD,
            &peer::KUBE_APISERVER,
            &peer::KUBE_CONTROLLER_MANAGER,
        ] {
            program.path();
        }
        let mut cluster = Self::serving(options);
        cluster._permit = permit;
        cluster.define_sealed_secrets(options.crd);
        // The garbage collector reads the resource types when it starts, and then only twice a minute.
        let manager = cluster
            .authority
            .client("system:kube-controller-manager", &[]);
        let kubeconfig = cluster.write_kubeconfig(&Credential::Identity(manager));
        cluster.servers.start_manager(&cluster.folder, &kubeconfig);
        cluster.wait_for(
            &path::core("default", "serviceaccounts/default"),
            "the controllers run",
            |_| true,
        );
        cluster
    }

    /// A cluster whose API server is ready; tried again if a stranger took one of its ports.
    fn serving(options: &Options) -> Self {
        for _ in 0..3 {
            let cluster =
                Self::lay_out(options).unwrap_or_else(|e| panic!("cannot prepare a cluster: {e}"));
            let answer = poll(PATIENCE, || match cluster.ready() {
                Err(seen) if cluster.servers.alive() => Err(seen),
                final_answer => Ok(final_answer),
            });
            match answer.and_then(|answer| answer) {
                Ok(()) => return cluster,
                Err(seen) if cluster.tails().contains("address already in use") => {
                    say(&format!("once more: {seen}"))
                }
                Err(seen) => panic!("the API server does not start: {seen}\n{}", cluster.tails()),
            }
        }
        panic!("no cluster after three attempts: others take the ports");
    }

    /// Makes the files of a cluster and starts its store and API server.
    fn lay_out(options: &Options) -> std::io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder =
            reaper::run_folder().join(format!("cluster{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&folder)?;
        let (authority, port, routes) =
            (Authority::new("testkit"), ports::free(), Routes::default());
        connect::serve(&folder.join("pods.sock"), routes.clone())?;
        let admin = Credential::Identity(authority.client("admin", &["system:masters"]));
        Ok(Self {
            api: Api::new(
                &format!("https://127.0.0.1:{port}"),
                &authority.certificate(),
                &admin,
            ),
            servers: Servers::start(&folder, &authority, port, &options.apiserver)?,
            folder,
            port,
            authority,
            routes,
            pods: Pods::default(),
            logs: Mutex::default(),
            files: AtomicU32::new(0),
            _permit: None,
        })
    }

    fn define_sealed_secrets(&self, crd: Crd) {
        let Some(file) = crd.file() else { return };
        let yaml = fs::read_to_string(&file)
            .unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()));
        let path =
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sealedsecrets.bitnami.com";
        self.api.apply_yaml(path, &yaml);
        self.wait_for(
            path,
            "the definition of SealedSecret is established",
            |definition| {
                let conditions = definition["status"]["conditions"].as_array();
                conditions
                    .into_iter()
                    .flatten()
                    .any(|c| c["type"] == "Established" && c["status"] == "True")
            },
        );
        self.wait_for(
            "/apis/bitnami.com/v1alpha1/sealedsecrets",
            "SealedSecrets are served",
            |_| true,
        );
    }

    /// Makes a namespace that no other test uses, and returns its name. Nobody needs to delete it.
    pub fn namespace(&self) -> String {
        let namespace = self.api.create(
            "/api/v1/namespaces",
            &json!({"metadata": {"generateName": "test-"}}),
        );
        namespace["metadata"]["name"]
            .as_str()
            .expect("the API server names what it creates")
            .to_owned()
    }

    /// The Secret, if there is one.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<Value> {
        self.api.get(&path::secret(namespace, name))
    }

    /// The SealedSecret, if there is one.
    pub fn sealed_secret(&self, namespace: &str, name: &str) -> Option<Value> {
        self.api.get(&path::sealed_secret(namespace, name))
    }

    /// The events about objects called `name`, oldest first.
    pub fn events(&self, namespace: &str, name: &str) -> Vec<Value> {
        let mut events = self.api.list(&format!(
            "{}?fieldSelector=involvedObject.name={name}",
            path::core(namespace, "events")
        ));
        events.sort_by_key(|event| event["metadata"]["creationTimestamp"].to_string());
        events
    }

    /// Waits until the object at `path` is there and as `wanted` has it; returns it.
    pub fn wait_for(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_until(what, PATIENCE, || match self.api.get(path) {
            Some(object) if wanted(&object) => Ok(object),
            Some(object) => Err(format!("{path} is {object:#}")),
            None => Err(format!("{path} is not there")),
        })
    }

    /// Waits until there is nothing at `path`.
    pub fn wait_gone(&self, path: &str) {
        self.wait_until(&format!("{path} is gone"), PATIENCE, || {
            match self.api.get(path) {
                Some(object) => Err(format!("{object:#}")),
                None => Ok(()),
            }
        });
    }

    /// Like [`crate::wait_until`]; the message also shows the last lines of every log of this cluster.
    pub fn wait_until<T, E: Display>(
        &self,
        what: &str,
        deadline: Duration,
        probe: impl FnMut() -> Result<T, E>,
    ) -> T {
        poll(deadline, probe).unwrap_or_else(|seen| {
            panic!(
                "waited {deadline:?} in vain: {what}\nlast seen: {seen}\n{}",
                self.tails()
            )
        })
    }

    /// Kills the API server and starts it again, on the same port and data; returns when it serves.
    pub fn restart_apiserver(&self) {
        self.servers.apiserver.restart();
        self.wait_ready();
    }

    /// Kills the store and starts it again, on the same port and data; returns when the API server is ready.
    pub fn restart_etcd(&self) {
        self.servers.etcd.restart();
        self.wait_ready();
    }

    /// Stops the API server until [`Cluster::restart_apiserver`].
    pub fn kill_apiserver(&self) {
        self.servers.apiserver.kill();
    }

    /// Where the files of this cluster are: in memory if possible, gone at the end.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the cluster's folder that no one else gets.
    pub fn new_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!(
            "{}-{name}",
            self.files.fetch_add(1, Ordering::Relaxed)
        ))
    }

    /// From now on messages about this cluster show the end of `log` too.
    pub fn watch_log(&self, name: &str, log: &Path) {
        self.logs
            .lock()
            .expect("no holder panics")
            .push((name.to_owned(), log.to_owned()));
    }

    fn wait_ready(&self) {
        self.wait_until("the API server is ready", PATIENCE, || self.ready());
    }

    fn ready(&self) -> Result<(), String> {
        let reply = self.api.send("GET", "/readyz", "application/json", b"")?;
        if reply.status == 200 && self.servers.alive() {
            Ok(())
        } else {
            Err(reply.body.to_string())
        }
    }

    fn tails(&self) -> String {
        let logs = self.logs.lock().expect("no holder panics");
        let controllers = logs.iter().map(|(name, log)| {
            let text = fs::read(log).unwrap_or_default();
            format!(
                "--- {name}, {}\n{}",
                log.display(),
                crate::process::last_lines(&String::from_utf8_lossy(&text), 15)
            )
        });
        controllers
            .chain([self.servers.tails()])
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.servers.kill();
        // Its data may be in memory, and a process may have many clusters, one after another.
        if !reaper::keeps() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Crd {
    fn file(self) -> Option<PathBuf> {
        match self {
            Self::Absent => None,
            Self::Ours => Some(ours::workspace().join("charts/kubeseal-rs/crds/sealedsecret.yaml")),
            Self::Theirs => Some(
                peer::sealed_secrets_source()
                    .join("helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml"),
            ),
        }
    }
}

/// The right to have one more cluster in this process.
struct Permit;

static CLUSTERS: (Mutex<u8>, Condvar) = (Mutex::new(0), Condvar::new());
const CLUSTERS_AT_ONCE: u8 = 2;

impl Permit {
    fn acquire() -> Self {
        let count = CLUSTERS.0.lock().expect("no holder panics");
        if *count == CLUSTERS_AT_ONCE {
            say("waiting for another test to end its cluster");
        }
        *CLUSTERS
            .1
            .wait_while(count, |count| *count == CLUSTERS_AT_ONCE)
            .expect("no holder panics") += 1;
        Self
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *CLUSTERS.0.lock().expect("no holder panics") -= 1;
        CLUSTERS.1.notify_one();
    }
}
