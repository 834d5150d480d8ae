//! What Linux says about this process, under the names that Prometheus's clients use.

use std::fs;

use super::text::{Kind, Text};

/// The families that can be read; off Linux there are none.
pub(super) fn families() -> Vec<Text> {
    let stat = fs::read_to_string("/proc/self/stat").ok();
    let stat = stat.as_deref().and_then(Stat::parse);
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let cpu = stat.as_ref().map(|stat| stat.cpu_ticks as f64 / ticks);
    let start = stat
        .as_ref()
        .zip(boot_time())
        .map(|(stat, boot)| boot + stat.start_ticks as f64 / ticks);
    let page = rustix::param::page_size() as u64;
    let resident = stat
        .as_ref()
        .map(|stat| (stat.resident_pages * page) as f64);
    let virtual_size = stat.as_ref().map(|stat| stat.virtual_bytes as f64);
    let (received, sent) = network().unzip();
    let families = [
        ("process_cpu_seconds_total", Kind::Counter, CPU, cpu),
        (
            "process_max_fds",
            Kind::Gauge,
            MAX_FDS,
            limit("Max open files"),
        ),
        (
            "process_network_receive_bytes_total",
            Kind::Counter,
            RECEIVED,
            received,
        ),
        (
            "process_network_transmit_bytes_total",
            Kind::Counter,
            SENT,
            sent,
        ),
        ("process_open_fds", Kind::Gauge, OPEN_FDS, open_fds()),
        (
            "process_resident_memory_bytes",
            Kind::Gauge,
            RESIDENT,
            resident,
        ),
        ("process_start_time_seconds", Kind::Gauge, START, start),
        (
            "process_virtual_memory_bytes",
            Kind::Gauge,
            VIRTUAL,
            virtual_size,
        ),
        (
            "process_virtual_memory_max_bytes",
            Kind::Gauge,
            MAX_VIRTUAL,
            limit("Max address space"),
        ),
    ];
    let known = families
        .into_iter()
        .filter_map(|(name, kind, help, value)| Some((name, kind, help, value?)));
    known
        .map(|(name, kind, help, value)| {
            let mut text = Text::new(name, kind, help);
            text.sample(&[], value);
            text
        })
        .collect()
}

const CPU: &str = "Total user and system CPU time spent in seconds.";
const MAX_FDS: &str = "Maximum number of open file descriptors.";
const RECEIVED: &str = "Number of bytes received by the process over the network.";
const SENT: &str = "Number of bytes sent by the process over the network.";
const OPEN_FDS: &str = "Number of open file descriptors.";
const RESIDENT: &str = "Resident memory size in bytes.";
const START: &str = "Start time of the process since unix epoch in seconds.";
const VIRTUAL: &str = "Virtual memory size in bytes.";
const MAX_VIRTUAL: &str = "Maximum amount of virtual memory available in bytes.";

/// The fields of proc_pid_stat(5) that are used here.
struct Stat {
    cpu_ticks: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses and may hold anything; the third follows the last one.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

fn boot_time() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

fn open_fds() -> Option<f64> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64)
}

/// A soft limit of this process, as the kernel names it. No limit is the largest number, as Go's client shows it.
fn limit(name: &str) -> Option<f64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX as f64),
        number => number.parse().ok(),
    }
}

/// Bytes received and sent by this process's network namespace.
fn network() -> Option<(f64, f64)> {
    let text = fs::read_to_string("/proc/self/net/netstat").ok()?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("IpExt: "));
    let (names, values) = (lines.next()?.split(' '), lines.next()?.split(' '));
    let value = |wanted: &str| {
        let mut pairs = names.clone().zip(values.clone());
        pairs.find(|(name, _)| *name == wanted)?.1.parse().ok()
    };
    Some((value("InOctets")?, value("OutOctets")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_fields() {
        let rest = "S 1 1 1 0 -1 0 0 0 0 0 7 5 0 0 20 0 3 0 900 4096 12 18446744073709551615";
        for name in ["x", "a) (b", "a b"] {
            let stat = Stat::parse(&format!("1 ({name}) {rest}")).expect("parses");
            assert_eq!((stat.cpu_ticks, stat.start_ticks), (12, 900));
            assert_eq!((stat.virtual_bytes, stat.resident_pages), (4096, 12));
        }
        assert!(Stat::parse("1 (x) S 1").is_none());
    }
}
