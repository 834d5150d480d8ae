//! The controller's HTTP endpoints: as the original answers, and what strangers cannot do with them.

mod raw;

use std::{
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use keys::{Scope, sealing::SealingCert};
use serde_json::{Value, json};
use testkit::{
    Cluster, PATIENCE, cli, cluster,
    cluster::User,
    controller::{self, Controller, Launch},
    ours, ports, wait_until,
};

use self::raw::{Answer, request, request_with};

const UNLIMITED: [&str; 2] = ["--rate-limit=1000", "--rate-limit-burst=1000"];

fn launch(launch: fn(&Arc<Cluster>) -> Launch, cluster: &Arc<Cluster>, home: &str) -> Launch {
    launch(cluster)
        .namespace(home)
        .only_namespaces(&[])
        .args(["--key-size=2048"])
}

/// A SealedSecret `test/db` with one strictly sealed value.
fn sealed(controller: &Controller) -> Value {
    let cert = SealingCert::from_pem(controller.certificate().as_bytes()).expect("a certificate");
    let value = cert.seal(b"correct horse", &Scope::Strict.label("test", "db"));
    json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {"name": "db", "namespace": "test"},
        "spec": {
            "encryptedData": {"password": BASE64_STANDARD.encode(value)},
            "template": {"metadata": {"name": "db", "namespace": "test"}},
        },
    })
}

fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = object.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    changed.pointer_mut(parent).expect("it is there")[name.replace("~1", "/")] = value;
    changed
}

fn verify(controller: &Controller, object: &Value) -> u16 {
    request(controller.port(), "POST", "/v1/verify", object.to_string()).status
}

fn rotate(controller: &Controller, object: &Value) -> Answer {
    request(controller.port(), "POST", "/v1/rotate", object.to_string())
}

#[test]
fn their_client_works_with_our_controller_through_the_service_proxy() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = launch(controller::ours, &cluster, &home).start();
    let admin = cluster.kubeconfig(&User::Admin);
    let kubeseal = |args: &[&str], stdin: &str| {
        cli::theirs()
            .args(["--controller-namespace", &home])
            .args(args.iter().copied())
            .kubeconfig(&admin)
            .stdin(stdin)
    };
    let cert = kubeseal(&["--fetch-cert"], "").ok();
    assert_eq!(cert, controller.certificate());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "example.com/odd",
        "metadata": {"name": "db", "namespace": "test", "labels": {"app": "db"}, "annotations": {"note": "x"}},
        "stringData": {"password": "correct horse", "user": "me"},
    });
    let sealed = kubeseal(&[], &secret.to_string()).ok();
    kubeseal(&["--validate"], &sealed).ok();
    let elsewhere = sealed.replace("\"namespace\": \"test\"", "\"namespace\": \"other\"");
    let refused = kubeseal(&["--validate"], &elsewhere).output();
    assert_eq!(refused.code(), 1);
    assert!(
        refused
            .stderr
            .contains("unable to decrypt sealed secret: db"),
        "{}",
        refused.stderr
    );

    controller.renew_key();
    wait_until("a new key", PATIENCE, || {
        if controller.certificate() == cert {
            Err("the old one")
        } else {
            Ok(())
        }
    });
    let rotated = kubeseal(&["--re-encrypt"], &sealed).ok();
    kubeseal(&["--validate"], &rotated).ok();
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let (sealed, rotated) = (json(&sealed), json(&rotated));
    assert_eq!(rotated["kind"], "SealedSecret");
    assert_eq!(rotated["spec"]["template"], sealed["spec"]["template"]);
    for key in ["password", "user"] {
        let [before, after] = [&sealed, &rotated].map(|object| {
            let text = object["spec"]["encryptedData"][key]
                .as_str()
                .expect("sealed");
            BASE64_STANDARD.decode(text).expect("base64")
        });
        assert_ne!(before[..258], after[..258], "another key wraps it");
        assert_eq!(before[258..], after[258..], "the value's own bytes stay");
    }
}

