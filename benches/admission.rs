//! What a webhook's answers take, in-process and without connections: `cargo bench --bench admission`.
//!
//! Prints microseconds an answer on one thread, and answers a second on two.

use std::hint::black_box;
use std::time::{Duration, Instant};

use plimsoll::admission::{Judge, Settings};
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Selection};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a measurement takes.
const ENOUGH: Duration = Duration::from_secs(2);
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 6, 1);

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let judge = judge();
    println!("{} policies of the profile default", judge.policies());
    for (what, body) in [("a pod in order", in_order()), ("a pod with findings", with_findings())] {
        let answer = judge.answer(body.as_bytes(), TODAY).expect("it is a review");
        println!("{what}: {} bytes, {} denied, {} warned", body.len(), answer.denied.len(), answer.warned.len());
        let count = answers(&judge, &body);
        println!("  {:.1} µs an answer", ENOUGH.as_secs_f64() * 1e6 / count as f64);
        let both = std::thread::scope(|threads| {
            let other = threads.spawn(|| answers(&judge, &body));
            answers(&judge, &body) + other.join().expect("it ends")
        });
        println!("  {:.0} answers a second on two threads", both as f64 / ENOUGH.as_secs_f64());
    }
}

/// How many answers are given in time.
fn answers(judge: &Judge, body: &str) -> usize {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < ENOUGH {
        black_box(judge.answer(black_box(body.as_bytes()), TODAY).expect("it is a review"));
        count += 1;
    }
    count
}

fn judge() -> Judge {
    let catalogue = Catalogue::builtin().expect("the policies can be read");
    let chosen = Selection::default().choose(&catalogue).expect("there are some");
    let settings = Settings {
        policies: chosen.ids().into_iter().map(str::to_owned).collect(),
        exemptions: Vec::new(),
        honoured: Honoured::Project,
        kube_version: "v1.36.0".into(),
        namespaces: None,
    };
    Judge::new(catalogue, settings).expect("the policies compile")
}

/// What an API server sends about a pod of a Deployment: defaults are filled in, and there are managed fields.
fn in_order() -> String {
    let container = |name: &str| {
        format!(
            r#"{{"name":"{name}","image":"registry.example.com/shop/{name}:1.4.2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","args":["--listen=:8080","--log=json"],"ports":[{{"name":"http","containerPort":8080,"protocol":"TCP"}}],"env":[{{"name":"MODE","value":"production"}},{{"name":"POD","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.name"}}}}}}],"resources":{{"limits":{{"cpu":"1","memory":"256Mi"}},"requests":{{"cpu":"100m","memory":"256Mi"}}}},"volumeMounts":[{{"name":"tmp","mountPath":"/tmp"}}],"livenessProbe":{{"httpGet":{{"path":"/healthz","port":"http","scheme":"HTTP"}},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}},"readinessProbe":{{"httpGet":{{"path":"/readyz","port":"http","scheme":"HTTP"}},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent","securityContext":{{"capabilities":{{"drop":["ALL"]}},"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true}}}}"#
        )
    };
    let managed = r#"[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-06-01T08:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app.kubernetes.io/name":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"5f1c\"}":{}}},"f:spec":{"f:automountServiceAccountToken":{},"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:args":{},"f:env":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:ports":{},"f:resources":{},"f:securityContext":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{}}}}]"#;
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"requestKind":{{"group":"","version":"v1","kind":"Pod"}},"requestResource":{{"group":"","version":"v1","resource":"pods"}},"namespace":"shop","operation":"CREATE","userInfo":{{"username":"system:serviceaccount:kube-system:replicaset-controller","uid":"1b8c","groups":["system:serviceaccounts","system:serviceaccounts:kube-system","system:authenticated"]}},"object":{{"kind":"Pod","apiVersion":"v1","metadata":{{"generateName":"web-5d4f8c7b9d-","namespace":"shop","creationTimestamp":null,"labels":{{"app.kubernetes.io/name":"web","pod-template-hash":"5d4f8c7b9d"}},"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-5d4f8c7b9d","uid":"5f1c","controller":true,"blockOwnerDeletion":true}}],"managedFields":{managed}}},"spec":{{"volumes":[{{"name":"tmp","emptyDir":{{"sizeLimit":"64Mi"}}}}],"containers":[{},{}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"web","serviceAccount":"web","automountServiceAccountToken":false,"securityContext":{{"runAsUser":10001,"runAsGroup":10001,"runAsNonRoot":true,"fsGroup":10001,"seccompProfile":{{"type":"RuntimeDefault"}}}},"schedulerName":"default-scheduler","tolerations":[{{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}},{{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}],"priority":0,"enableServiceLinks":false,"preemptionPolicy":"PreemptLowerPriority"}},"status":{{}}}},"oldObject":null,"dryRun":false,"options":{{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}}}}"#,
        container("web"),
        container("metrics"),
    )
}

fn with_findings() -> String {
    in_order()
        .replace(r#""limits":{"cpu":"1","memory":"256Mi"},"requests":{"cpu":"100m","memory":"256Mi"}"#, "")
        .replace(r#""allowPrivilegeEscalation":false"#, r#""privileged":true"#)
        .replace(r#""runAsNonRoot":true"#, r#""runAsNonRoot":false"#)
}
