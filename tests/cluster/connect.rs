//! The way to a server, and what is said where it leads nowhere.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use crate::common::authority::Authority;
use crate::common::{Run, folder, root, snapshots};
use crate::server::{ADMIN, Server, USERS, free_port};

/// A chart that looks into the cluster.
fn chart(question: &str) -> tempfile::TempDir {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: found}}\ndata: {{it: {{{{ {question} | toString | quote }}}}}}\n"
    );
    folder(&[("Chart.yaml", "apiVersion: v2\nname: asks\nversion: 0.1.0\n"), ("templates/found.yaml", &text)])
}

/// `plimsoll render` of a chart, where nothing but a folder of one's own is home.
fn render(chart: &Path, home: &Path, args: &[&str], environment: &[(&str, &str)]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["render", "asks"])
        .arg(chart)
        .args(args)
        .env_remove("KUBECONFIG")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env("HOME", home)
        .envs(environment.iter().copied())
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Says what a run of a chart without templates came to, with nothing of this machine in it.
fn refused(name: &str, home: &Path, args: &[&str], environment: &[(&str, &str)]) {
    let chart = folder(&[("Chart.yaml", "apiVersion: v2\nname: asks\nversion: 0.1.0\n")]);
    let run = render(chart.path(), home, args, environment);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{name}: {}", run.stderr);
    told(name, &run.stderr, &[home]);
}

fn told(name: &str, text: &str, folders: &[&Path]) {
    let mut settings = snapshots("cluster");
    settings.set_snapshot_path("../../snapshots/cluster");
    for folder in folders {
        settings.add_filter(&regex::escape(&folder.display().to_string()), "FOLDER");
    }
    settings.add_filter(r"(127\.0\.0\.1|localhost):\d+", "$1:PORT");
    settings.add_filter(r"FOLDER/(\w+)-\d+\.kubeconfig", "FOLDER/$1.kubeconfig");
    settings.add_filter("is not known: .*? help:", "is not known: WHY help:");
    // Lines are broken where the lengths of ports and folders are not the same.
    let text: Vec<&str> = text.lines().map(|line| line.trim_start_matches(['│', ' '])).collect();
    settings.bind(|| insta::assert_snapshot!(format!("connect-{name}"), text.join(" ")));
}

/// A kubeconfig with one context, `test`.
pub fn kubeconfig(folder: &Path, cluster: Value, user: Value) -> PathBuf {
    let path = folder.join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "alice", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "alice", "namespace": "mine"}}],
    });
    fs::write(&path, config.to_string()).unwrap();
    path
}

/// Answers every connection on loopback by a function of its own; the address.
pub fn listener(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    address
}

/// Answers the first request of each connection with this.
fn says(answer: &'static str) -> String {
    listener(move |mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(answer.as_bytes());
    })
}

#[test]
fn kubeconfigs_that_lead_nowhere() {
    let home = folder(&[
        ("empty", ""),
        ("broken", "apiVersion: v1\nusers:\n- name: alice\n  user: {token: hunter2-hunter2\ncontexts: []\n"),
        ("other", "apiVersion: v1\nkind: Config\nusers: [{name: alice, user: {token: [hunter2-hunter2]}}]\n"),
        (
            "config",
            "apiVersion: v1\nkind: Config\nclusters:\n- {name: c, cluster: {server: 'https://alice:hunter2@127.0.0.1:1'}}\n\
             - {name: d, cluster: {server: 'c.example:6443'}}\n- {name: p, cluster: {server: 'https://c', proxy-url: 'http://u:hunter2@p'}}\n\
             users: [{name: alice, user: {token: hunter2-hunter2}}]\ncontexts:\n- {name: production, context: {cluster: c, user: alice}}\n\
             - {name: staging, context: {cluster: none, user: alice}}\n- {name: nobody, context: {cluster: c, user: bob}}\n\
             - {name: address, context: {cluster: d, user: alice}}\n- {name: proxy, context: {cluster: p, user: alice}}\n",
        ),
    ]);
    let at = home.path();
    let file = |name: &str| at.join(name).display().to_string();
    let refused = |name, args: &[&str], environment: &[(&str, &str)]| refused(name, at, args, environment);
    refused("no-kubeconfig", &["--dry-run=server"], &[]);
    refused("no-kubeconfig-context", &["--kube-context", "x"], &[("KUBERNETES_SERVICE_HOST", "127.0.0.1")]);
    refused("no-kubeconfig-variable", &["--dry-run=server"], &[("KUBECONFIG", &file("gone"))]);
    refused("no-kubeconfig-flag", &["--kubeconfig", &file("gone")], &[]);
    refused("no-context", &["--kubeconfig", &file("empty")], &[]);
    refused("malformed", &["--kubeconfig", &file("broken")], &[]);
    refused("malformed-form", &["--kubeconfig", &file("other")], &[]);
    let config = file("config");
    refused("current-context", &["--kubeconfig", &config], &[]);
    refused("unknown-context", &["--kubeconfig", &config, "--kube-context", "prodction"], &[]);
    refused("unknown-cluster", &["--kubeconfig", &config, "--kube-context", "staging"], &[]);
    refused("unknown-user", &["--kubeconfig", &config, "--kube-context", "nobody"], &[]);
    refused("address", &["--kubeconfig", &config, "--kube-context", "address"], &[]);
    refused("proxy", &["--kubeconfig", &config, "--kube-context", "proxy"], &[]);
    // Where an address has a password, nobody sees it; nor does anybody connect through the environment's proxy.
    refused(
        "password",
        &["--kubeconfig", &config, "--kube-context", "production"],
        &[("HTTPS_PROXY", "http://127.0.0.1:9")],
    );
    refused("request-timeout", &["--kubeconfig", &config, "--request-timeout", "soon"], &[]);
}

