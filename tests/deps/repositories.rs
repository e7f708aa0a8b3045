//! Chart repositories over HTTP.

use std::time::Instant;

use super::server::{Reply, Request, Server};
use super::*;

/// An index with one chart, `web`, in two versions.
fn index(url: &str, digest: &str) -> String {
    format!(
        "apiVersion: v1
entries:
  web:
  - {{apiVersion: v2, name: web, version: 1.2.0, urls: ['{url}'], digest: '{digest}'}}
  - {{apiVersion: v2, name: web, version: 2.0.0, urls: [web-2.0.0.tgz]}}
"
    )
}

fn workspace(host: &str) -> Workspace {
    Workspace::with_dependencies(&format!("- {{name: web, version: ^1, repository: 'http://{host}/stable'}}\n"))
}

/// A repository that is all right, but for the answers that `fault` gives.
fn repository(fault: impl Fn(&Request, &str) -> Option<Reply> + Send + Sync + 'static) -> Server {
    Server::start(move |request, host| {
        fault(request, host).unwrap_or_else(|| match request.path.as_str() {
            "/stable/index.yaml" => Reply::ok(index(
                "files/web-1.2.0.tgz",
                &repository::Digest::of(&archive("web", "1.2.0")).to_string()[7..],
            )),
            "/stable/files/web-1.2.0.tgz" => Reply::ok(archive("web", "1.2.0")),
            _ => Reply::status(404),
        })
    })
}

#[test]
fn the_newest_version_that_fits_is_fetched() {
    let server = repository(|_, _| None);
    let workspace = workspace(&server.host);
    workspace.write("app/charts/web-1.0.0.tgz", archive("web", "1.0.0"));
    let outcome = workspace.update();
    assert_eq!(outcome.removed, ["web-1.0.0.tgz"]);
    assert_eq!(workspace.charts(), ["web-1.2.0.tgz"]);
    assert!(workspace.read("app/Chart.lock").contains("version: 1.2.0\n"));
    workspace.run(&Options { locked: true, ..options() }).unwrap();
    let asked: Vec<String> = server.asked().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/stable/index.yaml", "/stable/files/web-1.2.0.tgz"].repeat(2));
}

#[test]
fn an_index_is_fetched_once() {
    let server = repository(|_, _| None);
    let workspace = Workspace::with_dependencies(&format!(
        "- {{name: web, version: ^1, repository: 'http://{0}/stable'}}\n- {{name: web, version: 1.2.0, alias: b, repository: 'http://{0}/stable'}}\n",
        server.host
    ));
    assert_eq!(workspace.update().saved.len(), 1);
    assert_eq!(server.asked().iter().filter(|request| request.path.ends_with("index.yaml")).count(), 1);
}

#[test]
fn redirects_are_followed() {
    let server = repository(|request, host| match request.path.as_str() {
        "/stable/index.yaml" => None,
        "/stable/files/web-1.2.0.tgz" => Some(Reply::redirect("../cdn/1")),
        "/stable/cdn/1" => Some(Reply::redirect(format!("http://{host}/2"))),
        _ => Some(Reply::ok(archive("web", "1.2.0"))),
    });
    let workspace = workspace(&server.host);
    workspace.update();
    assert_eq!(workspace.charts(), ["web-1.2.0.tgz"]);
}

type Fault = fn(&Request, &str) -> Option<Reply>;

fn is_index(request: &Request) -> bool {
    request.path.ends_with("index.yaml")
}

#[test]
fn faults_are_errors_and_change_nothing() {
    let faults: &[(&str, Fault)] = &[
        ("index.yaml: the server answered 404", |r, _| is_index(r).then(|| Reply::status(404))),
        ("index.yaml: the server answered 500", |r, _| is_index(r).then(|| Reply::status(500))),
        ("index.yaml: the server answered 401: it wants a user name", |r, _| is_index(r).then(|| Reply::status(401))),
        ("is no index of a chart repository: no API version specified", |r, _| {
            is_index(r).then(|| Reply::ok("<html>"))
        }),
        ("is no index of a chart repository: it is not UTF-8", |r, _| is_index(r).then(|| Reply::ok(b"\xff"))),
        ("web chart not found in repo http://", |r, _| is_index(r).then(|| Reply::ok("apiVersion: v1\nentries: {}"))),
        ("index.yaml: the answer is larger than 64 MiB", |r, _| is_index(r).then(|| Reply::ok("").claiming(1 << 30))),
        ("index.yaml: redirected more than 5 times", |r, _| is_index(r).then(|| Reply::redirect("/a/index.yaml"))),
        ("redirected to something that is no address", |r, _| {
            is_index(r).then(|| Reply::redirect("file:///etc/passwd"))
        }),
        ("is no index", |r, _| is_index(r).then(|| Reply::ok(format!("a: {}", "[".repeat(100_000))))),
        ("an address for web 1.2.0 that cannot be used, \"ftp://x\"", |r, _| {
            is_index(r).then(|| Reply::ok(index("ftp://x", "")))
        }),
        ("has the digest sha256:", |r, _| {
            is_index(r).then(|| Reply::ok(index("files/web-1.2.0.tgz", &"0".repeat(64))))
        }),
        ("web-1.2.0.tgz: the server answered 404", |r, _| (!is_index(r)).then(|| Reply::status(404))),
        ("web-1.2.0.tgz: ", |r, _| (!is_index(r)).then(|| Reply::ok(archive("web", "1.2.0")).claiming(100_000))),
        ("the answer is larger than 100 MiB", |r, _| (!is_index(r)).then(|| Reply::ok("").claiming(1 << 40))),
        ("web-1.2.0.tgz has the digest", |r, _| (!is_index(r)).then(|| Reply::ok("x"))),
        ("is no chart", |r, _| Some(if is_index(r) { Reply::ok(index("x", "")) } else { Reply::ok("x") })),
        ("holds other 1.2.0, not web 1.2.0", |r, _| {
            Some(if is_index(r) { Reply::ok(index("x", "")) } else { Reply::ok(archive("other", "1.2.0")) })
        }),
        ("holds web 1.1.0, not web 1.2.0", |r, _| {
            Some(if is_index(r) { Reply::ok(index("x", "")) } else { Reply::ok(archive("web", "1.1.0")) })
        }),
    ];
    for (text, fault) in faults {
        let server = repository(fault);
        let workspace = workspace(&server.host);
        workspace.write("app/charts/web-1.0.0.tgz", archive("web", "1.0.0"));
        let error = workspace.refused(&options()).to_string();
        assert!(error.contains(text), "{text}: {error}");
    }
}

