//! A server that goes away in the middle: nothing is lost, nothing is there twice.

use std::thread;
use std::time::Duration;

use plimsoll::cluster::{Event, Outcome, Stop, apply};

use crate::applying::{Applying, told};
use crate::server::Server;

fn maps(count: usize) -> String {
    let map = |n| format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a{n}}}, data: {{n: '{n}'}}}}\n");
    (0..count).map(map).collect()
}

#[test]
fn a_server_that_comes_back_has_everything_once() {
    let mut server = Server::start();
    let namespace = server.namespace("lost");
    // A server that has just started does not know its roles yet.
    server.allow("alice", Some(&namespace), &[""], &["configmaps"], &["get", "create", "patch"]);
    let applying = Applying::by(&server, "alice", &namespace);
    let text = maps(200);
    let wanted = applying.wanted(&text).unwrap();
    let dry_runs = applying.dry_run(&wanted).unwrap();
    let (stop, stopped) = std::sync::mpsc::channel();
    let applied = thread::scope(|scope| {
        let server = &mut server;
        let restart = scope.spawn(move || {
            stopped.recv().unwrap();
            server.pause();
            thread::sleep(Duration::from_secs(1));
            server.resume();
        });
        let mut count = 0;
        let progress = |event: Event<'_>| {
            count += 1;
            if let (Event::Done(..), 40) = (event, count) {
                stop.send(()).unwrap();
            }
        };
        let check = async |_: &[_]| Ok::<(), String>(());
        let work = apply(applying.cluster.api(), &wanted, &dry_runs, applying.options, check, progress);
        let applied = applying.cluster.run(work);
        restart.join().unwrap();
        applied
    });
    assert!(applied.stopped.is_none(), "{}", told(&wanted, &applied));
    assert!(applied.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_))));
    let list = server.get(&format!("/api/v1/namespaces/{namespace}/configmaps")).body;
    assert_eq!(list["items"].as_array().unwrap().len(), 200);
    assert_eq!(applying.apply(&text).matches(": unchanged\n").count(), 200);
}

#[test]
fn a_server_that_stays_away_leaves_it_unknown() {
    let mut server = Server::start();
    let namespace = server.namespace("away");
    let mut applying = Applying::new(&server, &namespace);
    applying.options.patience = Duration::from_secs(1);
    let text = maps(3) + "---\n{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}\n";
    let wanted = applying.wanted(&text).unwrap();
    let dry_runs = applying.dry_run(&wanted).unwrap();
    server.pause();
    let check = async |_: &[_]| Ok::<(), String>(());
    let work = apply(applying.cluster.api(), &wanted, &dry_runs, applying.options, check, |_| {});
    let applied = applying.cluster.run(work);
    assert!(matches!(applied.stopped, Some(Stop::Failed)));
    assert!(
        applied.outcomes[..3].iter().all(|outcome| matches!(outcome, Outcome::Unknown(_))),
        "{}",
        told(&wanted, &applied)
    );
    assert!(matches!(applied.outcomes[3], Outcome::NotTried));
}