#[test]
fn it_answers_as_the_original_does() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let answers = |which: fn(&Arc<Cluster>) -> Launch, object: &mut Option<Value>| {
        let controller = launch(which, &cluster, &home).args(UNLIMITED).start();
        let good = object.get_or_insert_with(|| sealed(&controller)).clone();
        let yaml = format!("---\n{good}\n");
        let elsewhere = with(&good, "/metadata/namespace", "other".into());
        let unbased = with(&good, "/spec/encryptedData/password", "%".into());
        let template = with(
            &good,
            "/spec/template/data",
            json!({"x": "{{ fail .password }}"}),
        );
        let bodies = [
            ("good", good.to_string()),
            ("yaml", yaml.clone()),
            ("stream", format!("{yaml}{yaml}")),
            ("elsewhere", elsewhere.to_string()),
            ("not base64", unbased.to_string()),
            (
                "nothing sealed",
                with(&good, "/spec/encryptedData", json!({})).to_string(),
            ),
            ("failing template", template.to_string()),
            ("nothing", String::new()),
            ("garbage", "{".to_owned()),
            (
                "another kind",
                with(&good, "/kind", "Secret".into()).to_string(),
            ),
            (
                "another version",
                with(&good, "/apiVersion", "bitnami.com/v1".into()).to_string(),
            ),
            ("no kind", with(&good, "/kind", Value::Null).to_string()),
            ("a list", json!([good]).to_string()),
        ];
        let mut answers = Vec::new();
        for path in [
            "/healthz",
            "/readyz",
            "/v1/cert.pem",
            "/",
            "/v1",
            "/v1/verify/",
            "/metrics",
        ] {
            for method in ["GET", "POST", "HEAD"] {
                let mut answer = request(controller.port(), method, path, String::new());
                answer.headers.remove("date");
                answers.push((format!("{method} {path}"), answer));
            }
        }
        for (what, body) in bodies {
            for (method, path) in [
                ("POST", "/v1/verify"),
                ("GET", "/v1/verify"),
                ("POST", "/v1/rotate"),
            ] {
                let mut answer = request(controller.port(), method, path, body.clone());
                answer
                    .headers
                    .retain(|name, _| name == "content-type" || name == "content-length");
                if path == "/v1/rotate" && answer.status == 200 {
                    // Its own bytes, and a type that the original sets too late.
                    answer.headers.clear();
                    answer.body.clear();
                }
                answers.push((format!("{method} {path} {what}"), answer));
            }
        }
        controller.stop();
        answers
    };
    let mut object = None;
    let theirs = answers(controller::theirs, &mut object);
    let ours = answers(controller::ours, &mut object);
    let differences = ours
        .iter()
        .zip(&theirs)
        .filter(|(ours, theirs)| ours != theirs);
    let differences: Vec<_> = differences
        .map(|((what, ours), (_, theirs))| (what.as_str(), theirs.status, ours.status))
        .collect();
    // The original takes the first document and drops the rest. (0: it panics and hangs up.)
    let wanted = [
        ("POST /v1/rotate stream", 200, 500),
        ("POST /v1/verify garbage", 0, 500),
        ("GET /v1/verify garbage", 0, 500),
    ];
    assert_eq!(differences, wanted);
}

#[test]
fn the_rate_limit_says_what_the_originals_says() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let answers = |which: fn(&Arc<Cluster>) -> Launch| {
        let controller = launch(which, &cluster, &home)
            .args(["--rate-limit=1", "--rate-limit-burst=2"])
            .start();
        let four = |path, forwarded: &str| {
            let head = format!("X-Forwarded-For: {forwarded}\r\n");
            let answers = (0..4).map(|_| {
                let mut answer = request_with(controller.port(), "POST", path, &head, "kind: x");
                answer.headers.remove("date");
                answer
            });
            answers.collect::<Vec<_>>()
        };
        // What is compared is the answer to requests at once: on a busy machine it may take several tries.
        let quick = |path, client| {
            wait_until("four requests at once", PATIENCE, || {
                let name = jiff::Timestamp::now().as_nanosecond();
                let begin = Instant::now();
                let answers = four(path, &format!("{client}-{name}"));
                let took = begin.elapsed();
                if took < Duration::from_millis(500) {
                    Ok(answers)
                } else {
                    Err(format!("{took:?}"))
                }
            })
        };
        let answers = [
            quick("/v1/verify", 1),
            quick("/v1/rotate", 1),
            quick("/v1/verify", 2),
        ];
        controller.stop();
        answers
    };
    let ours = answers(controller::ours);
    assert_eq!(ours, answers(controller::theirs));
    let limited = ours.iter().flatten().filter(|answer| answer.status == 429);
    assert_eq!(limited.count(), 3);
}

#[test]
fn a_client_cannot_rename_itself_out_of_the_limit() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = launch(controller::ours, &cluster, &home)
        .args(["--rate-limit=1", "--rate-limit-burst=0"])
        .start();
    let begin = Instant::now();
    let passed = (0..100).filter(|n| {
        let head = format!("X-Forwarded-For: {n}\r\n");
        request_with(controller.port(), "POST", "/v1/verify", &head, "{").status != 429
    });
    let passed = passed.count();
    // All clients behind one address have sixteen shares together.
    let share = 16 * (2 + begin.elapsed().as_secs() as usize);
    assert!((16..=share).contains(&passed), "{passed} of 100 passed");
}

