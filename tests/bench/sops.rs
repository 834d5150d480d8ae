//! SOPS documents beside sops 3.13.3: one small file, one large file in each format, and growth.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{ours, peer};

use crate::Size;
use crate::client::median;
use crate::report::{Report, Wanted};

/// Keys under one parent.
const PER_SECTION: usize = 10;

/// A folder with one age key, and what runs in it.
struct Place {
    folder: PathBuf,
    recipient: String,
}

/// What a program does with a file.
#[derive(Clone, Copy)]
enum Job {
    Encrypt,
    Decrypt,
}

impl Job {
    fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }
}

/// How a document is written.
#[derive(Clone, Copy)]
enum Kind {
    Yaml,
    Json,
    Dotenv,
    Ini,
}

/// Measures both programs in turns, so that whatever slows the machine slows both.
pub(crate) fn run(size: &Size, report: &mut Report) {
    let place = Place::new();
    let small = place.document(Kind::Yaml, PER_SECTION);
    beside(&place, report, Job::Decrypt, &small, size.runs, Some(6.0));
    // Of lines, sops makes little more than its cipher takes: there, the figures stand without a target.
    for (kind, target) in [
        (Kind::Json, Some(20.0)),
        (Kind::Dotenv, None),
        (Kind::Ini, None),
    ] {
        let large = place.document(kind, size.leaves);
        for job in [Job::Decrypt, Job::Encrypt] {
            beside(&place, report, job, &large, size.runs.min(3), target);
        }
    }
    let large = place.document(Kind::Yaml, size.leaves);
    for job in [Job::Decrypt, Job::Encrypt] {
        beside(&place, report, job, &large, size.runs.min(5), Some(20.0));
        let memory = place.peak(&ours::kubeseal(), job, &large);
        report.target(
            format!(
                "sops, {job_name} {}: MB of ours",
                large.name,
                job_name = job.name()
            ),
            memory,
            Wanted::AtMost(40.0),
        );
    }
    grow(&place, report, size.growth);
}

/// One job by both programs.
fn beside(
    place: &Place,
    report: &mut Report,
    job: Job,
    file: &Document,
    runs: usize,
    target: Option<f64>,
) {
    let programs = [peer::SOPS.path(), ours::kubeseal()];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (program, times) in programs.iter().zip(&mut times) {
            times.push(place.time(program, job, file));
        }
    }
    let [theirs, ours] = times.map(median);
    let what = format!("sops, {} {}", job.name(), file.name);
    for (who, time) in [("theirs", theirs), ("ours", ours)] {
        report.figure(format!("{what}: {who}"), format!("{:.1} ms", time * 1e3));
    }
    let what = format!("{what}: theirs / ours");
    match target {
        Some(target) => report.target(what, theirs / ours, Wanted::AtLeast(target)),
        None => report.figure(what, format!("{:.2}", theirs / ours)),
    }
}

/// The time that a value takes must not grow with their number.
fn grow(place: &Place, report: &mut Report, sizes: &[usize]) {
    let program = ours::kubeseal();
    for job in [Job::Decrypt, Job::Encrypt] {
        let mut shares = Vec::new();
        for leaves in sizes {
            let file = place.document(Kind::Yaml, *leaves);
            let times = (0..3).map(|_| place.time(&program, job, &file)).collect();
            let time = median(times);
            report.figure(
                format!("sops, {} {}: ours", job.name(), file.name),
                format!(
                    "{:.1} ms, {:.0} MB",
                    time * 1e3,
                    place.peak(&program, job, &file)
                ),
            );
            shares.push(time / *leaves as f64);
        }
        // The first size is small: starting is most of it.
        report.target(
            format!("sops, {}: time a value, largest / second size", job.name()),
            shares[shares.len() - 1] / shares[1],
            Wanted::AtMost(1.5),
        );
    }
}

