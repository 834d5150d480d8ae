//! Programs that call `sops` by its name: whichever of both they find, they get the same.

use super::*;

impl Desk {
    /// A shell script that finds one of both programs under the name of sops.
    pub(super) fn shell(&self, whose: Whose, script: &str) -> Output {
        let program = match whose {
            Whose::Theirs => peer::SOPS.path(),
            Whose::Ours => self.path("sops"),
        };
        let mut folders = vec![program.parent().expect("a folder").to_owned()];
        for user in [peer::HELM.path(), peer::KUSTOMIZE.path()] {
            folders.push(user.parent().expect("a folder").to_owned());
        }
        folders.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        cli::run("bash")
            .folder(self.folder.path())
            .env("PATH", std::env::join_paths(folders).expect("folders"))
            .env("SOPS_AGE_KEY_FILE", self.path("key.txt"))
            .args(["-euc", script])
            .output()
    }

    /// Runs it with both; what comes out must be the same, and hold these words.
    pub(super) fn same(&self, script: &str, words: &str) {
        let [theirs, ours] = BOTH.map(|whose| self.shell(whose, script));
        assert_eq!(
            (theirs.code(), ours.code()),
            (0, 0),
            "{script}\n{}{}",
            said(&theirs),
            said(&ours)
        );
        assert_eq!(ours.text(), theirs.text(), "{script}");
        assert!(ours.text().contains(words), "{script}\n{}", ours.text());
    }
}

#[test]
fn helm_gets_the_same_values() {
    let desk = Desk::new();
    desk.write(
        "chart/Chart.yaml",
        "apiVersion: v2\nname: app\nversion: 0.1.0\n",
    );
    desk.write(
        "chart/templates/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n{{ toYaml .Values.secrets | indent 2 }}\n",
    );
    desk.write("secrets.yaml", "# c\nsecrets:\n  password: \"correct horse\"\n  port: \"5432\"\n  pem: |\n    one\n    two\n");
    desk.encrypt(Whose::Theirs, "secrets.yaml");
    // As helm-secrets calls it: before helm, into a file that it removes.
    desk.same(
        "sops --decrypt --input-type yaml --output-type yaml --output secrets.yaml.dec secrets.yaml\n\
         helm template chart -f secrets.yaml.dec; rm secrets.yaml.dec",
        "correct horse",
    );
    // As a downloader, for `-f secrets://…`.
    desk.write(
        "plugins/secrets/plugin.yaml",
        "name: secrets\nversion: 0.1.0\nusage: x\ndescription: x\ndownloaders:\n- command: get\n  protocols: [secrets]\n",
    );
    desk.write(
        "plugins/secrets/get",
        "#!/bin/sh\nexec sops -d \"${4#secrets://}\"\n",
    );
    fs::set_permissions(
        desk.path("plugins/secrets/get"),
        fs::Permissions::from_mode(0o755),
    )
    .expect("ours");
    desk.same(
        "export HELM_PLUGINS=$PWD/plugins; helm template chart -f secrets://secrets.yaml",
        "correct horse",
    );
    desk.same(
        "sops exec-file --no-fifo --filename v.yaml secrets.yaml 'helm template chart -f {}'",
        "correct horse",
    );
}

#[test]
fn shells_and_git_get_the_same_text() {
    let desk = Desk::new();
    desk.write("f.yaml", "user: app\npassword: correct horse\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    desk.same("sops -d f.yaml | grep password", "correct horse");
    desk.same("sops -d --extract '[\"password\"]' f.yaml", "correct horse");
    desk.same(
        "cat f.yaml | sops --input-type yaml --output-type yaml -d /dev/stdin",
        "correct horse",
    );
    desk.same(
        "sops exec-env f.yaml 'echo $user: $password'",
        "app: correct horse",
    );
    desk.same(
        "sops decrypt --output-type dotenv f.yaml",
        "password=correct horse",
    );
    desk.same(
        "sops -d --output-type json f.yaml",
        "\"password\": \"correct horse\"",
    );
    let git = "export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b\n\
               rm -rf repository; git init -q repository; cd repository; cp ../f.yaml .\n\
               echo '*.yaml diff=sops' >.gitattributes; git config diff.sops.textconv 'sops decrypt'\n\
               git add .; git commit -qm one; sops set f.yaml '[\"password\"]' '\"battery staple\"'; git diff | tail -n +5";
    desk.same(git, "+password: battery staple");
}