#[test]
fn slow_servers_are_given_up() {
    let server = repository(|_, _| Some(Reply::ok("apiVersion: v1").after(Duration::from_secs(60))));
    let workspace = workspace(&server.host);
    let mut options = options();
    options.network.as_mut().unwrap().timeout = Duration::from_millis(300);
    let started = Instant::now();
    let error = workspace.refused(&options).to_string();
    assert!(error.ends_with("index.yaml: no complete answer within 0.3 s"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_password_is_for_its_server_only() {
    let elsewhere = Server::start(|_, _| Reply::ok(archive("web", "1.2.0")));
    let other = elsewhere.host.clone();
    let server = Server::start(move |request, _| match (request.path.as_str(), &request.authorization) {
        (_, None) => Reply::status(401),
        ("/stable/index.yaml", _) => Reply::ok(index("web-1.2.0.tgz", "")),
        _ => Reply::redirect(format!("http://{other}/web-1.2.0.tgz")),
    });
    let workspace = workspace(&server.host);

    let error = workspace.refused(&options());
    assert!(error.help().unwrap().contains(&format!("--login {} --username", server.host)), "{:?}", error.help());
    let error = workspace.refused(&with_login("other.example.com"));
    assert!(error.to_string().contains("it wants a user name and password"), "{error}");
    let mut encrypted = with_login(&server.host);
    encrypted.network.as_mut().unwrap().plain_http = false;
    workspace.refused(&encrypted);
    assert!(server.asked().iter().all(|request| request.authorization.is_none()));

    workspace.run(&with_login(&server.host)).unwrap();
    assert_eq!(server.asked().last().unwrap().authorization.as_deref(), Some(BASIC));
    let seen = elsewhere.asked();
    assert!(seen.len() == 1 && seen[0].authorization.is_none(), "{seen:?}");
}

#[test]
fn a_wrong_password_is_said_to_be_wrong_and_not_shown() {
    let server = Server::start(|_, _| Reply::status(401));
    let workspace = workspace(&server.host);
    let error = workspace.refused(&with_login(&server.host));
    assert!(error.to_string().ends_with("the server answered 401: it refuses the user name or password"), "{error}");
    assert!(!format!("{error} {error:?} {:?}", error.help()).contains("hunter2"));
}

#[test]
fn servers_that_are_not_there_are_errors() {
    let workspace = workspace("127.0.0.1:9");
    assert!(workspace.refused(&options()).to_string().contains("/stable/index.yaml: "));
    let workspace = Workspace::with_dependencies("- {name: web, version: 1, repository: 'https://127.0.0.1:9'}\n");
    assert!(workspace.refused(&options()).to_string().starts_with("https://127.0.0.1:9/index.yaml: "));
}

#[test]
fn indexes_may_be_json() {
    let server = Server::start(|request, _| match is_index(request) {
        true => Reply::ok(
            r#"{"apiVersion": "v1",
                "entries": {"web": [{"name": "web", "version": "1.2.0", "urls": ["\ud83d\ude00"]}]}}"#,
        ),
        false => Reply::ok(archive("web", "1.2.0")),
    });
    let workspace = workspace(&server.host);
    workspace.update();
    assert_eq!(server.asked()[1].path, "/stable/%F0%9F%98%80");
}

#[test]
fn a_hundred_thousand_entries_are_quick() {
    let server = Server::start(|request, _| {
        if !is_index(request) {
            return Reply::ok(archive("web", "1.2.0"));
        }
        let mut index = String::from("apiVersion: v1\nentries:\n");
        for chart in (0..1_000).map(|i| format!("c{i}")).chain(["web".into()]) {
            index.push_str(&format!("  {chart}:\n"));
            for version in (0..100).map(|i| format!("0.{i}.0")).chain(["1.2.0".into()]) {
                index.push_str(&format!("  - name: {chart}\n    urls:\n    - {chart}.tgz\n    version: {version}\n"));
            }
        }
        Reply::ok(index)
    });
    let started = Instant::now();
    workspace(&server.host).update();
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}
