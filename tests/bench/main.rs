//! Side by side with sealed-secrets 0.40.0 and sops 3.13.3, in one run: `cargo run --release -p kubeseal-rs-tests --bin bench`.
//!
//! `--check` compares the ratios with the targets and fails if one is missed: run it on a quiet machine.
//! `--small` does everything once with few objects: for correctness, not for figures. `--large` adds 20 000 objects.
//! `--client`, `--controller`, `--sops` and `--hooks` choose parts; without them, all are measured.

mod client;
mod controller;
mod floor;
mod hooks;
mod load;
mod report;
mod sops;
mod sops_tree;

use std::process::ExitCode;

use self::report::Report;

/// How much is done.
struct Size {
    objects: usize,
    documents: usize,
    runs: usize,
    large: Option<usize>,
    /// Values in the large SOPS document.
    leaves: usize,
    /// Small SOPS documents in the tree.
    files: usize,
    /// Values in the documents that show growth.
    growth: &'static [usize],
}

/// Measures a part.
type Run = fn(&Size, &mut Report);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let known = [
        "--small",
        "--check",
        "--large",
        "--client",
        "--controller",
        "--sops",
        "--hooks",
    ];
    if let Some(unknown) = args.iter().find(|arg| !known.contains(&arg.as_str())) {
        testkit::say(&format!(
            "unknown argument {unknown:?}; known are {}",
            known.join(", ")
        ));
        return ExitCode::from(2);
    }
    let mut size = Size {
        objects: 2000,
        documents: 1000,
        runs: 15,
        large: has("--large").then_some(20_000),
        leaves: 40_000,
        files: 1000,
        growth: &[1000, 10_000, 100_000, 1_000_000],
    };
    if has("--small") {
        size = Size {
            objects: 40,
            documents: 20,
            runs: 2,
            large: has("--large").then_some(200),
            leaves: 4000,
            files: 20,
            growth: &[3000, 4000],
        };
    }
    let mut report = Report::default();
    let parts: [(&str, Run); 5] = [
        ("--client", client::run),
        ("--controller", controller::run),
        ("--sops", sops::run),
        ("--sops", sops_tree::run),
        ("--hooks", hooks::run),
    ];
    let all = !parts.iter().any(|(part, _)| has(part));
    for (part, run) in parts {
        if all || has(part) {
            run(&size, &mut report);
        }
    }
    report.print();
    if has("--check") && !report.targets_met() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
