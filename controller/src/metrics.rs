//! Counters and gauges under the original's names, and a few more, as Prometheus text.

mod of_keys;
mod process;
mod text;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use keys::KeyRing;

use self::of_keys::of_keys;
use self::text::{Kind, Text};

/// The bounds of the histogram's buckets, in seconds: the defaults of Prometheus's Go client.
const BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Why an unsealing failed, as the label says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The SealedSecret could not be read.
    Fetch,
    /// The status could not be written.
    Status,
    /// The values do not open, or the template does not render.
    Unseal,
    /// A Secret of that name is there and is not ours to change.
    Unmanaged,
    /// The Secret could not be written.
    Update,
}

impl Reason {
    /// The label's value.
    pub fn label(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Status => "status",
            Self::Unseal => "unseal",
            Self::Unmanaged => "unmanaged",
            Self::Update => "update",
        }
    }
}

/// All that the controller counts.
#[derive(Default)]
pub struct Metrics {
    revision: String,
    omit_secret_labels: bool,
    unseal_requests: AtomicU64,
    unseal_errors: Mutex<BTreeMap<(Reason, String), u64>>,
    conditions: Mutex<BTreeMap<(String, String), Vec<Condition>>>,
    requests: Mutex<BTreeMap<(&'static str, u16, &'static str), u64>>,
    durations: Mutex<BTreeMap<(&'static str, &'static str), Histogram>>,
    queue_depth: AtomicUsize,
    leader: AtomicBool,
}

struct Condition {
    kind: String,
    value: i8,
    instance: String,
}

