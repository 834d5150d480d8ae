//! The image: what its Dockerfile says, laid out without a container runtime, runs as a controller.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use testkit::{Cluster, cli, cluster::User, ours, path, run_folder};

use crate::{
    chart,
    pod::{self, Place},
};

#[test]
fn the_program_needs_no_other_file() {
    let elf = fs::read(ours::controller()).unwrap();
    let loaders = segments(&elf).filter(|kind| *kind == PT_INTERP).count();
    let libraries = dynamic(&elf).filter(|tag| *tag == DT_NEEDED).count();
    assert_eq!((loaders, libraries), (0, 0));
}

#[test]
fn it_unseals_in_an_empty_root_as_nobody() {
    let cluster = Cluster::start();
    let (home, namespace) = (cluster.namespace(), cluster.namespace());
    let objects = chart::rendered(&home, &json!({"secretName": "image-key", "keySize": 2048}));
    chart::apply(&cluster, &objects);
    let image = Image::read();
    let root = image.lay_out(&ours::controller());
    let place = Place::Image {
        root: root.clone(),
        user: image.user,
    };
    let pod = pod::start(&cluster, chart::deployment(&objects), &place);
    assert_eq!(status_of(&pod, "Uid"), "65532 65532 65532 65532");
    assert_eq!(status_of(&pod, "Gid"), "65532 65532 65532 65532");
    assert_eq!(status_of(&pod, "CapEff"), "0000000000000000");
    assert_eq!(status_of(&pod, "NoNewPrivs"), "1");
    let certificate = root.join("../cert.pem");
    fs::write(&certificate, pod.get("/v1/cert.pem").unwrap()).unwrap();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": namespace}, "stringData": {"a": "b"},
    });
    let sealed = cli::ours()
        .arg("--cert")
        .arg(&certificate)
        .stdin(secret.to_string())
        .ok();
    let sealed = serde_json::from_str(&sealed).expect("kubeseal prints JSON");
    cluster
        .api
        .create(&path::sealed_secrets(&namespace), &sealed);
    cluster.wait_for(
        &path::secret(&namespace, "db"),
        "the Secret appears",
        |secret| secret["data"]["a"] == "Yg==",
    );
    assert!(
        pod.metrics()
            .contains("sealed_secrets_controller_build_info")
    );
}

/// Names are found without any file of glibc's: that of the API server stands in /etc/hosts, as the kubelet writes it.
#[test]
fn it_finds_an_api_server_by_name() {
    let cluster = Cluster::start();
    let image = Image::read();
    let root = image.lay_out(&ours::controller());
    fs::write(root.join("etc/hosts"), "127.0.0.1 kubernetes.default.svc\n").unwrap();
    let kubeconfig = fs::read_to_string(cluster.kubeconfig(&User::Admin)).unwrap();
    let by_name = kubeconfig.replace("https://127.0.0.1:", "https://kubernetes.default.svc:");
    assert_ne!(by_name, kubeconfig);
    fs::write(root.join("etc/kubeconfig"), by_name).unwrap();
    let values = json!({"extraArgs": ["--kubeconfig=/etc/kubeconfig"], "keySize": 2048});
    let objects = chart::rendered(&cluster.namespace(), &values);
    chart::apply(&cluster, &objects);
    let place = Place::Image {
        root,
        user: image.user,
    };
    let pod = pod::start(&cluster, chart::deployment(&objects), &place);
    assert!(pod.get("/v1/cert.pem").unwrap().contains("CERTIFICATE"));
}

#[test]
fn the_dockerfile_builds_what_is_tested() {
    let text = fs::read_to_string(ours::workspace().join("Dockerfile")).unwrap();
    for part in [
        "RUSTFLAGS=\"-C target-feature=+crt-static\" cargo build --locked --release",
        "--package kubeseal-rs-controller",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let image = Image::read();
    assert_eq!(image.base, "scratch");
    assert_eq!(image.user, "65532:65532");
    assert_eq!(image.entry, r#"["controller"]"#);
    assert_eq!(image.copies.len(), 2, "{:?}", image.copies);
}

/// The last stage of the Dockerfile.
#[derive(Default)]
struct Image {
    base: String,
    user: String,
    entry: String,
    copies: Vec<(String, String)>,
}

impl Image {
    fn read() -> Self {
        let text = fs::read_to_string(ours::workspace().join("Dockerfile")).unwrap_or_default();
        let mut image = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("FROM", base)) => {
                    image = Self {
                        base: base.to_owned(),
                        ..Self::default()
                    }
                }
                Some(("COPY", rest)) => {
                    let mut words = rest.split(' ').skip_while(|word| word.starts_with("--"));
                    let mut next = || words.next().unwrap_or_default().to_owned();
                    image.copies.push((next(), next()));
                }
                Some(("USER", user)) => user.clone_into(&mut image.user),
                Some(("ENTRYPOINT", entry)) => entry.clone_into(&mut image.entry),
                _ => {}
            }
        }
        image
    }

    /// A folder with the image's files, and the place where a kubelet mounts the account.
    fn lay_out(&self, controller: &Path) -> PathBuf {
        let folder = tempfile::Builder::new()
            .prefix("image-")
            .tempdir_in(run_folder());
        let root = folder
            .expect("the run folder can be written")
            .keep()
            .join("root");
        let mut copies = vec![];
        for (from, to) in &self.copies {
            let to = root.join(to.trim_start_matches('/'));
            fs::create_dir_all(to.parent().expect("it is in the root")).expect("it can be made");
            copies.push((
                if from == "/controller" {
                    controller
                } else {
                    Path::new(from)
                },
                to,
            ));
        }
        for (from, to) in copies {
            fs::copy(from, &to).unwrap_or_else(|e| panic!("cannot copy {}: {e}", from.display()));
        }
        fs::create_dir_all(pod::account_in(&root)).expect("it can be made");
        root
    }
}

fn status_of(pod: &pod::Pod, field: &str) -> String {
    let status =
        fs::read_to_string(format!("/proc/{}/status", pod.process.pid())).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
    words.join(" ")
}

const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: usize = 1;

/// The kinds of the program headers of a 64-bit little-endian ELF file.
fn segments(elf: &[u8]) -> impl Iterator<Item = u32> {
    headers(elf).map(|header| u32_at(header, 0))
}

/// The tags in the dynamic section, if there is one.
fn dynamic(elf: &[u8]) -> impl Iterator<Item = usize> {
    let header = headers(elf).find(|header| u32_at(header, 0) == PT_DYNAMIC);
    let section = header.map_or(&[][..], |header| {
        let (offset, size) = (u64_at(header, 8), u64_at(header, 32));
        &elf[offset..offset + size]
    });
    section.chunks(16).map(|entry| u64_at(entry, 0))
}

fn headers(elf: &[u8]) -> impl Iterator<Item = &[u8]> {
    assert_eq!(
        elf[..6],
        *b"\x7fELF\x02\x01",
        "no 64-bit little-endian ELF file"
    );
    let size = usize::from(u16_at(elf, 54));
    let count = usize::from(u16_at(elf, 56));
    elf[u64_at(elf, 32)..].chunks(size).take(count)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> usize {
    let number = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    usize::try_from(number).expect("files are smaller")
}