#[test]
fn rotation_cannot_widen_the_scope() {
    const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com~1cluster-wide";
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = launch(controller::ours, &cluster, &home)
        .args(UNLIMITED)
        .start();
    let strict = sealed(&controller);
    assert_eq!(verify(&controller, &strict), 200);

    // CVE-2026-22728: the annotation only in the template.
    let wide = json!({CLUSTER_WIDE.replace("~1", "/"): "true"});
    let attack = with(&strict, "/spec/template/metadata/annotations", wide.clone());
    let rotated = rotate(&controller, &attack);
    assert_eq!(rotated.status, 200);
    let rotated: Value = serde_json::from_str(&rotated.body).expect("JSON");
    assert_eq!(
        rotated["spec"]["template"], attack["spec"]["template"],
        "the template is not touched"
    );
    assert!(
        rotated["metadata"]["annotations"]
            .get("sealedsecrets.bitnami.com/cluster-wide")
            .is_none()
    );
    let renamed = with(&rotated, "/metadata/name", "other".into());
    for object in [
        renamed.clone(),
        with(&renamed, "/metadata/annotations", wide.clone()),
        with(&rotated, "/metadata/annotations", wide.clone()),
    ] {
        assert_eq!(verify(&controller, &object), 409);
        let refused = rotate(&controller, &object);
        assert_eq!((refused.status, refused.body.as_str()), (500, ""));
    }
    // The annotation outside, before rotation.
    let attack = with(&strict, "/metadata/annotations", wide);
    assert_eq!(rotate(&controller, &attack).status, 500);
}

#[test]
fn answers_tell_nothing_about_values() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = launch(controller::ours, &cluster, &home)
        .args(UNLIMITED)
        .start();
    let object = sealed(&controller);
    // Whether a guess about the value is right would show if templates were rendered.
    for guess in ["correct horse", "wrong"] {
        let source =
            format!("{{{{ if eq .password \"{guess}\" }}}}{{{{ fail \"x\" }}}}{{{{ end }}}}");
        let object = with(&object, "/spec/template/data", json!({"x": source}));
        assert_eq!(verify(&controller, &object), 200);
        let rotated = rotate(&controller, &object);
        let rotated: Value = serde_json::from_str(&rotated.body).expect("JSON");
        assert_eq!(rotated["spec"]["template"]["data"]["x"], *source);
    }
    let broken = with(&object, "/metadata/name", "other".into());
    let refused = [
        rotate(&controller, &broken),
        rotate(
            &controller,
            &with(&object, "/spec/encryptedData/password", "AAAA".into()),
        ),
        rotate(
            &controller,
            &with(&object, "/spec/encryptedData/password", "%".into()),
        ),
        rotate(&controller, &json!({"kind": "Secret"})),
    ];
    for answer in &refused {
        assert_eq!((answer.status, answer.body.as_str()), (500, ""));
        assert_eq!(
            answer.headers.keys().collect::<Vec<_>>(),
            refused[0].headers.keys().collect::<Vec<_>>()
        );
    }
    assert!(!controller.log().contains("correct horse"));
}

#[test]
fn bodies_and_items_have_bounds() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = launch(controller::ours, &cluster, &home)
        .args(UNLIMITED)
        .args(["--max-body-size=10000", "--max-items=3"])
        .start();
    let post = |path, body: String| request(controller.port(), "POST", path, body).status;
    for path in ["/v1/verify", "/v1/rotate"] {
        assert_eq!(post(path, " ".repeat(10_001)), 413);
        assert_eq!(post(path, " ".repeat(10_000)), 500);
        // What a request says about its length is not believed, and not waited for.
        let claim = "Content-Length: 100000000000\r\n";
        assert_eq!(
            request_with(controller.port(), "POST", path, claim, "").status,
            413
        );
        let endless = "Transfer-Encoding: chunked\r\n";
        let chunks = "800\r\n".to_owned() + &"x".repeat(0x800) + "\r\n";
        let answer = request_with(controller.port(), "POST", path, endless, &chunks.repeat(6));
        assert_eq!(answer.status, 413);
    }
    let object = sealed(&controller);
    let items = |count: usize| {
        let value = &object["spec"]["encryptedData"]["password"];
        let items = (0..count).map(|n| (n.to_string(), value.clone())).collect();
        with(&object, "/spec/encryptedData", Value::Object(items))
    };
    assert_eq!(verify(&controller, &items(3)), 200);
    assert_eq!(verify(&controller, &items(4)), 500);
}

#[test]
fn slow_clients_are_left_behind() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = launch(controller::ours, &cluster, &home)
        .args(["--read-timeout=1s", "--write-timeout=1s"])
        .start();
    let half_a_head: Vec<_> = (0..80)
        .map(|_| raw::open(controller.port(), "GET /healthz HT"))
        .collect();
    for connection in half_a_head {
        assert!(
            raw::ends(connection, Duration::from_secs(20)),
            "it is closed"
        );
    }
    let half_a_body = "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    let answer = raw::answer(raw::open(controller.port(), half_a_body));
    assert_eq!(answer.status, 400);
    assert_eq!(
        request(controller.port(), "GET", "/healthz", String::new()).status,
        200
    );
}

#[test]
fn a_taken_port_ends_it_with_a_clear_error() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("bound");
    let flags = ["--listen-addr", "--listen-metrics-addr"];
    for (flag, other) in [(flags[0], flags[1]), (flags[1], flags[0])] {
        let output = cli::run(ours::controller())
            .arg(format!("{flag}={taken}"))
            .arg(format!("{other}=127.0.0.1:{}", ports::free()))
            .output();
        assert_eq!(output.code(), 1);
        let said = output.stderr;
        assert!(
            said.contains("cannot listen on") && said.contains(flag),
            "{said}"
        );
        assert!(!said.contains("panicked"), "{said}");
    }
}
