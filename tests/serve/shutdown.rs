//! The end of a server.

use std::io::{Read, Write};
use std::time::Duration;

use crate::program::{Serve, pod_review, try_post, wait};

#[test]
fn what_has_begun_is_ended_and_nothing_new_begins() {
    let mut serve = Serve::start(&["--shutdown-delay=2s", "--read-timeout=30s"]);
    let (client, url) = (serve.client(), format!("https://{}/validate", serve.address));
    let review = pod_review(|_| ()).to_string();
    assert_eq!(serve.get("/readyz").status, 200);

    // A request whose body is on its way for longer than the delay.
    let (mut body, sender) = pipe();
    let (slow, address) = (serve.client(), url.clone());
    let answer = std::thread::spawn(move || {
        let request = slow.post(&address).header("Content-Type", "application/json");
        request.send(ureq::SendBody::from_reader(&mut body)).map(|response| response.status().as_u16())
    });
    sender.send(review.as_bytes()[..10].to_vec()).unwrap();
    serve.metric_becomes("plimsoll_connections", 1.0);

    serve.terminate();
    let not_ready = wait(|| (serve.get("/readyz").status == 503).then_some(()));
    not_ready.expect("it says that it is not ready");
    // It still serves, but wants no more from this client.
    let response = client.post(&url).header("Content-Type", "application/json").send(review.as_bytes()).unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(serve.get("/healthz").status, 200);

    wait(|| try_post(&serve.client(), &url, review.as_bytes()).is_err().then_some(())).expect("nothing new begins");
    sender.send(review.as_bytes()[10..].to_vec()).unwrap();
    drop(sender);
    assert_eq!(answer.join().unwrap().unwrap(), 200);
    assert_eq!(serve.wait(), 0);
    assert!(serve.log().contains("\"ended\""), "{}", serve.log());
}

#[test]
fn who_takes_too_long_is_not_waited_for() {
    let mut serve = Serve::start(&["--shutdown-delay=0", "--shutdown-timeout=500ms", "--read-timeout=10m"]);
    let mut stream = serve.connect();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"\x16\x03\x01").unwrap();
    serve.metric_becomes("plimsoll_connections", 1.0);
    serve.terminate();
    assert_eq!(serve.wait(), 0);
    assert!(serve.log().contains("not done in time"), "{}", serve.log());
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

/// A reader of what is sent.
fn pipe() -> (impl Read, std::sync::mpsc::Sender<Vec<u8>>) {
    struct Pipe(std::sync::mpsc::Receiver<Vec<u8>>, Vec<u8>);
    impl Read for Pipe {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.1.is_empty() {
                self.1 = self.0.recv().unwrap_or_default();
            }
            let count = self.1.len().min(into.len());
            into[..count].copy_from_slice(&self.1[..count]);
            self.1.drain(..count);
            Ok(count)
        }
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    (Pipe(receiver, Vec::new()), sender)
}
