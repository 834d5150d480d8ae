//! Our own binaries, built the way they are shipped: each by a `cargo build` of its own.
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

/// The target that a static binary is built for.
pub const STATIC_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Our client.
pub fn kubeseal() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build("kubeseal-rs", "target/alone", &[]).join("debug/kubeseal"))
        .clone()
}

/// Our controller.
pub fn controller() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            build("kubeseal-rs-controller", "target/alone", &[]).join("debug/controller")
        })
        .clone()
}

/// Our controller as the image has it: optimised, one static file.
pub fn controller_static() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build_static("kubeseal-rs-controller").join("controller"))
        .clone()
}

/// Our client as it is released: optimised, one static file.
pub fn kubeseal_static() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build_static("kubeseal-rs").join("kubeseal"))
        .clone()
}

fn build_static(package: &str) -> PathBuf {
    let args = ["--release", "--target", STATIC_TARGET];
    let folder = build(package, "target/static", &args);
    folder.join(STATIC_TARGET).join("release")
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

/// Builds `package` into `folder`, and returns the whole path of `folder`.
fn build(package: &str, folder: &str, more: &[&str]) -> PathBuf {
    say(&format!("building {package} by itself into {folder}…"));
    let args = [
        "build",
        "--locked",
        "--package",
        package,
        "--target-dir",
        folder,
    ];
    let variables: &[_] = if more.is_empty() {
        &[]
    } else {
        &[("RUSTFLAGS", "-C target-feature=+crt-static")]
    };
    cargo(&[&args, more].concat(), variables);
    workspace().join(folder)
}
