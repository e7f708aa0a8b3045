//! How long an apply takes beside kubectl's, whole processes in one run:
//! `PLIMSOLL_PROGRAM=$PWD/target/release/plimsoll tests/cluster/run.sh --ignored --nocapture an_apply_of_100`.

use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::kubectl::kubectl;
use crate::server::{ADMIN, Server};

/// A hundred objects as charts have them: 30 ConfigMaps, 20 Secrets, 25 Services without an
/// address (there are few), 25 Deployments.

fn objects(prefix: &str) -> String {
    let mut text = String::new();
    for n in 0..30 {
        text += &format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {prefix}-{n}}}\ndata: {{a: 'x', b: 'y', c.yaml: \
             'key: value'}}\n"
        );
    }
    for n in 0..20 {
        text += &format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {prefix}-{n}}}\ndata: {{password: aHVudGVyMg==}}\n"
        );
    }
    for n in 0..25 {
        text += &format!(
            "---
apiVersion: v1
kind: Service
metadata: {{name: {prefix}-{n}, labels: {{app: a{n}}}}}
spec: {{clusterIP: None, selector: {{app: a{n}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {prefix}-{n}, labels: {{app: a{n}}}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: a{n}}}}}
  template:
    metadata: {{labels: {{app: a{n}}}}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:{n}
        ports: [{{containerPort: 8080}}]
        resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{memory: 64Mi}}}}
"
        );
    }
    text
}

#[test]
#[ignore = "measures"]
fn an_apply_of_100_objects_takes_at_most_half_as_long_again_as_kubectls() {
    let server = Server::start();
    let namespace = server.namespace("speed");
    let program = env::var_os("PLIMSOLL_PROGRAM").unwrap_or(OsString::from(env!("CARGO_BIN_EXE_plimsoll")));
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let ours = |text: &str| {
        let kubeconfig = server.kubeconfig(ADMIN).display().to_string();
        let args = ["apply", "-f", "-", "--namespace", &namespace, "--kubeconfig", &kubeconfig, "--yes", "--timeout=0"];
        let mut child = Command::new(&program)
            .args(args)
            .args(["--fail-on=never", "--no-config"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    let theirs = |text: &str| {
        let run = kubectl(&server, &["--namespace", &namespace, "apply", "--server-side", "-f", "-"], text);
        assert_eq!(run.status, 0, "{}", run.stderr);
    };
    // What is first asked for is slower: of each once.
    ours(&objects("warm-a"));
    theirs(&objects("warm-b"));
    let mut all: [Vec<Duration>; 4] = Default::default();
    for round in 0..5 {
        let (a, b) = (objects(&format!("a{round}")), objects(&format!("b{round}")));
        all[0].push(time(&|| ours(&a)));
        all[1].push(time(&|| theirs(&b)));
        all[2].push(time(&|| ours(&a)));
        all[3].push(time(&|| theirs(&b)));
    }
    let [new, kubectl_new, same, kubectl_same] = all.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    println!("100 objects, median of 5: from nothing {new:.0?}, kubectl {kubectl_new:.0?}");
    println!("100 objects, median of 5: no change {same:.0?}, kubectl {kubectl_same:.0?}");
    assert!(new < kubectl_new.mul_f64(1.5) && same < kubectl_same.mul_f64(1.5));
}
