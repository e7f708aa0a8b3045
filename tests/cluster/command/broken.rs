//! Servers that are not there, not trusted, too slow, or gone in the middle; and Ctrl-C.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Desk, Running, line, maps, says};
use crate::common::authority::Authority;
use crate::common::{folder, plimsoll, root};
use crate::connect::{kubeconfig, listener, serving};
use crate::program::wait;
use crate::server::{Server, free_port};

/// Runs the commands that need a cluster with a kubeconfig that leads to no good one.
fn told(config: &Path, more: &[&str], parts: &[&str]) {
    let config = config.display().to_string();
    for args in [
        &["apply", "-f", "-", "--name", "web", "--yes"][..],
        &["diff", "--live", "-f", "-", "--name", "web"],
        &["uninstall", "web", "--yes"],
    ] {
        let start = Instant::now();
        let run = plimsoll(root(), &[args, &["--kubeconfig", &config], more].concat(), &maps(1));
        says(&run, 2, parts);
        assert_eq!(run.stdout, "", "{args:?}");
        assert!(start.elapsed() < Duration::from_secs(15), "{args:?}: {:?}", start.elapsed());
    }
}

#[test]
fn servers_that_are_not_there() {
    let home = folder(&[]);
    let authority = Authority::new();
    fs::write(home.path().join("ca.crt"), &authority.pem).unwrap();
    let config = |address: &str| {
        let cluster = json!({"server": format!("https://{address}"), "certificate-authority": "ca.crt"});
        kubeconfig(home.path(), cluster, json!({"token": "hunter2"}))
    };
    told(&config(&format!("127.0.0.1:{}", free_port())), &[], &["nobody listens at"]);
    let silent = listener(|stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    told(&config(&silent), &["--request-timeout", "300ms"], &["300ms"]);
    let expired = serving(authority.sign_expired(&["127.0.0.1"]));
    told(&config(&expired), &[], &["the certificate of", "expired"]);
}

/// A file with so many ConfigMaps.
fn file(count: usize) -> tempfile::TempDir {
    folder(&[("maps.yaml", &maps(count))])
}

fn count(desk: &Desk<'_>) -> usize {
    desk.names("configmaps").len()
}

#[test]
fn ctrl_c_says_what_was_applied_and_leaves_no_lock() {
    let desk = Desk::new(Server::shared(), "interrupt");
    let folder = file(600);
    let child = desk.begin(&folder.path().join("maps.yaml"));
    wait(|| (count(&desk) > 10).then_some(())).expect("it has begun");
    assert!(Command::new("kill").args(["-INT", &child.child.id().to_string()]).status().unwrap().success());
    let run = child.end();
    let applied = count(&desk);
    says(&run, 2, &["interrupted", &format!("{applied} of 600 objects applied; not tried: "), "apply again"]);
    assert!((11..600).contains(&applied), "{applied}");
    assert!(!desk.is_locked());
    let rest = format!("600 objects applied: {} created, 0 configured, {applied} unchanged", 600 - applied);
    says(&desk.apply(&maps(600), &[]), 0, &[&rest]);
}

/// An apply that is in the middle of its objects.
fn begun(server: &Server, namespace: &str, manifests: &Path) -> Running {
    let desk = Desk::by(server, crate::server::ADMIN, namespace.to_owned());
    let child = desk.begin(manifests);
    wait(|| (count(&desk) > 20).then_some(())).expect("it has begun");
    child
}

#[test]
fn a_server_that_is_restarted_in_the_middle_has_everything_once() {
    let mut server = Server::start();
    let namespace = server.namespace("restart");
    let folder = file(400);
    let run = {
        let child = begun(&server, &namespace, &folder.path().join("maps.yaml"));
        server.pause();
        thread::sleep(Duration::from_secs(1));
        server.resume();
        child.end()
    };
    says(&run, 0, &["400 objects applied: 400 created"]);
    let desk = Desk::by(&server, crate::server::ADMIN, namespace);
    assert_eq!(count(&desk), 400);
    assert!(!desk.is_locked());
    says(&desk.apply(&maps(400), &[]), 0, &["400 unchanged"]);
}

#[test]
fn a_server_that_stays_away_in_the_middle_is_told_with_what_is_not_known() {
    let mut server = Server::start();
    let namespace = server.namespace("away");
    let folder = file(400);
    let child = begun(&server, &namespace, &folder.path().join("maps.yaml"));
    server.pause();
    let run = child.end();
    says(&run, 2, &["nobody listens at", "; it may be stored or not", " of 400 objects applied; not tried: ConfigMap"]);
    server.resume();
    let desk = Desk::by(&server, crate::server::ADMIN, namespace);
    let applied = count(&desk);
    let told: usize =
        line(&run.stderr).split(" of 400 objects").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(applied >= told, "{applied} are there, {told} were told");
    // The lock was left behind: who comes next waits until it is known that nobody renews it.
    says(&desk.apply(&maps(400), &[]), 0, &[&format!("{} created, 0 configured, {applied} unchanged", 400 - applied)]);
    assert_eq!(count(&desk), 400);
    assert!(!desk.is_locked());
}
