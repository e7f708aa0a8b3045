//! How long an apply takes beside kubectl's, in one run. It prints; run it alone, in a release build.

use std::time::{Duration, Instant};

use crate::applying::Applying;
use crate::kubectl::kubectl;
use crate::server::Server;

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
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let ours = |text: &str| {
        let applying = Applying::new(&server, &namespace);
        let told = applying.apply(text);
        assert!(!told.contains("stopped"), "{told}");
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
