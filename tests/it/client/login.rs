//! A person who is asked who they are.

use std::{fs, path::Path, sync::mpsc};

use testkit::{cli, peer, pki::Authority};

use super::{folder, https::serve, nowhere};

/// Runs a client at a terminal of its own, where a person types `lines`.
fn at_a_terminal(client: &Path, config: &Path, lines: &str) -> cli::Output {
    let command = format!("{} --fetch-cert", client.display());
    // `script` is part of bsdutils, which every Debian has.
    cli::run("script")
        .args(["-qec", &command, "/dev/null"])
        .kubeconfig(config)
        .stdin(lines)
        .output()
}

#[test]
fn whoever_sits_at_a_terminal_and_has_not_said_who_they_are_is_asked() {
    let (folder, authority) = (folder(), Authority::new("ours"));
    let (heads, requests) = mpsc::channel();
    let address = serve(Some(&authority.server(&[])), move |head| {
        // Nobody listens any more once the test has ended.
        let _ = heads.send(head.to_lowercase());
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
    });
    let trusted = folder.path().join("ca.pem");
    fs::write(&trusted, authority.certificate()).expect("written");
    let config = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: '{address}', certificate-authority: '{}'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c}}}}]\n",
        trusted.display()
    );
    fs::write(&config, text).expect("written");
    let kubeseal = testkit::ours::kubeseal();
    for client in [peer::KUBESEAL.path(), kubeseal.clone()] {
        let output = at_a_terminal(&client, &config, "me\nsecret\n");
        let shown = output.text();
        assert!(
            shown.contains("Please enter Username: ") && shown.contains("Please enter Password: "),
            "{shown}"
        );
        let head = requests.recv().expect("a request");
        // Base64 of `me:secret`, in lower case as the whole head is.
        assert!(head.contains("authorization: basic bwu6c2vjcmv0"), "{head}");
    }
    let output = at_a_terminal(&kubeseal, &config, "\n");
    assert!(output.text().contains("no name was given"), "{output:?}");
    // What is piped in is never taken for an answer.
    let output = cli::ours()
        .arg("--fetch-cert")
        .kubeconfig(&config)
        .stdin("me\nsecret\n")
        .output();
    assert!(output.stderr.contains("--token"), "{}", output.stderr);
    let head = requests.recv().expect("a request");
    assert!(!head.contains("authorization"), "{head}");
    // Whoever has said it is not asked.
    let known = cli::run("script").kubeconfig(nowhere()).args([
        "-qec",
        &format!("{} --fetch-cert", kubeseal.display()),
        "/dev/null",
    ]);
    assert!(!known.output().text().contains("Please enter"));
}