/// A file in clear, and its encrypted form.
struct Document {
    name: String,
    plain: PathBuf,
    encrypted: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = testkit::run_folder().join("sops");
        fs::create_dir_all(&folder).expect("the folder can be made");
        let key = folder.join("key.txt");
        let status = Command::new(peer::AGE_KEYGEN.path())
            .arg("-o")
            .arg(&key)
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("age-keygen can be run").success());
        let text = fs::read_to_string(&key).expect("a key was made");
        let recipient = text
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        let recipient = recipient.expect("age-keygen names it").to_owned();
        Self { folder, recipient }
    }

    /// A file with so many values of all kinds.
    fn document(&self, kind: Kind, leaves: usize) -> Document {
        let (ending, of_kind) = match kind {
            Kind::Yaml => ("yaml", ""),
            Kind::Json => ("json", " of JSON"),
            Kind::Dotenv => ("env", " of dotenv"),
            Kind::Ini => ("ini", " of INI"),
        };
        let plain = self.folder.join(format!("plain-{leaves}.{ending}"));
        let encrypted = self.folder.join(format!("encrypted-{leaves}.{ending}"));
        fs::write(&plain, text(kind, leaves)).expect("the folder can be written");
        let document = Document {
            name: format!("{leaves} values{of_kind}"),
            plain,
            encrypted,
        };
        let out = File::create(&document.encrypted).expect("the folder can be written");
        let status = self
            .command(&ours::kubeseal(), Job::Encrypt, &document)
            .stdout(out)
            .status();
        assert!(status.expect("our client can be run").success());
        document
    }

    /// Both take the grammar of sops; ours by the name that it is called by.
    fn command(&self, program: &Path, job: Job, file: &Document) -> Command {
        let link = self
            .folder
            .join("bin")
            .join(folder_name(program))
            .join("sops");
        if !link.exists() {
            fs::create_dir_all(link.parent().expect("it has one")).expect("a folder");
            std::os::unix::fs::symlink(program, &link).expect("a link can be made");
        }
        let mut command = Command::new(link);
        command
            .env("SOPS_AGE_KEY_FILE", self.folder.join("key.txt"))
            .env("SOPS_AGE_RECIPIENTS", &self.recipient)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .arg(job.name())
            .arg(match job {
                Job::Encrypt => &file.plain,
                Job::Decrypt => &file.encrypted,
            });
        command
    }

    fn time(&self, program: &Path, job: Job, file: &Document) -> Duration {
        let mut command = self.command(program, job, file);
        let begun = Instant::now();
        let status = command.status().expect("the program can be run");
        assert!(status.success(), "{}: {status}", program.display());
        begun.elapsed()
    }

    /// The largest resident set in MB: read while the program waits for somebody to take what it writes at its end.
    fn peak(&self, program: &Path, job: Job, file: &Document) -> f64 {
        let mut command = self.command(program, job, file);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut out = child.stdout.take().expect("it is a pipe");
        let mut first = [0];
        out.read_exact(&mut first).expect("it writes something");
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.expect("the process waits");
        std::io::copy(&mut out, &mut std::io::sink()).expect("the rest can be read");
        assert!(child.wait().expect("it ends").success());
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        peak.unwrap_or_default() / 1024.0
    }
}

fn folder_name(program: &Path) -> &str {
    let name = program.file_name().and_then(|name| name.to_str());
    name.expect("programs have names")
}

/// Sections of ten keys: texts, whole numbers, numbers, truth values.
fn text(kind: Kind, leaves: usize) -> String {
    let sections = (0..leaves).step_by(PER_SECTION).map(|first| {
        let keys = first..leaves.min(first + PER_SECTION);
        let (name, keys) = (first / PER_SECTION, keys.map(|at| (at % PER_SECTION, at)));
        match kind {
            Kind::Yaml => {
                let lines = keys.map(|(key, at)| format!("    key_{key}: {}\n", value(at)));
                format!("section_{name}:\n{}", lines.collect::<String>())
            }
            Kind::Json => {
                let pairs = keys.map(|(key, at)| format!("\t\t\"key_{key}\": {}", json(at)));
                let pairs = pairs.collect::<Vec<_>>().join(",\n");
                format!("\t\"section_{name}\": {{\n{pairs}\n\t}}")
            }
            Kind::Dotenv => keys
                .map(|(_, at)| format!("KEY_{at}={}\n", value(at)))
                .collect(),
            Kind::Ini => {
                let lines = keys.map(|(key, at)| format!("key_{key} = {}\n", value(at)));
                format!("[section_{name}]\n{}", lines.collect::<String>())
            }
        }
    });
    match kind {
        Kind::Json => format!("{{\n{}\n}}\n", sections.collect::<Vec<_>>().join(",\n")),
        _ => sections.collect(),
    }
}

fn value(at: usize) -> String {
    let seed = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    match at % 5 {
        0 => format!("value {seed:016x}"),
        1 => (seed >> 34).to_string(),
        2 => format!("{}.{:06}", seed % 1000, ((seed >> 20) % 1_000_000) | 1),
        3 => seed.is_multiple_of(2).to_string(),
        _ => format!("secret-{seed:016x}{at:08x}"),
    }
}

fn json(at: usize) -> String {
    match at % 5 {
        0 | 4 => format!("\"{}\"", value(at)),
        _ => value(at),
    }
}
