//! Clients that ask for too much, or take too long.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::program::{Serve, pod_review};

/// Longer than `--read-timeout=1s` would let anything take, by as much as a busy machine may.
const SOON: Duration = Duration::from_secs(20);

/// A connection of HTTP/1.1 over TLS, to be used badly.
fn tls(serve: &Serve) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(serve.authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let stream = serve.connect();
    stream.set_read_timeout(Some(SOON)).unwrap();
    StreamOwned::new(client, stream)
}

/// What comes until the server closes; it must do so soon.
fn until_closed(stream: &mut impl Read) -> String {
    let start = Instant::now();
    let mut text = Vec::new();
    // It may end without a farewell.
    let ended = stream.read_to_end(&mut text);
    assert!(start.elapsed() < SOON, "{ended:?} after {:?}", start.elapsed());
    String::from_utf8_lossy(&text).into_owned()
}

fn errors(reason: &str) -> String {
    format!("plimsoll_request_errors_total{{reason=\"{reason}\"}}")
}

#[test]
fn a_body_is_read_up_to_a_size() {
    let serve = Serve::start(&["--max-request-bytes=100000"]);
    let most = |filler: usize| {
        let review = pod_review(|pod| pod["metadata"]["annotations"] = serde_json::json!({"a": "x".repeat(filler)}));
        serve.post("/validate", review.to_string()).status
    };
    assert_eq!(most(90_000), 200);
    assert_eq!(most(100_000), 413);
    // A length that is only announced, and one that is not.
    let head = "POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    let mut stream = tls(&serve);
    write!(stream, "{head}Content-Length: 99999999999\r\n\r\n").unwrap();
    assert!(until_closed(&mut stream).starts_with("HTTP/1.1 413"));
    let mut stream = tls(&serve);
    write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, " ".repeat(60_000));
    write!(stream, "{chunk}{chunk}").unwrap();
    assert!(until_closed(&mut stream).starts_with("HTTP/1.1 413"));
    assert_eq!(serve.metric(&errors("too_large")), Some(3.0));
}

#[test]
fn headers_are_read_up_to_a_size() {
    let serve = Serve::start(&[]);
    let mut stream = tls(&serve);
    // The server may close before all is written.
    let _ = write!(stream, "POST /validate HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "x".repeat(100_000));
    let answer = until_closed(&mut stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    serve.metric_becomes(&errors("broken"), 1.0);
    assert_eq!(serve.review(&pod_review(|_| ()))["allowed"], true);
}

#[test]
fn who_is_slow_is_not_waited_for() {
    let serve = Serve::start(&["--read-timeout=1s"]);
    // No handshake, half a handshake, no request, half of its headers, half of its body.
    let mut silent = serve.connect();
    let mut half = serve.connect();
    half.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
    for stream in [&mut silent, &mut half] {
        stream.set_read_timeout(Some(SOON)).unwrap();
    }
    let mut nothing = tls(&serve);
    nothing.conn.complete_io(&mut nothing.sock).unwrap();
    let mut headers = tls(&serve);
    headers.write_all(b"POST /validate HTTP/1.1\r\nHost: a\r\n").unwrap();
    let mut body = tls(&serve);
    let head = "POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    body.write_all(head.as_bytes()).unwrap();

    assert_eq!(until_closed(&mut silent), "");
    assert_eq!(until_closed(&mut half), "");
    assert_eq!(until_closed(&mut nothing), "");
    assert_eq!(until_closed(&mut headers), "");
    assert!(until_closed(&mut body).starts_with("HTTP/1.1 408"));
    serve.metric_becomes(&errors("slow_handshake"), 2.0);
    serve.metric_becomes(&errors("silent"), 2.0);
    serve.metric_becomes(&errors("slow_body"), 1.0);
    serve.metric_becomes("plimsoll_connections", 0.0);
}

#[test]
fn a_flood_of_connections_keeps_nobody_from_a_review() {
    let serve = Serve::start(&[]);
    let flood: Vec<TcpStream> = (0..500).map(|_| serve.connect()).collect();
    serve.metric_becomes("plimsoll_connections", 500.0);
    assert_eq!(serve.review(&pod_review(|_| ()))["allowed"], true);
    drop(flood);
    serve.metric_becomes("plimsoll_connections", 0.0);
}

/// Connections that there is no place for wait until there is one; health is asked for elsewhere.
#[test]
fn so_many_connections_are_open_at_once_and_no_more() {
    let serve = Serve::start(&["--max-connections=10", "--read-timeout=3s"]);
    let flood: Vec<TcpStream> = (0..100).map(|_| serve.connect()).collect();
    serve.metric_becomes("plimsoll_connections", 10.0);
    assert_eq!(serve.get("/healthz").status, 200);
    drop(flood);
    assert_eq!(serve.review(&pod_review(|_| ()))["allowed"], true);
    assert!(serve.metric(&errors("no_place")).unwrap() >= 1.0);
}
