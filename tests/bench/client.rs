//! The clients: one Secret, and a stream of many.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keys::sealing::{KeySize, NewKey};
use testkit::{ours, peer};

use crate::Size;
use crate::report::{Report, Wanted};

/// Measures both clients in turns, so that whatever slows the machine slows both.
pub(crate) fn run(size: &Size, report: &mut Report) {
    let folder = testkit::run_folder();
    let (cert, one, many) = (
        folder.join("cert.pem"),
        folder.join("one.yaml"),
        folder.join("many.yaml"),
    );
    let key = NewKey::generate(
        KeySize::Rsa4096,
        "",
        jiff::Timestamp::now(),
        jiff::SignedDuration::from_hours(9000),
    )
    .expect("a key can be made");
    let stream: String = (0..size.documents).map(document).collect();
    for (path, text) in [
        (&cert, &key.cert_pem),
        (&one, &document(0)),
        (&many, &stream),
    ] {
        std::fs::write(path, text).expect("the folder can be written");
    }
    let programs = [peer::KUBESEAL.path(), ours::kubeseal()];
    for (what, input, target) in [("one Secret", &one, 4.0), ("a stream", &many, 6.0)] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..size.runs {
            for (program, times) in programs.iter().zip(&mut times) {
                times.push(seal(program, &cert, input));
            }
        }
        let [theirs, ours] = times.map(median);
        report.figure(
            format!("client, {what}: theirs"),
            format!("{:.1} ms", theirs * 1e3),
        );
        report.figure(
            format!("client, {what}: ours"),
            format!("{:.1} ms", ours * 1e3),
        );
        report.target(
            format!("client, {what}: theirs / ours"),
            theirs / ours,
            Wanted::AtLeast(target),
        );
    }
}

fn document(at: usize) -> String {
    format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: object-{at}\n  namespace: load\nstringData:\n  \
         user: user-{at}\n  password: \"a password that is {at} times better than others\"\n"
    )
}

fn seal(program: &Path, cert: &Path, input: &Path) -> Duration {
    let begun = Instant::now();
    let status = Command::new(program)
        .args(["--format=yaml", "--cert"])
        .arg(cert)
        .arg("--secret-file")
        .arg(input)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("the client can be run");
    assert!(status.success(), "{}: {status}", program.display());
    begun.elapsed()
}

/// The middle one, in seconds.
pub(crate) fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}
