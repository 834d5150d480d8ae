//! What the documentation says of the tests, and what it links to.

use std::{fs, path::Path};

use testkit::ours;

#[test]
fn every_test_that_the_documentation_names_exists() {
    let mut sources = String::new();
    for folder in [
        "keys/src",
        "decryptor/src",
        "controller/src",
        "kubeseal-rs/src",
        "tests/it",
    ] {
        collect(&ours::workspace().join(folder), "rs", &mut sources);
    }
    let read = |page: &str| fs::read_to_string(ours::workspace().join(page)).expect("the page");
    let pages = [
        "migrating",
        "migrating-from-sops",
        "threat-model",
        "sops",
        "sops-format",
        "git",
        "guide",
        "keys-aws",
        "keys-azure",
        "keys-gcp",
        "keys-vault",
        "kustomize",
    ];
    let pages = pages.map(|page| read(&format!("docs/{page}.md")));
    let text = pages.concat();
    let is_test = |word: &&str| {
        word.matches('_').count() >= 3
            && !word.contains("__")
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let names: Vec<_> = text.split('`').filter(is_test).collect();
    assert!(names.len() > 30, "{names:?}");
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !sources.contains(&format!("fn {name}()")))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn every_page_that_is_linked_to_exists() {
    for page in ["README.md", "docs"] {
        let path = ours::workspace().join(page);
        let pages = if path.is_dir() {
            files(&path, "md")
        } else {
            vec![path]
        };
        for page in pages {
            let text = fs::read_to_string(&page).expect("the page");
            let links = text
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split([')', '#']).next());
            for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
                let target = page.parent().expect("a folder").join(link);
                assert!(target.exists(), "{} links to {link}", page.display());
            }
        }
    }
}

fn collect(folder: &Path, extension: &str, into: &mut String) {
    for file in files(folder, extension) {
        into.push_str(&fs::read_to_string(file).expect("a source file"));
    }
}

fn files(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the checkout") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found
}
