//! What templates see of a cluster: `.Capabilities` and `lookup`, the same as real Helm shows them.

use std::process::Command;

use serde_json::json;

use crate::common::{folder, plimsoll, root};
use crate::server::{ADMIN, Server, USERS};

fn chart() -> String {
    root().join("tests/cluster/fixtures/seen").display().to_string()
}

/// A namespace with what the fixture looks up.
fn furnished(server: &Server) -> String {
    let namespace = server.namespace("seen");
    let core = format!("/api/v1/namespaces/{namespace}");
    let meta = |name: &str| json!({"name": name, "labels": {"app": name}});
    for (name, data) in [("settings", json!({"level": "info", "port": "8080"})), ("theme", json!({}))] {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name), "data": data});
        server.post(&format!("{core}/configmaps"), &object);
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("login"), "stringData": {"password": "swordfish"}});
    server.post(&format!("{core}/secrets"), &secret);
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("web"),
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}},
                 "template": {"metadata": {"labels": {"app": "web"}},
                              "spec": {"containers": [{"name": "web", "image": "nginx"}]}}},
    });
    server.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment);
    namespace
}

#[test]
fn templates_see_what_helm_shows_them() {
    let server = Server::shared();
    let namespace = furnished(server);
    let kubeconfig = server.kubeconfig(ADMIN).display().to_string();
    let values = format!("namespace={namespace}");
    let args = ["seen", &chart(), "--set", &values, "--kubeconfig", &kubeconfig, "--kube-context", "test"];
    let ours = plimsoll(root(), &[&["render"], args.as_slice()].concat(), "");
    assert_eq!(ours.status, 0, "{}", ours.stderr);
    assert_eq!(ours.stdout, helm(&args).unwrap());
}

const MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: asks}\ndata:\n  all: {{ lookup QUESTION | toString | quote }}\n";

/// Each answer of Helm, or what it says after `error calling lookup`, is also ours.
#[test]
fn lookup_fails_where_helm_does() {
    let server = Server::shared();
    let namespace = furnished(server);
    let kubeconfig = server.kubeconfig(USERS[0]).display().to_string();
    server.allow(USERS[0], Some(&namespace), &[""], &["configmaps"], &["get"]);
    for (question, text) in [
        (r#""v1" "ConfigMap" "NS" "settings""#, "info"),
        (r#""v1" "ConfigMap" "NS" "no-such""#, "map[]"),
        (r#""v1" "ConfigMap" "NS" """#, "cannot list resource"),
        (r#""v1" "Secret" "NS" "login""#, "cannot get resource"),
        (r#""v1" "ConfigMap" "NS" "../secrets/login""#, "invalid resource name"),
        (r#""v1" "ConfigMap" "NS" "..""#, "may not be '..'"),
        (r#""v1" "ConfigMap" "../NS" "settings""#, "invalid namespace"),
        (r#""v1" "ConfigMap" "%" "a/%""#, "may not contain '%'"),
        (r#""v1" "ConfigMap" "NS" "a?b""#, "map[]"),
        (r#""v1" "Nonsense" "NS" "settings""#, "map[]"),
        (r#""v1" "Nonsense" "NS" """#, ""),
        (r#""apps/v1" "Nonsense" "NS" """#, ""),
        (r#""v1" "Eviction" "NS" "settings""#, "map[]"),
        (r#""v1" "configmaps" "NS" "settings""#, "map[]"),
        (r#""example.com/v1" "Nonsense" "NS" "x""#, "could not find the requested resource"),
        (r#""a/b/c" "Nonsense" "NS" "x""#, ""),
        (r#""" "ConfigMap" "NS" "x""#, ""),
        (r#""v2" "ConfigMap" "NS" "x""#, "/v2, Kind"),
    ] {
        let question = question.replace("NS", &namespace);
        let chart = folder(&[
            ("Chart.yaml", "apiVersion: v2\nname: asks\nversion: 0.1.0\n"),
            ("templates/map.yaml", &MAP.replace("QUESTION", &question)),
        ]);
        let chart = chart.path().display().to_string();
        let args = ["asks", &chart, "--kubeconfig", &kubeconfig, "--namespace", &namespace];
        let ours = plimsoll(root(), &[&["render"], args.as_slice()].concat(), "");
        match helm(&args) {
            Ok(theirs) => {
                assert_eq!((ours.stdout.as_str(), ours.status), (theirs.as_str(), 0), "{question}: {}", ours.stderr)
            }
            Err(theirs) => {
                let (_, reason) = theirs.split_once("error calling lookup: ").expect(&theirs);
                let reason = reason.lines().next().unwrap();
                println!("{question}: {reason}");
                assert!(reason.contains(text), "{question}: {reason}");
                let words = |text: &str| {
                    text.split_whitespace().filter(|word| !word.contains('│')).collect::<Vec<_>>().join(" ")
                };
                assert!(words(&ours.stderr).contains(&words(reason)), "{question}: {reason}\n{}", ours.stderr);
            }
        }
    }
}

#[test]
fn the_native_dialect_sees_the_same() {
    let server = Server::shared();
    let namespace = furnished(server);
    let kubeconfig = server.kubeconfig(ADMIN).display().to_string();
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: seen}}\ndata:\n  version: {{{{ capabilities.kubeVersion.version }}}}\n  \
         level: {{{{ lookup('v1', 'ConfigMap', '{namespace}', 'settings').data.level }}}}\n  replicas: '{{{{ \
         lookup('apps/v1', 'Deployment', '{namespace}', 'web').spec.replicas + 1 }}}}'\n  new: {{{{ \
         'no' if lookup('v1', 'Secret', '{namespace}', 'new') else 'yes' }}}}\n  names: {{% for item in lookup('v1', \
         'ConfigMap', '{namespace}', '').items %}}{{{{ item.metadata.name }}}} {{% endfor %}}\n"
    );
    let chart =
        folder(&[("Chart.yaml", "apiVersion: v2\nname: asks\nversion: 0.1.0\n"), ("templates/seen.yaml.j2", &text)]);
    let chart = chart.path().display().to_string();
    let run = plimsoll(root(), &["render", "asks", &chart, "--kubeconfig", &kubeconfig], "");
    let data = "data:\n  version: v1.36.3\n  level: info\n  replicas: '4'\n  new: yes\n  names: settings theme";
    assert!(run.stdout.contains(data), "{}\n{}", run.stdout, run.stderr);
    // Where no cluster is named, nothing is found.
    let run = plimsoll(root(), &["render", "asks", &chart], "");
    assert!(run.stderr.contains("data"), "{}\n{}", run.stdout, run.stderr);
}

/// What `helm template` prints with a cluster, or what it says that is wrong.
fn helm(args: &[&str]) -> Result<String, String> {
    let helm = root().join("target/peers/helm");
    let output = Command::new(helm).args(["template", "--dry-run=server"]).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
