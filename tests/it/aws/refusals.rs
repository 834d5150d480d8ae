//! What AWS refuses is said, and nothing is written.

use testkit::aws::{self, AccessKey, Aws};

use super::desk::{BOTH, Desk, Whose};

#[test]
fn signatures_and_policies_decide() {
    let aws = Aws::start();
    let key = aws.key();
    let all = aws.user("all", &["kms:*"]);
    let encrypts = aws.user("encrypts", &["kms:Encrypt"]);
    let opens = aws.user("opens", &["kms:Decrypt"]);
    aws.check_everybody();
    let bare = || Desk::bare(&aws.address);
    let desk = bare().of(&all);
    assert!(desk.encrypt(&key).status.success());
    for whose in BOTH {
        let opened = desk.sops(whose, &["decrypt", "a.yaml"]).ok();
        assert!(opened.contains("hunter2"));
    }
    let closed = desk.read("a.yaml");
    let wrong = AccessKey {
        id: all.id,
        secret: "secret-of-tests".to_owned(),
    };
    let unknown = AccessKey {
        id: "AKIAUNKNOWN".to_owned(),
        secret: "secret-of-tests".to_owned(),
    };
    let decrypt = ["decrypt", "a.yaml"];
    for (who, words) in [(&wrong, "403"), (&unknown, "403"), (&encrypts, "403")] {
        let desk = bare().of(who);
        desk.write("a.yaml", &closed);
        assert_eq!(desk.sops(Whose::Theirs, &decrypt).output().code(), 128);
        desk.refuses(&decrypt, 128, &[words, "kms:Decrypt in eu-west-1"]);
    }
    for who in [&wrong, &unknown, &opens] {
        let desk = bare().of(who);
        let args = ["encrypt", "-i", "--kms", &key, "a.yaml"];
        assert_eq!(desk.sops(Whose::Theirs, &args).output().code(), 1);
        desk.refuses(&args, 1, &["kms:Encrypt in eu-west-1"]);
    }
    // Who may only encrypt does, and who may only open opens it.
    let desk = bare().of(&encrypts);
    assert!(desk.encrypt(&key).status.success());
    let opening = bare().of(&opens);
    opening.write("a.yaml", &desk.read("a.yaml"));
    let opened = opening.sops(Whose::Ours, &decrypt).ok();
    assert!(opened.contains("hunter2"));
}

#[test]
fn a_role_may_what_its_user_may_not() {
    let aws = Aws::start();
    let key = aws.key();
    let role = aws.role("opens", &["kms:*"]);
    let user = aws.user("assumes", &["sts:AssumeRole"]);
    aws.check_everybody();
    let desk = Desk::bare(&aws.address).of(&user);
    let with_role = format!("{key}+{role}");
    for closes in BOTH {
        desk.write("a.yaml", super::TEXT);
        let args = ["encrypt", "-i", "--kms", &with_role, "a.yaml"];
        desk.sops(closes, &args).ok();
        for opens in BOTH {
            let opened = desk.sops(opens, &["decrypt", "a.yaml"]).ok();
            assert!(opened.contains("hunter2"));
        }
    }
    let nobody = AccessKey {
        id: "AKIANOBODY".to_owned(),
        secret: "secret-of-tests".to_owned(),
    };
    let desk_of_nobody = Desk::bare(&aws.address).of(&nobody);
    desk_of_nobody.write("a.yaml", &desk.read("a.yaml"));
    let words = format!("sts:AssumeRole of {role}: 403");
    desk_of_nobody.refuses(&["decrypt", "a.yaml"], 128, &[&words]);
}

#[test]
fn a_document_opens_with_its_own_context_and_key_only() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    let (key, other) = (aws.key(), aws.key());
    let args = [
        "encrypt",
        "-i",
        "--kms",
        &key,
        "--encryption-context",
        "team:shop",
        "a.yaml",
    ];
    desk.sops(Whose::Ours, &args).ok();
    let closed = desk.read("a.yaml");
    let (front, _) = key.split_once(":key/").expect("a key");
    let gone = format!("{front}:key/00000000-0000-4000-8000-000000000000");
    for (before, after, words) in [
        ("team: shop", "team: other", "InvalidCiphertextException"),
        ("team: shop", "group: shop", "InvalidCiphertextException"),
        (key.as_str(), other.as_str(), "Exception"),
        (&key, &gone, "NotFoundException"),
    ] {
        desk.write("a.yaml", &closed.replace(before, after));
        let decrypt = ["decrypt", "a.yaml"];
        assert_eq!(desk.sops(Whose::Theirs, &decrypt).output().code(), 128);
        desk.refuses(&decrypt, 128, &[words]);
        desk.refuses(&["rotate", "-i", "a.yaml"], 128, &[words]);
    }
    desk.write("a.yaml", super::TEXT);
    desk.refuses(
        &["encrypt", "-i", "--kms", &gone, "a.yaml"],
        1,
        &["NotFoundException"],
    );
    let both = format!("{key},{gone}");
    desk.refuses(
        &["encrypt", "-i", "--kms", &both, "a.yaml"],
        1,
        &["NotFoundException"],
    );
}

#[test]
fn who_has_no_credentials_is_told_where_they_come_from() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    let key = aws.key();
    assert!(desk.encrypt(&key).status.success());
    let bare = Desk::bare(&aws.address);
    bare.write("a.yaml", &desk.read("a.yaml"));
    let words = ["no credentials for AWS", "AWS_ACCESS_KEY_ID"];
    bare.refuses(&["decrypt", "a.yaml"], 128, &words);
    bare.write("a.yaml", super::TEXT);
    bare.refuses(&["encrypt", "-i", "--kms", &key, "a.yaml"], 1, &words);
}
