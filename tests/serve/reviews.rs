//! Questions and answers.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::common::authority::Authority;
use crate::program::{Serve, agent, command, creation, pod_review, privileged, try_post};

#[test]
fn a_pod_is_allowed_or_denied_with_what_is_wrong() {
    let serve = Serve::start(&[]);
    let allowed = serve.review(&pod_review(|_| ()));
    assert_eq!(allowed, json!({"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": true}));
    let denied = serve.review(&pod_review(privileged));
    assert_eq!(denied["allowed"], false);
    assert_eq!(denied["status"]["code"], 403);
    let message = denied["status"]["message"].as_str().unwrap();
    assert!(
        message.contains("pod-security/privileged: spec.containers[name=web].securityContext.privileged"),
        "{message}"
    );

    let metrics = serve.get("/metrics").text;
    for line in [
        "plimsoll_reviews_total{operation=\"CREATE\",kind=\"Pod\",verdict=\"allowed\"} 1",
        "plimsoll_reviews_total{operation=\"CREATE\",kind=\"Pod\",verdict=\"denied\"} 1",
        "plimsoll_policy_violations_total{policy=\"pod-security/privileged\",action=\"deny\"} 1",
        "plimsoll_review_duration_seconds_count 2",
        concat!("plimsoll_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
    assert!(serve.metric("plimsoll_policies").unwrap() > 10.0);
    assert!(serve.metric("plimsoll_certificate_expiry_timestamp_seconds").unwrap() > 1.7e9);
}

#[test]
fn kinds_of_users_make_no_labels_of_their_own() {
    let serve = Serve::start(&[]);
    for kind in ["Widget", "Gadget"] {
        let object = json!({"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "a"}});
        assert_eq!(serve.review(&creation("widgets", object))["allowed"], true);
    }
    let metrics = serve.get("/metrics").text;
    let line = "plimsoll_reviews_total{operation=\"CREATE\",kind=\"other\",verdict=\"allowed\"} 2";
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
}

#[test]
fn what_is_no_review_is_refused_and_counted() {
    let serve = Serve::start(&[]);
    let client = serve.client();
    let url = |path: &str| format!("https://{}{path}", serve.address);
    let post = |path: &str, kind: &str, body: &str| {
        let request = client.post(url(path)).header("Content-Type", kind);
        let mut response = request.send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    };
    let review = pod_review(|_| ()).to_string();
    for (path, kind, body, status, text, reason) in [
        ("/", "application/json", review.as_str(), 404, "POST /validate", "path"),
        ("/validate", "text/plain", &review, 415, "application/json", "content_type"),
        ("/validate?timeout=soon", "application/json", &review, 400, "a duration", "timeout_parameter"),
        ("/validate", "application/json", "{", 400, "no JSON", "malformed"),
        ("/validate", "application/json", "", 400, "no JSON", "malformed"),
        ("/validate", "application/json", "[]", 400, "AdmissionReview", "malformed"),
        ("/validate", "application/json", "{\"kind\": \"Pod\"}", 400, "AdmissionReview", "malformed"),
    ] {
        let before = count(&serve, reason);
        let (found, answer) = post(path, kind, body);
        assert_eq!(found, status, "{path} {kind} {answer}");
        assert!(answer.contains(text) && answer.ends_with('\n'), "{answer:?}");
        assert_eq!(count(&serve, reason), before + 1.0, "{reason}");
    }
    let response = client.get(url("/validate")).call().unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (405, &"POST".parse().unwrap()));
    let mut deep = "[".repeat(100_000);
    deep.push_str(&"]".repeat(100_000));
    assert_eq!(post("/validate", "application/json", &deep).0, 400);
    assert_eq!(serve.review(&pod_review(|_| ()))["allowed"], true);
}

fn count(serve: &Serve, reason: &str) -> f64 {
    serve.metric(&format!("plimsoll_request_errors_total{{reason=\"{reason}\"}}")).unwrap_or_default()
}

#[test]
fn health_tells_that_it_lives_and_is_ready() {
    let serve = Serve::start(&[]);
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/validate", 404)] {
        assert_eq!(serve.get(path).status, status, "{path}");
    }
}

#[test]
fn clients_must_have_a_certificate_where_an_authority_is_named() {
    let clients = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("clients.crt"), &clients.pem).unwrap();
    let serve = Serve::start_in(folder, &["--client-ca=clients.crt"]);
    let (url, review) = (format!("https://{}/validate", serve.address), pod_review(|_| ()).to_string());
    let ask = |own: Option<&(String, String)>| {
        try_post(&agent(&serve.authority.pem, own), &url, review.as_bytes()).map(|reply| reply.status)
    };
    assert_eq!(ask(Some(&clients.sign(&["apiserver"]))).unwrap(), 200);
    assert!(ask(None).is_err());
    assert!(ask(Some(&Authority::new().sign(&["apiserver"]))).is_err());
    assert!(ask(Some(&clients.sign_expired(&["apiserver"]))).is_err());
    assert_eq!(count(&serve, "handshake"), 3.0);
}

/// Two hundred reviews at once on one connection of HTTP/2.
#[test]
fn http2_is_spoken_where_the_client_does() {
    let serve = Serve::start(&[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let answers = runtime.block_on(async {
        let sender = http2(serve.address, &serve.authority.pem).await;
        let asked: Vec<_> = (0..200)
            .map(|index| {
                let mut sender = sender.clone();
                let review = if index % 2 == 0 { pod_review(|_| ()) } else { pod_review(privileged) };
                let request = Request::post("https://localhost/validate?timeout=30s")
                    .header("Content-Type", "application/json")
                    .body(Full::new(Bytes::from(review.to_string())))
                    .unwrap();
                tokio::spawn(async move {
                    let response = sender.send_request(request).await.unwrap();
                    assert_eq!(response.status(), 200);
                    let body = response.into_body().collect().await.unwrap().to_bytes();
                    serde_json::from_slice::<Value>(&body).unwrap()["response"]["allowed"] == true
                })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap());
        }
        answers
    });
    assert_eq!(answers, (0..200).map(|index| index % 2 == 0).collect::<Vec<_>>());
    assert_eq!(serve.metric("plimsoll_review_duration_seconds_count"), Some(200.0));
}

type Sender = hyper::client::conn::http2::SendRequest<Full<Bytes>>;

async fn http2(address: SocketAddr, authority: &str) -> Sender {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// How a start fails: its exit status and what it says.
fn refused(files: &[(&str, &str)], args: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = command(folder.path(), args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_it_cannot_start_with_is_told() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign(&["localhost"]);
    let (_, other) = authority.sign(&["localhost"]);
    let expired = authority.sign_expired(&["localhost"]);
    let pair = [("tls.crt", certificate.as_str()), ("tls.key", key.as_str())];
    for (files, args, wanted) in [
        (vec![], vec![], "tls.crt could not be read"),
        (vec![pair[0]], vec![], "tls.key could not be read"),
        (vec![("tls.crt", &*other), pair[1]], vec![], "tls.crt has no certificate in PEM form"),
        (vec![pair[0], ("tls.key", &*certificate)], vec![], "tls.key has no private key in PEM form"),
        (vec![("tls.crt", "-----BEGIN CERTIFICATE-----\nAA"), pair[1]], vec![], "tls.crt has a broken certificate"),
        (vec![pair[0], ("tls.key", &*other)], vec![], "the key in tls.key is not that of the certificate in tls.crt"),
        (vec![("tls.crt", &*expired.0), ("tls.key", &*expired.1)], vec![], "expired at 2021-01-01T00:00:00Z"),
        (pair.to_vec(), vec!["--client-ca=tls.key"], "tls.key has no certificate in PEM form"),
        (pair.to_vec(), vec!["--policy=no-such"], "there is no policy no-such"),
        (pair.to_vec(), vec!["--policies=mine"], "mine: "),
        (pair.to_vec(), vec!["--address=203.0.113.1:1"], "203.0.113.1:1 cannot be listened on"),
        ([&pair[..], &[("plimsoll.yaml", "polices: []\n")]].concat(), vec![], "plimsoll.yaml"),
    ] {
        let (status, text) = refused(&files, &args);
        assert_eq!(status, 2, "{text}");
        assert!(text.contains(wanted), "expected {wanted:?}, found:\n{text}");
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
}