#[derive(Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    /// Counters at zero. With `omit_secret_labels` nothing names a SealedSecret.
    pub fn new(revision: &str, omit_secret_labels: bool) -> Self {
        Self {
            revision: revision.to_owned(),
            omit_secret_labels,
            ..Self::default()
        }
    }

    /// Counts one pass over a SealedSecret, deletions included.
    pub fn unseal_request(&self) {
        self.unseal_requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a pass that failed.
    pub fn unseal_error(&self, reason: Reason, namespace: &str) {
        let mut errors = lock(&self.unseal_errors);
        *errors.entry((reason, namespace.to_owned())).or_default() += 1;
    }

    /// Sets a condition of a SealedSecret: -1 for False, 0 for Unknown, 1 for True.
    ///
    /// `instance` is the SealedSecret's label `app.kubernetes.io/instance`, or empty.
    pub fn condition(&self, namespace: &str, name: &str, kind: &str, value: i8, instance: &str) {
        if self.omit_secret_labels {
            return;
        }
        let mut conditions = lock(&self.conditions);
        let of_object = conditions
            .entry((namespace.to_owned(), name.to_owned()))
            .or_default();
        of_object.retain(|condition| condition.kind != kind);
        of_object.push(Condition {
            kind: kind.to_owned(),
            value,
            instance: instance.to_owned(),
        });
    }

    /// Forgets a SealedSecret that is gone.
    pub fn forget_condition(&self, namespace: &str, name: &str) {
        lock(&self.conditions).remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Forgets all SealedSecrets: whoever leads knows about them.
    pub fn forget_work(&self) {
        lock(&self.conditions).clear();
        self.queue_depth(0);
    }

    /// Counts an answered HTTP request.
    pub fn http_request(&self, path: &'static str, code: u16, method: &str, took: Duration) {
        let method = method_label(method);
        *lock(&self.requests)
            .entry((path, code, method))
            .or_default() += 1;
        let mut durations = lock(&self.durations);
        durations
            .entry((path, method))
            .or_default()
            .observe(took.as_secs_f64());
    }

    /// Sets how many SealedSecrets wait for their turn.
    pub fn queue_depth(&self, depth: usize) {
        self.queue_depth.store(depth, Ordering::Relaxed);
    }

    /// Sets whether this process is the one that writes.
    pub fn leader(&self, leads: bool) {
        self.leader.store(leads, Ordering::Relaxed);
    }

    /// Everything as Prometheus text, families by name.
    pub fn render(&self, ring: &KeyRing, now: Timestamp) -> String {
        let mut families = vec![
            self.build_info(),
            self.unseal_requests_total(),
            self.queue(),
            self.leads(),
        ];
        families.extend(self.unseal_errors_total());
        families.extend(self.condition_info());
        families.extend(self.http_requests_total());
        families.extend(self.http_request_duration_seconds());
        families.extend(of_keys(ring, now));
        families.extend(process::families());
        families.sort_by(|left, right| left.name().cmp(right.name()));
        families.iter().map(Text::as_str).collect()
    }

    fn build_info(&self) -> Text {
        let mut text = Text::new(&own("build_info"), Kind::Gauge, "Build information.");
        text.sample(&[("revision", &self.revision)], 1);
        text
    }

    fn unseal_requests_total(&self) -> Text {
        let help = "Total number of sealed secret unseal requests";
        let mut text = Text::new(&own("unseal_requests_total"), Kind::Counter, help);
        text.sample(&[], self.unseal_requests.load(Ordering::Relaxed));
        text
    }

    fn unseal_errors_total(&self) -> Option<Text> {
        let help = "Total number of sealed secret unseal errors by reason";
        let mut text = Text::new(&own("unseal_errors_total"), Kind::Counter, help);
        for ((reason, namespace), count) in lock(&self.unseal_errors).iter() {
            text.sample(
                &[("namespace", namespace), ("reason", reason.label())],
                count,
            );
        }
        text.if_any()
    }

    fn condition_info(&self) -> Option<Text> {
        let help = "Current SealedSecret condition status. Values are -1 (false), 0 (unknown or absent), 1 (true)";
        let mut text = Text::new(&own("condition_info"), Kind::Gauge, help);
        for ((namespace, name), conditions) in lock(&self.conditions).iter() {
            for condition in conditions {
                let labels = [
                    ("condition", condition.kind.as_str()),
                    ("name", name),
                    ("namespace", namespace),
                    ("ss_app_kubernetes_io_instance", &condition.instance),
                ];
                text.sample(&labels, condition.value);
            }
        }
        text.if_any()
    }

    fn http_requests_total(&self) -> Option<Text> {
        let help = "A counter for requests to the wrapped handler.";
        let mut text = Text::new(&own("http_requests_total"), Kind::Counter, help);
        for ((path, code, method), count) in lock(&self.requests).iter() {
            let labels = [
                ("code", &*code.to_string()),
                ("method", method),
                ("path", path),
            ];
            text.sample(&labels, count);
        }
        text.if_any()
    }

    fn http_request_duration_seconds(&self) -> Option<Text> {
        let help = "A histogram of latencies for requests.";
        let mut text = Text::new(&own("http_request_duration_seconds"), Kind::Histogram, help);
        for ((path, method), histogram) in lock(&self.durations).iter() {
            let labels = [("method", *method), ("path", *path)];
            for (bound, count) in BUCKETS.iter().zip(histogram.buckets) {
                let bound = bound.to_string();
                text.suffixed("_bucket", &[labels[0], labels[1], ("le", &bound)], count);
            }
            text.suffixed(
                "_bucket",
                &[labels[0], labels[1], ("le", "+Inf")],
                histogram.count,
            );
            text.suffixed("_sum", &labels, histogram.sum);
            text.suffixed("_count", &labels, histogram.count);
        }
        text.if_any()
    }

    fn queue(&self) -> Text {
        let help = "SealedSecrets that wait for their turn.";
        let mut text = Text::new(&own("queue_depth"), Kind::Gauge, help);
        text.sample(&[], self.queue_depth.load(Ordering::Relaxed));
        text
    }

    fn leads(&self) -> Text {
        let help = "Whether this process is the one that writes: 1, or 0.";
        let mut text = Text::new(&own("leader"), Kind::Gauge, help);
        text.sample(&[], u8::from(self.leader.load(Ordering::Relaxed)));
        text
    }
}

impl Histogram {
    fn observe(&mut self, seconds: f64) {
        self.count += 1;
        self.sum += seconds;
        for (bound, count) in BUCKETS.iter().zip(&mut self.buckets) {
            *count += u64::from(seconds <= *bound);
        }
    }
}

fn own(name: &str) -> String {
    format!("sealed_secrets_controller_{name}")
}

/// Methods in lower case; what is not a known method is one label, so that strangers cannot make series.
fn method_label(method: &str) -> &'static str {
    const METHODS: [&str; 10] = [
        "get", "put", "head", "post", "delete", "connect", "options", "notify", "trace", "patch",
    ];
    METHODS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(method))
        .unwrap_or("unknown")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics, of: &str) -> Vec<String> {
        let text = metrics.render(&KeyRing::default(), Timestamp::UNIX_EPOCH);
        text.lines()
            .filter(|line| line.contains(of))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn conditions_follow_their_object() {
        let metrics = Metrics::new("v1", false);
        metrics.condition("ns", "a\"b", "Synced", 1, "");
        metrics.condition("ns", "a\"b", "Synced", -1, "app");
        let name = "sealed_secrets_controller_condition_info";
        assert_eq!(
            lines(&metrics, name)[2..],
            [format!(
                "{name}{{condition=\"Synced\",name=\"a\\\"b\",namespace=\"ns\",ss_app_kubernetes_io_instance=\"app\"}} -1"
            )]
        );
        metrics.forget_condition("ns", "a\"b");
        assert!(lines(&metrics, name).is_empty());
        metrics.condition("ns", "other", "Synced", -1, "");
        metrics.forget_work();
        assert!(lines(&metrics, name).is_empty());
    }

    #[test]
    fn nothing_names_a_sealed_secret_if_it_must_not() {
        let metrics = Metrics::new("v1", true);
        metrics.condition("ns", "name", "Synced", 1, "");
        assert!(lines(&metrics, "condition_info").is_empty());
    }

    #[test]
    fn histograms_are_cumulative_and_methods_bounded() {
        let metrics = Metrics::new("v1", false);
        for (method, millis) in [("GET", 4), ("GET", 700), ("BREW", 1)] {
            let took = Duration::from_millis(millis);
            metrics.http_request("/v1/cert.pem", 200, method, took);
        }
        let buckets = lines(&metrics, "_bucket{method=\"get\"");
        let counts: Vec<_> = buckets
            .iter()
            .filter_map(|line| line.rsplit(' ').next())
            .collect();
        assert_eq!(
            counts,
            ["1", "1", "1", "1", "1", "1", "1", "2", "2", "2", "2", "2"]
        );
        assert_eq!(
            lines(&metrics, "_total{code=\"200\",method=\"unknown\"").len(),
            1
        );
    }

    #[test]
    fn every_family_is_described_once() {
        let metrics = Metrics::new("v1", false);
        metrics.unseal_error(Reason::Unmanaged, "ns");
        let text = metrics.render(&KeyRing::default(), Timestamp::UNIX_EPOCH);
        let described: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .collect();
        let mut sorted = described.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(described, sorted);
        assert!(text.contains("sealed_secrets_controller_build_info{revision=\"v1\"} 1\n"));
        assert!(text.contains("process_resident_memory_bytes "));
    }
}
