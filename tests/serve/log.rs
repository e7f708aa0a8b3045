//! What is logged, and what is not.

use serde_json::{Value, json};

use crate::program::{Serve, creation, pod_review, privileged};

#[test]
fn each_review_is_a_line_of_json() {
    let serve = Serve::start(&[]);
    let mut review = pod_review(privileged);
    review["request"]["dryRun"] = true.into();
    serve.review(&review);
    let line: Value = serde_json::from_str(&serve.logged("\"review\"")).unwrap();
    for (field, wanted) in [
        ("level", "INFO"),
        ("uid", "705ab4f5-6393-11e8-b7cc-42010a800002"),
        ("operation", "CREATE"),
        ("kind", "Pod"),
        ("namespace", "shop"),
        ("name", "web"),
        ("verdict", "denied"),
    ] {
        assert_eq!(line[field], wanted, "{line}");
    }
    assert_eq!(line["dry_run"], true);
    assert!(line["denied"].as_str().unwrap().contains("pod-security/privileged"), "{line}");
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    for line in serve.log().lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn no_secrets_and_no_users_are_logged() {
    let serve = Serve::start(&["--log-level=debug", "--profile=all"]);
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop", "annotations": {"note": "hunter2-annotation"}},
        "stringData": {"password": "hunter2-plain"},
        "data": {"token": "aHVudGVyMi1lbmNvZGVk"},
    });
    serve.review(&creation("secrets", secret));
    let token = "ghp_hunter2ABCDEFGHIJKLMNOPQRSTUVWXYZ012";
    serve.review(&pod_review(|pod| {
        privileged(pod);
        pod["spec"]["containers"][0]["env"] = json!([{"name": "GITHUB_TOKEN", "value": token}]);
        pod["spec"]["containers"][0]["args"] = json!(["--password=hunter2-argument"]);
    }));
    let client = serve.client();
    let url = format!("https://{}/validate", serve.address);
    let broken = r#"{"kind": "hunter2-broken", "request": {"object": {"data": {"a": "hunter2-broken"#;
    let request = client.post(&url).header("Authorization", "Bearer hunter2-header");
    assert_eq!(request.header("Content-Type", "application/json").send(broken).unwrap().status(), 400);
    serve.logged("malformed");
    let log = serve.log();
    for text in ["hunter2", "aHVudGVy", "mallory", "system:authenticated"] {
        assert!(!log.contains(text), "{text}: {log}");
    }
}

#[test]
fn names_of_clients_forge_no_lines() {
    let serve = Serve::start(&["--log-level=info"]);
    let mut review = pod_review(|_| ());
    review["request"]["name"] = "web\n{\"level\":\"INFO\",\"forged\":true}\u{1b}[2J".into();
    review["request"]["uid"] = "\u{202e}uid".into();
    serve.post("/validate", review.to_string());
    serve.logged("\"review\"");
    let log = serve.log();
    assert!(!log.lines().any(|line| line.starts_with("{\"level\":\"INFO\",\"forged\"")), "{log}");
    assert!(!log.contains(['\u{1b}', '\u{202e}']), "{log}");
}

#[test]
fn the_start_says_what_is_served_and_what_is_not() {
    let serve = Serve::start(&["--profile=all"]);
    let line = |text: &str| -> Value { serde_json::from_str(&serve.logged(text)).unwrap() };
    assert!(line("policies were read")["policies"].as_u64().unwrap() > 20);
    assert!(line("API server sends one object at a time")["policies"].as_str().unwrap().contains('/'));
    assert_eq!(line("reviews are answered")["path"], "/validate");
    assert_eq!(serve.log().matches("policies were read").count(), 1);
}
