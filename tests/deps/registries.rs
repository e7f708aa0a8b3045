//! OCI registries, as far as a test can play one.

use super::server::{Reply, Request, Server};
use super::*;

const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

fn manifest(config: &str, digest: &str, size: usize) -> String {
    format!(
        r#"{{"schemaVersion": 2, "config": {{"mediaType": "{config}", "digest": "sha256:0", "size": 2}},
            "layers": [{{"mediaType": "{LAYER}", "digest": "{digest}", "size": {size}}}]}}"#
    )
}

fn digest(bytes: &[u8]) -> String {
    repository::Digest::of(bytes).to_string()
}

/// `web` in the versions 1.2.0 and 1.10.0+b, the tags on two pages.
fn answer(request: &Request) -> Reply {
    let tgz = archive("web", "1.10.0+b");
    match request.path.as_str() {
        "/v2/charts/web/tags/list" => Reply::ok(r#"{"name": "charts/web", "tags": ["1.2.0", "latest", "2.0.0-rc.1"]}"#)
            .header("Link", r#"</v2/charts/web/tags/list?last=2.0.0-rc.1>; rel="next""#),
        "/v2/charts/web/tags/list?last=2.0.0-rc.1" => Reply::ok(r#"{"tags": ["1.10.0_b", "v3", "1.9.0"]}"#),
        "/v2/charts/web/manifests/1.10.0_b" => Reply::ok(manifest(CONFIG, &digest(&tgz), tgz.len())),
        path if path.strip_prefix("/v2/charts/web/blobs/").is_some_and(|asked| asked == digest(&tgz)) => Reply::ok(tgz),
        _ => Reply::status(404),
    }
}

/// Answers who shows the token `1` or `2`, and says where to get one. Tokens are numbered; `is_old` says which have
/// expired by the time of a request.
fn with_tokens(is_old: fn(&Request, &str) -> bool) -> Server {
    let given = std::sync::atomic::AtomicUsize::new(0);
    Server::start(move |request, host| {
        if let Some(query) = request.path.strip_prefix("/token?") {
            if request.authorization.as_deref() != Some(BASIC)
                || query != "service=reg&scope=repository%3Acharts%2Fweb%3Apull"
            {
                return Reply::status(401);
            }
            let number = given.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
            return Reply::ok(format!(r#"{{"token": "{number}", "expires_in": 1}}"#));
        }
        let token = request.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer "));
        match token {
            Some(token) if !is_old(request, token) => answer(request),
            _ => Reply::status(401).header(
                "WWW-Authenticate",
                format!(r#"Bearer realm="http://{host}/token",service="reg",scope="repository:charts/web:pull""#),
            ),
        }
    })
}

fn workspace(host: &str, version: &str) -> Workspace {
    Workspace::with_dependencies(&format!("- {{name: web, version: '{version}', repository: 'oci://{host}/charts'}}\n"))
}

#[test]
fn the_newest_tag_that_fits_is_pulled() {
    let server = Server::start(|request, _| answer(request));
    let workspace = workspace(&server.host, "^1");
    workspace.update();
    assert_eq!(workspace.charts(), ["web-1.10.0+b.tgz"]);
    assert!(workspace.read("app/Chart.lock").contains("version: 1.10.0+b\n"));
    let before = server.asked().len();
    workspace.run(&Options { locked: true, ..options() }).unwrap();
    assert_eq!(server.asked().len() - before, 2, "a manifest and a layer");
}

#[test]
fn tokens_are_fetched_and_renewed() {
    let server = with_tokens(|request, token| token == "1" && request.path.contains("/blobs/"));
    let workspace = workspace(&server.host, "^1");
    workspace.run(&with_login(&server.host)).unwrap();
    assert_eq!(workspace.charts(), ["web-1.10.0+b.tgz"]);
    let tokens = server.asked().iter().filter(|request| request.path.starts_with("/token")).count();
    assert_eq!(tokens, 2, "one for the tags and the manifest, one for the layer");
    assert!(server.asked().iter().all(|request| {
        let is_password = request.authorization.as_deref() == Some(BASIC);
        is_password == request.path.starts_with("/token")
    }));
}

#[test]
fn basic_authentication_works_too() {
    let server = Server::start(|request, _| match request.authorization.as_deref() {
        Some(BASIC) => answer(request),
        _ => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\""),
    });
    let workspace = workspace(&server.host, "1.10.0+b");
    let error = workspace.refused(&options());
    assert!(error.to_string().ends_with("the server answered 401: it wants a user name and password"), "{error}");
    assert!(error.help().unwrap().contains(&format!("--login {}", server.host)));
    workspace.run(&with_login(&server.host)).unwrap();
}

#[test]
fn refusals_are_clear() {
    let expired = with_tokens(|_, _| true);
    let error = workspace(&expired.host, "^1").refused(&with_login(&expired.host)).to_string();
    assert!(error.contains("refuses the token that http://") && error.ends_with("/token gave out"), "{error}");

    let tokens = with_tokens(|_, _| false);
    let error = workspace(&tokens.host, "^1").refused(&options());
    assert!(
        error.to_string().contains("/token: the server answered 401: it wants a user name and password"),
        "{error}"
    );
    assert!(error.help().unwrap().contains(&format!("--login {}", tokens.host)));
    let mut wrong = with_login(&tokens.host);
    wrong.network.as_mut().unwrap().login.as_mut().unwrap().password = "wrong".into();
    let error = workspace(&tokens.host, "^1").refused(&wrong).to_string();
    assert!(error.contains("it refuses the user name or password"), "{error}");

    let plain = Server::start(|request, _| answer(request));
    for (version, error) in [
        ("1.3.0", "the registry has no tag \"1.3.0\" of this chart"),
        ("^2", "can't get a valid version for 1 subchart(s): \"web\" (repository \"oci://"),
    ] {
        let found = workspace(&plain.host, version).refused(&options()).to_string();
        assert!(found.contains(error), "{found}");
    }
    let nothing = Server::start(|_, _| Reply::status(404));
    let error = workspace(&nothing.host, "^1").refused(&options()).to_string();
    assert!(error.ends_with("/charts/web: the registry has no chart of this name"), "{error}");
}

#[test]
fn what_is_no_chart_or_not_the_promised_bytes_is_refused() {
    type Answer = fn(&Request) -> Reply;
    let faults: &[(&str, Answer)] = &[
        ("the registry's manifest cannot be read", |_| Reply::ok("<html>")),
        ("the registry's manifest cannot be read: \"sha256:../x\" is no SHA-256", |_| {
            Reply::ok(manifest(CONFIG, "sha256:../x", 1))
        }),
        ("this is no Helm chart: its manifest has no configuration", |_| Reply::ok("{}")),
        ("this is no Helm chart: its configuration is \"x\"", |_| Reply::ok(manifest("x", "", 1))),
        ("the manifest has the digest", |_| {
            Reply::ok("{}").header("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64)))
        }),
        ("the answer is larger than 100 MiB", |_| Reply::ok(manifest(CONFIG, &digest(b""), 1 << 40))),
        ("the answer is larger than 4 MiB", |_| Reply::ok("").claiming(1 << 30)),
        ("the archive has the digest", |request| match request.path.contains("/blobs/") {
            true => Reply::ok("y"),
            false => Reply::ok(manifest(CONFIG, &digest(b"x"), 1)),
        }),
        ("the server answered 404", |request| match request.path.contains("/blobs/") {
            true => Reply::status(404),
            false => Reply::ok(manifest(CONFIG, &digest(b"x"), 1)),
        }),
        ("is no chart", |request| match request.path.contains("/blobs/") {
            true => Reply::ok("x"),
            false => Reply::ok(manifest(CONFIG, &digest(b"x"), 1)),
        }),
    ];
    for (text, fault) in faults {
        let server = Server::start(move |request, _| fault(request));
        let error = workspace(&server.host, "1.0.0").refused(&options()).to_string();
        assert!(error.contains(text), "{text}: {error}");
    }
}

#[test]
fn tags_without_end_are_given_up() {
    let server = Server::start(|request, _| {
        Reply::ok(r#"{"tags": null}"#).header("Link", format!("<{}x>; rel=\"next\"", request.path))
    });
    let error = workspace(&server.host, "^1").refused(&options()).to_string();
    assert!(error.contains("list of tags"), "{error}");
}

#[test]
fn repositories_may_keep_their_archives_in_a_registry() {
    let server = Server::start(|request, host| match request.path.as_str() {
        "/index.yaml" => Reply::ok(format!(
            "apiVersion: v1\nentries:\n  web:\n  - {{name: web, version: 1.10.0+b, urls: ['oci://{host}/charts/web:1.10.0_b'], digest: '{}'}}\n",
            digest(&archive("web", "1.10.0+b"))
        )),
        _ => answer(request),
    });
    let workspace =
        Workspace::with_dependencies(&format!("- {{name: web, version: ^1, repository: 'http://{}'}}\n", server.host));
    workspace.update();
    assert_eq!(workspace.charts(), ["web-1.10.0+b.tgz"]);
}
