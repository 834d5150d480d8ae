//! Hooks: `ksops` over many small files beside the library of sops with as many workers as KSOPS has, and through kustomize beside a
//! function that only prints the answer.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::{ours, peer};

use crate::Size;
use crate::client::median;
use crate::report::{Report, Wanted};

/// Measures all of them in turns.
pub(crate) fn run(size: &Size, report: &mut Report) {
    let desk = Desk::new(size.files);
    let runs = size.runs.min(7);
    let [mut theirs, mut alone, mut rendered, mut printed] = [const { Vec::new() }; 4];
    for _ in 0..runs {
        theirs.push(desk.theirs());
        alone.push(desk.ours());
        rendered.push(desk.kustomize("ksops"));
        printed.push(desk.kustomize("print"));
    }
    let [theirs, alone, rendered, printed] = [theirs, alone, rendered, printed].map(median);
    let what = format!("ksops, {} files", size.files);
    for (who, seconds) in [
        ("the library of sops, 20 workers", theirs),
        ("ours", alone),
        ("ours through kustomize", rendered),
        ("kustomize with the answer at hand", printed),
    ] {
        report.figure(format!("{what}: {who}"), format!("{:.1} ms", seconds * 1e3));
    }
    report.target(
        format!("{what}: the library of sops / ours"),
        theirs / alone,
        Wanted::AtLeast(6.0),
    );
    report.target(
        format!("{what}: seconds added to kustomize"),
        rendered - printed,
        Wanted::AtMost(0.15),
    );
}

/// A folder with a key, encrypted files, and two generators for kustomize.
struct Desk {
    folder: TempDir,
    list: String,
    names: Vec<String>,
}

impl Desk {
    fn new(files: usize) -> Self {
        let folder = TempDir::new_in("/dev/shm").expect("a folder in memory");
        let path = folder.path();
        let key = Command::new(peer::AGE_KEYGEN.path()).output();
        let key = String::from_utf8(key.expect("age-keygen can be run").stdout).expect("text");
        let recipient = key
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        let recipient = recipient.expect("age-keygen names it");
        write(&path.join("key.txt"), &key);
        let config = format!(
            "creation_rules:\n- path_regex: ^ksops/\n  age: {recipient}\n  encrypted_regex: ^(data|stringData)$\n"
        );
        write(&path.join(".sops.yaml"), &config);
        let names: Vec<_> = (0..files).map(|at| format!("{at}.yaml")).collect();
        for (at, name) in names.iter().enumerate() {
            write(
                &path.join("ksops").join(name),
                &format!(
                    "apiVersion: v1\nkind: Secret\nmetadata:\n    name: s{at}\ntype: Opaque\nstringData:\n    user: app\n    password: secret {at}\n"
                ),
            );
        }
        let listed: String = names.iter().map(|name| format!("- {name}\n")).collect();
        let settings = |program: &str| {
            format!(
                "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: {program}\nfiles:\n{listed}"
            )
        };
        let inner: String = settings("ksops")
            .lines()
            .map(|line| format!("  {line}\n"))
            .collect();
        let list = format!("kind: ResourceList\nfunctionConfig:\n{inner}");
        let desk = Self {
            list,
            names,
            folder,
        };
        let path = desk.folder.path();
        let encrypted = desk
            .command(&ours::kubeseal())
            .args(["encrypt", "-i", "ksops"])
            .status();
        assert!(encrypted.expect("our client can be run").success());
        fs::create_dir_all(path.join("bin")).expect("a folder");
        symlink(ours::decryptor(), path.join("bin/ksops")).expect("a link");
        let program = path.join("print/print");
        write(&program, "#!/bin/sh\nexec cat answer\n");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("ours");
        for (folder, program) in [("ksops", "ksops"), ("print", "./print")] {
            write(
                &path.join(folder).join("generator.yaml"),
                &settings(program),
            );
            write(
                &path.join(folder).join("kustomization.yaml"),
                "generators: [generator.yaml]\n",
            );
        }
        write(&path.join("ksops/list"), &desk.list);
        let answer = desk
            .ksops()
            .stdout(Stdio::piped())
            .output()
            .expect("ours can be run");
        assert!(answer.status.success() && answer.stdout.len() > files * 50);
        fs::write(path.join("print/answer"), answer.stdout).expect("written");
        desk
    }

    fn command(&self, program: &Path) -> Command {
        let path = self.folder.path();
        let mut command = Command::new(program);
        let variable = std::env::var("PATH").unwrap_or_default();
        command
            .env("SOPS_AGE_KEY_FILE", path.join("key.txt"))
            .env("PATH", format!("{}:{variable}", path.join("bin").display()))
            .current_dir(path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn ksops(&self) -> Command {
        let folder = self.folder.path();
        let mut command = self.command(&folder.join("bin/ksops"));
        let list = fs::File::open(folder.join("ksops/list")).expect("it was written");
        command.current_dir(folder.join("ksops")).stdin(list);
        command
    }

    fn ours(&self) -> Duration {
        timed(&mut self.ksops())
    }

    fn theirs(&self) -> Duration {
        let mut command = self.command(&peer::go("sops-decrypt"));
        timed(
            command
                .current_dir(self.folder.path().join("ksops"))
                .args(&self.names),
        )
    }

    fn kustomize(&self, folder: &str) -> Duration {
        let args = ["build", "--enable-alpha-plugins", "--enable-exec", folder];
        timed(self.command(&peer::KUSTOMIZE.path()).args(args))
    }
}

fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let status = command.status().expect("it can be run");
    assert!(status.success(), "{command:?}");
    begun.elapsed()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
    fs::write(path, text).expect("the folder can be written");
}
