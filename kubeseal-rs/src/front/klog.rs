//! Flags of the original's log library. They are accepted so that command lines carry over; there is no log to configure.

use clap::Args;

/// Flags without effect.
#[derive(Args)]
#[command(next_help_heading = "Accepted without effect")]
pub(super) struct KlogFlags {
    #[arg(long = "add_dir_header")]
    _add_dir_header: bool,
    #[arg(long = "alsologtostderr")]
    _alsologtostderr: bool,
    #[arg(long = "alsologtostderrthreshold", value_name = "SEVERITY")]
    _alsologtostderrthreshold: Option<String>,
    /// There is no response worth compressing
    #[arg(long = "disable-compression")]
    _disable_compression: bool,
    // A switch that is on unless said otherwise: the text keeps the default in the help.
    #[arg(long = "legacy_stderr_threshold_behavior", default_value = "true", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL", value_parser = super::values::boolean, action = clap::ArgAction::Set)]
    _legacy_stderr_threshold_behavior: bool,
    #[arg(
        long = "log_backtrace_at",
        value_name = "FILE:LINE",
        default_value = ":0"
    )]
    _log_backtrace_at: String,
    #[arg(long = "log_dir", value_name = "FOLDER")]
    _log_dir: Option<String>,
    #[arg(long = "log_file", value_name = "FILE")]
    _log_file: Option<String>,
    #[arg(
        long = "log_file_max_size",
        value_name = "MEGABYTES",
        default_value = "1800"
    )]
    _log_file_max_size: u64,
    #[arg(long = "logtostderr", default_value = "true", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL", value_parser = super::values::boolean, action = clap::ArgAction::Set)]
    _logtostderr: bool,
    #[arg(long = "one_output")]
    _one_output: bool,
    #[arg(long = "skip_headers")]
    _skip_headers: bool,
    #[arg(long = "skip_log_headers")]
    _skip_log_headers: bool,
    #[arg(long = "stderrthreshold", value_name = "SEVERITY", default_value = "2")]
    _stderrthreshold: String,
    #[arg(short = 'v', long = "v", value_name = "LEVEL")]
    _v: Option<i32>,
    #[arg(long = "vmodule", value_name = "MODULES")]
    _vmodule: Option<String>,
}
