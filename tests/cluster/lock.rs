//! Two at once on one release.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::applyset::{Release, config_map};
use super::server::Server;

fn lease(server: &Server, namespace: &str) -> (u16, Value) {
    let answer = server.get(&format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/plimsoll-web"));
    (answer.status, answer.body)
}

fn foreign(server: &Server, namespace: &str, spec: &Value) {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
    let metadata = json!({"name": "plimsoll-web"});
    server.post(
        &path,
        &json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}),
    );
}

#[test]
fn the_second_is_told_who_the_first_is() {
    let server = Server::shared();
    let namespace = server.namespace("lock");
    let first = Release::new(server, &namespace, "web");
    let second = Release::new(server, &namespace, "web");
    let lock = first.lock().unwrap();
    lock.check().unwrap();
    let (_, held) = lease(server, &namespace);
    let holder = held["spec"]["holderIdentity"].as_str().unwrap();
    assert!(holder.starts_with(&format!("admin, plimsoll v{}, process ", env!("CARGO_PKG_VERSION"))), "{holder}");

    let start = Instant::now();
    let error = second.lock().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(error.is_taken());
    let beginning = format!("somebody else is at work on the release web: {holder} since 20");
    assert!(error.message.starts_with(&beginning) && error.message.contains("and holds the lock until 20"), "{error}");
    assert!(error.help.unwrap().contains(&format!("Lease {namespace}/plimsoll-web")));

    // It is renewed, and still the first one's.
    lock.check().unwrap();
    let (_, renewed) = lease(server, &namespace);
    assert_eq!(renewed["spec"]["holderIdentity"], holder);
    assert_eq!(renewed["spec"]["acquireTime"], held["spec"]["acquireTime"]);
    assert_ne!(renewed["spec"]["renewTime"], held["spec"]["renewTime"]);
    drop(lock);
    assert_eq!(lease(server, &namespace).0, 404);
    drop(second.lock().unwrap());
    // Another release has another lock.
    let _first = first.lock().unwrap();
    Release::new(server, &namespace, "other").lock().unwrap();
}

#[test]
fn of_many_at_once_one_wins() {
    let server = Server::shared();
    let namespace = server.namespace("lock-race");
    const RUNNERS: usize = 4;
    let start = Barrier::new(RUNNERS);
    let won: Vec<bool> = thread::scope(|scope| {
        let runners: Vec<_> = (0..RUNNERS)
            .map(|index| {
                let (namespace, start) = (&namespace, &start);
                scope.spawn(move || {
                    let mut release = Release::new(server, namespace, "web");
                    start.wait();
                    match release.lock() {
                        Ok(lock) => {
                            release.apply(&[config_map(namespace, &format!("of-{index}"))]);
                            // Longer than the others look.
                            thread::sleep(Duration::from_secs(8));
                            lock.check().unwrap();
                            true
                        }
                        Err(error) => {
                            assert!(error.is_taken(), "{error}");
                            false
                        }
                    }
                })
            })
            .collect();
        runners.into_iter().map(|runner| runner.join().unwrap()).collect()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    let release = Release::new(server, &namespace, "web");
    assert_eq!(release.members().objects.len(), 1);
    assert_eq!(lease(server, &namespace).0, 404);
}

#[test]
fn who_has_died_loses_it_whatever_the_clocks_say() {
    let server = Server::shared();
    let namespace = server.namespace("lock-dead");
    // By its own clock it would hold for years.
    let time = "2999-01-01T00:00:00.000000Z";
    let spec = json!({"holderIdentity": "a ghost", "leaseDurationSeconds": 1, "acquireTime": time, "renewTime": time, "leaseTransitions": 3});
    foreign(server, &namespace, &spec);
    let release = Release::new(server, &namespace, "web");
    let start = Instant::now();
    let lock = release.lock().unwrap();
    assert!(start.elapsed() >= Duration::from_secs(30), "{:?}", start.elapsed());
    lock.check().unwrap();
    let (_, held) = lease(server, &namespace);
    assert_eq!(held["spec"]["leaseTransitions"], 4);
    assert!(held["spec"]["holderIdentity"].as_str().unwrap().contains("plimsoll"));
}

#[test]
fn a_lock_that_nobody_holds_is_free_at_once() {
    let server = Server::shared();
    let namespace = server.namespace("lock-free");
    foreign(server, &namespace, &json!({}));
    let start = Instant::now();
    let release = Release::new(server, &namespace, "web");
    let lock = release.lock().unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));

    // Taken away by force: it is noticed, and not given back in the name of the other.
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/plimsoll-web");
    server.patch(&path, &json!({"spec": {"holderIdentity": "a thief"}}));
    let start = Instant::now();
    let error = loop {
        match lock.check() {
            Err(error) => break error,
            Ok(()) => assert!(start.elapsed() < Duration::from_secs(10)),
        }
        thread::sleep(Duration::from_millis(100));
    };
    assert!(error.message.contains("a thief"), "{error}");
    drop(lock);
    assert_eq!(lease(server, &namespace).1["spec"]["holderIdentity"], "a thief");
}

#[test]
fn a_lock_that_was_deleted_is_lost() {
    let server = Server::shared();
    let namespace = server.namespace("lock-deleted");
    let release = Release::new(server, &namespace, "web");
    let lock = release.lock().unwrap();
    server.delete(&format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/plimsoll-web"));
    thread::sleep(Duration::from_secs(6));
    let error = lock.check().unwrap_err();
    assert!(error.message.contains("somebody has deleted the lock"), "{error}");
    drop(lock);
    assert_eq!(lease(server, &namespace).0, 404, "it is not made again");
}

#[test]
fn without_its_namespace_there_is_no_lock() {
    let server = Server::shared();
    let release = Release::new(server, "nowhere-to-be-found", "web");
    let error = release.lock().unwrap_err();
    assert_eq!(error.code(), Some(404));
    assert_eq!(error.help.unwrap(), "create the namespace first: kubectl create namespace nowhere-to-be-found");
}
