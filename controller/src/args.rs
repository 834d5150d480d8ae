//! What the controller is told on its command line and by `SEALED_SECRETS_…` variables.
//!
//! The flags are those of sealed-secrets 0.40.0, read as Go's pflag reads them: `--flag=value`, `--flag value`, switches
//! as `--flag` or `--flag=false`, the last one counts. A flag beats its variable.

mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, Parser};
use jiff::Timestamp;
use keys::sealing::KeySize;

use self::values::{
    cutoff_time, go_bool, go_float, go_int, key_prefix, pairs, positive_duration, unsigned_duration,
};

/// Which of two keys is the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyOrder {
    /// The one whose certificate becomes valid later.
    #[value(name = "CertNotBefore")]
    CertNotBefore,
    /// The one whose Secret was made later.
    #[value(name = "SecretCreationTimestamp")]
    SecretCreationTimestamp,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// `time=… level=… msg=…`
    Text,
    /// One JSON object a line.
    Json,
}

/// Labels or annotations, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

/// Turns SealedSecrets into Secrets.
#[derive(Clone, Debug, Parser)]
#[command(name = "controller", disable_version_flag = true)]
#[allow(missing_docs, reason = "each line is the flag's help")]
pub struct Args {
    /// Open the deprecated field spec.data too
    #[arg(long, default_value = "true", action = ArgAction::Set, value_parser = go_bool)]
    pub accept_deprecated_v1_data: bool,
    /// Namespaces to look for SealedSecrets in beside the controller's own, separated by commas; --all-namespaces is then ignored
    #[arg(long, default_value = "", hide_default_value = true)]
    pub additional_namespaces: String,
    /// Look for SealedSecrets in all namespaces, not only in the controller's own
    #[arg(long, default_value = "true", action = ArgAction::Set, value_parser = go_bool)]
    pub all_namespaces: bool,
    /// Make a new sealing key at start if the newest is older than this: a time like "Mon, 02 Jan 2006 15:04:05 -0700"
    #[arg(long, default_value = "", hide_default_value = true, value_parser = cutoff_time)]
    pub key_cutoff_time: CutoffTime,
    /// By what the newest sealing key is told
    #[arg(long, default_value = "CertNotBefore")]
    pub key_order_priority: KeyOrder,
    /// Beginning of the names of new sealing keys' Secrets
    #[arg(long, default_value = "sealed-secrets-key", value_parser = key_prefix)]
    pub key_prefix: String,
    /// How often a new sealing key is made; 0 for never
    #[arg(long, default_value = "720h", value_parser = unsigned_duration)]
    pub key_renew_period: Duration,
    /// Size of new sealing keys in bits: 2048, 3072, 4096 or 8192
    #[arg(long, default_value = "4096", value_parser = |text: &str| text.parse::<KeySize>())]
    pub key_size: KeySize,
    /// How long the certificates of new sealing keys are valid
    #[arg(long, default_value = "87600h", value_parser = positive_duration)]
    pub key_ttl: Duration,
    /// Requests to the API server that may exceed --kubeclient-qps at once
    #[arg(long, default_value = "10", value_parser = go_int)]
    pub kubeclient_burst: i64,
    /// Requests to the API server per second; negative for as many as it takes
    #[arg(long, default_value = "-1", value_parser = go_float)]
    pub kubeclient_qps: f32,
    /// Only handle SealedSecrets and watch Secrets with these labels
    #[arg(long, default_value = "", hide_default_value = true)]
    pub label_selector: String,
    /// Where the certificate, verification and rotation are served
    #[arg(long, default_value = ":8080")]
    pub listen_addr: String,
    /// Where the metrics are served
    #[arg(long, default_value = ":8081")]
    pub listen_metrics_addr: String,
    /// How log lines are written
    #[arg(long, default_value = "text")]
    pub log_format: LogFormat,
    /// Log to stdout up to INFO, and only above that to stderr
    #[arg(long, default_value = "true", action = ArgAction::Set, value_parser = go_bool)]
    pub log_info_stdout: bool,
    /// Log from this level on: DEBUG, INFO, WARN or ERROR
    #[arg(long, default_value = "INFO", value_parser = values::log_level)]
    pub log_level: tracing::Level,
    /// Quick retries after a SealedSecret failed, before the long pauses begin
    #[arg(long, default_value = "5", value_parser = go_int)]
    pub max_unseal_retries: i64,
    /// Leave out the metric condition_info, which names every SealedSecret
    #[arg(long, default_value = "false", action = ArgAction::Set, value_parser = go_bool)]
    pub metrics_omit_secret_labels: bool,
    /// Common name in the certificates of new sealing keys
    #[arg(long, default_value = "", hide_default_value = true)]
    pub my_cn: String,
    /// Delete a Secret here when its SealedSecret is gone, instead of leaving that to garbage collection
    #[arg(long, default_value = "false", action = ArgAction::Set, value_parser = go_bool)]
    pub old_gc_behavior: bool,
    /// Annotations for new sealing keys: key=value, separated by commas
    #[arg(long, default_value = "", hide_default_value = true, value_parser = pairs)]
    pub privatekey_annotations: Pairs,
    /// Labels for new sealing keys: key=value, separated by commas
    #[arg(long, default_value = "", hide_default_value = true, value_parser = pairs)]
    pub privatekey_labels: Pairs,
    /// Requests per second that a client may make to verify, and to rotate
    #[arg(long, default_value = "2", value_parser = values::rate)]
    pub rate_limit: u32,
    /// Requests by which a client may exceed --rate-limit at once
    #[arg(long, default_value = "2", value_parser = values::burst)]
    pub rate_limit_burst: u32,
    /// How long a client may take to send a request
    #[arg(long, default_value = "2m", value_parser = positive_duration)]
    pub read_timeout: Duration,
    /// Deprecated name of --key-renew-period
    #[arg(long, hide = true, value_parser = unsigned_duration)]
    pub rotate_period: Option<Duration>,
    /// Do not watch Secrets: deleted and changed ones stay so
    #[arg(long, default_value = "false", action = ArgAction::Set, value_parser = go_bool)]
    pub skip_recreate: bool,
    /// Write the status of SealedSecrets
    #[arg(long, default_value = "true", action = ArgAction::Set, value_parser = go_bool)]
    pub update_status: bool,
    /// Print the version and exit
    #[arg(long, default_value = "false", action = ArgAction::Set, value_parser = go_bool)]
    pub version: bool,
    /// Accepted and ignored: sealing keys are always watched
    #[arg(long, default_value = "false", action = ArgAction::Set, value_parser = go_bool)]
    pub watch_for_secrets: bool,
    /// How long a client may take to receive a response
    #[arg(long, default_value = "2m", value_parser = positive_duration)]
    pub write_timeout: Duration,