#[test]
fn servers_that_do_not_answer() {
    let home = folder(&[]);
    let at = home.path();
    let refused = |name, server: &str, more: &[&str]| {
        let config = kubeconfig(at, json!({"server": server}), json!({"token": "hunter2"})).display().to_string();
        refused(name, at, &[&["--kubeconfig", &config], more].concat(), &[]);
    };
    refused("unreachable", &format!("https://127.0.0.1:{}", free_port()), &[]);
    refused("no-such-host", "https://no-such-host.invalid", &[]);
    let silent = listener(|stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    let start = Instant::now();
    refused("slow-to-connect", &format!("https://{silent}"), &["--request-timeout", "300ms"]);
    refused("slow-to-answer", &format!("http://{silent}"), &["--request-timeout", "300ms"]);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    refused("closed", &format!("http://{}", listener(drop)), &[]);
    refused("no-tls", &format!("https://{}", says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")), &[]);
    refused(
        "broken-off",
        &format!("http://{}", says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"kind\": ")),
        &[],
    );
    refused(
        "page",
        &format!("http://{}", says("HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n<html></html>")),
        &[],
    );
    refused(
        "busy",
        &format!(
            "http://{}",
            says(
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 37\r\n\r\nToo many requests, try again later.\r\n"
            )
        ),
        &[],
    );
    refused("no-api", &format!("http://{}", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")), &[]);
}

/// A server that shows a certificate, and says nothing.
pub fn serving((certificate, key): (String, String)) -> String {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    listener(move |mut stream| {
        let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
        while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
    })
}

#[test]
fn certificates_that_are_not_good() {
    let home = folder(&[]);
    let at = home.path();
    let (authority, other) = (Authority::new(), Authority::new());
    fs::write(at.join("ca.crt"), &authority.pem).unwrap();
    for (name, served) in [
        ("certificate-expired", authority.sign_expired(&["127.0.0.1"])),
        ("certificate-untrusted", other.sign(&["127.0.0.1"])),
        ("certificate-of-another", authority.sign(&["cluster.example"])),
    ] {
        let cluster = json!({"server": format!("https://{}", serving(served)), "certificate-authority": "ca.crt"});
        let config = kubeconfig(at, cluster, json!({"token": "hunter2"})).display().to_string();
        refused(name, at, &["--kubeconfig", &config], &[]);
    }
    let cluster = json!({"server": "https://127.0.0.1:1", "certificate-authority": "no-such.crt"});
    let config = kubeconfig(at, cluster, json!({})).display().to_string();
    refused("no-authority", at, &["--kubeconfig", &config], &[]);
}

#[test]
fn credentials_that_are_not_good() {
    let server = Server::shared();
    let home = folder(&[
        ("fails.sh", "#!/bin/sh\necho hunter2\nexit 3\n"),
        ("prints.sh", "#!/bin/sh\necho '{token: hunter2}'\n"),
    ]);
    let at = home.path();
    let exec = |command: &str, args: &[&str]| json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": args, "interactiveMode": "Never"}});
    let mut missing = exec("no-such-program", &[]);
    missing["exec"]["installHint"] = "install it with: brew install it".into();
    for (name, user) in [
        ("unauthorized", json!({"token": "hunter2"})),
        ("anonymous", json!({})),
        ("token-file", json!({"tokenFile": "no-such-token"})),
        ("exec-missing", missing),
        ("exec-fails", exec("sh", &[&at.join("fails.sh").display().to_string(), "hunter2"])),
        ("exec-prints", exec("sh", &[&at.join("prints.sh").display().to_string()])),
        (
            "exec-unauthorized",
            exec(
                "echo",
                &[
                    r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "hunter2"}}"#,
                ],
            ),
        ),
    ] {
        let cluster = json!({"server": server.url(), "certificate-authority": server.authority()});
        let config = kubeconfig(at, cluster, user).display().to_string();
        refused(name, at, &["--kubeconfig", &config], &[]);
    }
    // A program that gives good ones, as cloud providers have.
    let token =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": ADMIN}});
    let cluster = json!({"server": server.url(), "certificate-authority": server.authority()});
    let config = kubeconfig(at, cluster, exec("echo", &[&token.to_string()])).display().to_string();
    let chart = chart("print .Release.Namespace");
    let run = render(chart.path(), at, &["--kubeconfig", &config], &[]);
    assert!(run.stdout.contains("it: \"mine\""), "{}", run.stderr);
}

#[test]
fn what_rbac_forbids_is_said_with_the_rule_that_would_allow_it() {
    let server = Server::shared();
    let config = server.kubeconfig(USERS[1]);
    let home = config.parent().unwrap();
    let config = config.display().to_string();
    for (name, question) in [
        ("forbidden-list", r#"lookup "apps/v1" "Deployment" "default" """#),
        ("forbidden-cluster", r#"lookup "v1" "Namespace" "" "default""#),
    ] {
        let chart = chart(question);
        let run = render(chart.path(), home, &["--kubeconfig", &config], &[]);
        assert_eq!(run.status, 2);
        told(name, &run.stderr, &[home, chart.path()]);
    }
}

#[test]
fn several_files_of_kubeconfig_are_one() {
    let server = Server::shared();
    let home = folder(&[(
        "users",
        "apiVersion: v1\nkind: Config\nusers: [{name: alice, user: {token: admin}}]\ncurrent-context: both\n",
    )]);
    let at = home.path();
    let clusters = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "none",
        "clusters": [{"name": "c", "cluster": {"server": server.url(), "certificate-authority": server.authority()}}],
        "users": [{"name": "alice", "user": {"token": "of the second file, which counts less"}}],
        "contexts": [{"name": "both", "context": {"cluster": "c", "user": "alice"}}],
    });
    fs::write(at.join("clusters"), clusters.to_string()).unwrap();
    let list = std::env::join_paths([at.join("gone"), at.join("users"), at.join("clusters")]).unwrap();
    let chart = chart(r#"(lookup "v1" "Namespace" "" "default").metadata.name"#);
    let run = render(chart.path(), at, &["--dry-run=server"], &[("KUBECONFIG", list.to_str().unwrap())]);
    assert!(run.stdout.contains("it: \"default\""), "{}", run.stderr);
    // Without a flag nobody is asked, whatever the environment has.
    let run = render(chart.path(), at, &[], &[("KUBECONFIG", list.to_str().unwrap())]);
    assert!(
        run.stdout.contains("it: \"<nil>\"") || run.stderr.contains("nil pointer"),
        "{} {}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn ctrl_c_ends_the_wait_for_a_server() {
    let home = folder(&[]);
    let silent = listener(|stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    let config = kubeconfig(home.path(), json!({"server": format!("http://{silent}")}), json!({}));
    let start = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["render", "asks", "charts/workspace", "--kubeconfig"])
        .arg(config)
        .current_dir(root())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_secs(1));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_is_down_is_told_at_once() {
    let mut server = Server::start();
    let config = server.kubeconfig(ADMIN);
    let home = config.parent().unwrap().to_owned();
    let config = config.display().to_string();
    let chart = chart(r#"(lookup "v1" "Namespace" "" "default").metadata.name"#);
    server.pause();
    let run = render(chart.path(), &home, &["--kubeconfig", &config], &[]);
    assert_eq!(run.status, 2, "{}", run.stdout);
    assert!(run.stderr.contains("nobody listens at"), "{}", run.stderr);
    server.resume();
    let run = render(chart.path(), &home, &["--kubeconfig", &config], &[]);
    assert!(run.stdout.contains("it: \"default\""), "{}", run.stderr);
}
