//! Our own binaries, built the way they are shipped: one static file, each by a `cargo build` of its own.
//!
//! Cargo unifies features over everything it builds in one command: built together with the tests, the controller would
//! hold code that the shipped one does not.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::progress::say;

/// With a target named, what runs at build time is not static: macros could not be.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Where they are built.
const FOLDER: &str = "target/alone";

/// Our client.
pub fn kubeseal() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build("kubeseal-rs").join("kubeseal"))
        .clone()
}

/// Our controller.
pub fn controller() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build("kubeseal-rs-controller").join("controller"))
        .clone()
}

/// Our hooks.
pub fn decryptor() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            build_with("kubeseal-rs-decryptor", &["--features", "hooks"]).join("decryptor")
        })
        .clone()
}

/// The folder of the checkout.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a folder of the workspace")
}

/// Runs cargo in the checkout and returns what it printed.
pub fn cargo(args: &[&str], variables: &[(&str, &str)]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo tells the tests about themselves is not meant for another cargo.
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"CARGO_PKG_"))
    {
        command.env_remove(name);
    }
    let output = command
        .args(args)
        .envs(variables.iter().copied())
        .current_dir(workspace())
        .output();
    let output = output.unwrap_or_else(|e| panic!("cannot run cargo: {e}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo {} failed\n{stderr}",
        args.join(" ")
    );
    String::from_utf8(output.stdout).expect("cargo prints text")
}

/// Builds `package`, and returns the folder that its program is in.
fn build(package: &str) -> PathBuf {
    build_with(package, &[])
}

fn build_with(package: &str, choices: &[&str]) -> PathBuf {
    // Optimised for whoever is optimised, as the benchmark is: tests would wait for it longer than it saves them.
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    say(&format!("building {package} by itself into {FOLDER}…"));
    let mut args = vec![
        "build",
        "--locked",
        "--package",
        package,
        "--profile",
        profile,
        "--target",
        TARGET,
        "--target-dir",
        FOLDER,
    ];
    args.extend(choices);
    cargo(&args, &[("RUSTFLAGS", "-C target-feature=+crt-static")]);
    let folder = workspace().join(FOLDER).join(TARGET);
    folder.join(if profile == "dev" { "debug" } else { profile })
}