    /// Connect as this kubeconfig file says: for running outside a cluster
    #[arg(long, help_heading = MORE)]
    pub kubeconfig: Option<PathBuf>,
    /// Use this context of the kubeconfig
    #[arg(long, help_heading = MORE)]
    pub kubeconfig_context: Option<String>,
    /// Look for SealedSecrets in the namespaces with these labels, as they come and go
    #[arg(long, help_heading = MORE)]
    pub namespace_selector: Option<String>,
    /// Let one of several replicas write, and another take over when it is gone
    #[arg(long, default_value = "true", action = ArgAction::Set, value_parser = go_bool, help_heading = MORE)]
    pub leader_elect: bool,
    /// How long the others wait for a leader that is silent
    #[arg(long, default_value = "6s", value_parser = positive_duration, help_heading = MORE)]
    pub leader_elect_lease_duration: Duration,
    /// How long a leader goes on writing when it cannot renew its lease
    #[arg(long, default_value = "4s", value_parser = positive_duration, help_heading = MORE)]
    pub leader_elect_renew_deadline: Duration,
    /// How often the lease is renewed or asked for
    #[arg(long, default_value = "1s", value_parser = positive_duration, help_heading = MORE)]
    pub leader_elect_retry_period: Duration,
    /// Refuse templates that name a key which nothing gives
    #[arg(long, default_value = "false", action = ArgAction::Set, value_parser = go_bool, help_heading = MORE)]
    pub strict_templates: bool,
    /// How often every SealedSecret is looked at again; 0 for never
    #[arg(long, default_value = "6h", value_parser = unsigned_duration, help_heading = MORE)]
    pub resync_period: Duration,
    /// The longest request body that is read, in bytes
    #[arg(long, default_value = "4194304", value_parser = values::size, help_heading = MORE)]
    pub max_body_size: usize,
    /// The most sealed values that are verified or rotated in one request
    #[arg(long, default_value = "2048", value_parser = values::size, help_heading = MORE)]
    pub max_items: usize,
}

const MORE: &str = "Beyond sealed-secrets";

/// The time that `--key-cutoff-time` names, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CutoffTime(pub Option<Timestamp>);

impl Args {
    /// Reads a command line, program name first, and the process's variables.
    pub fn read(
        line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(line)?;
        let mut args = Self::from_arg_matches(&matches)?;
        if let Some(period) = args.rotate_period
            && !is_on_line(&matches, "key_renew_period")
        {
            args.key_renew_period = period;
        }
        Ok(args)
    }
}

/// The command line's grammar: derived, with what pflag does everywhere.
pub fn command() -> Command {
    Args::command().args_override_self(true).mut_args(|arg| {
        let Some(long) = arg.get_long().map(str::to_owned) else {
            return arg;
        };
        let variable = format!("SEALED_SECRETS_{}", long.to_uppercase().replace('-', "_"));
        let is_switch = matches!(
            arg.get_default_values(),
            [value] if value == "true" || value == "false"
        );
        let arg = arg.hide_env(true).env(variable).allow_hyphen_values(true);
        if is_switch {
            arg.num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
        } else {
            arg
        }
    })
}

fn is_on_line(matches: &ArgMatches, flag: &str) -> bool {
    matches.value_source(flag) == Some(ValueSource::CommandLine)
}
