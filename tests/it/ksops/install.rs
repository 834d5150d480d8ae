//! `ksops install`, as init containers call it.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn it_copies_itself_and_kustomize() {
    let desk = Desk::new();
    desk.write("app/to/ksops", "an older one");
    symlink(peer::KUSTOMIZE.path(), desk.path("bin/kustomize")).expect("a link");
    let said = desk.ksops(&["install", "to"]).ok();
    assert_eq!(said, "installed to/ksops\n");
    assert!(!desk.path("app/to/kustomize").exists());
    desk.ksops(&["install", "--with-kustomize", "to"]).ok();
    for (name, original) in [
        ("ksops", ours::decryptor()),
        ("kustomize", peer::KUSTOMIZE.path()),
    ] {
        let copy = desk.path("app/to").join(name);
        assert!(
            fs::read(&copy).expect("a copy") == fs::read(original).expect("ours"),
            "{name}"
        );
        let mode = fs::metadata(&copy).expect("a copy").permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{name}");
        assert!(
            !fs::symlink_metadata(&copy).expect("a copy").is_symlink(),
            "{name}"
        );
    }
    assert_eq!(
        fs::read_dir(desk.path("app/to")).expect("a folder").count(),
        2
    );
    let copy = cli::run(desk.path("app/to/ksops")).arg("--version").ok();
    assert!(copy.starts_with("decryptor "), "{copy}");
}

#[test]
fn it_says_what_is_missing() {
    let desk = Desk::new();
    desk.write("app/unused", "");
    refused(
        &desk.ksops(&["install", "nowhere"]).output(),
        "to nowhere/ksops: No such file or directory",
    );
    let run = desk
        .ksops(&["install", "--with-kustomize", "."])
        .env("PATH", desk.path("bin"));
    refused(
        &run.output(),
        "no kustomize in the absolute folders of PATH",
    );
    assert!(!desk.path("app/ksops").exists(), "all or nothing");
}
