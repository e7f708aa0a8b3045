//! What changes in who can do what: every case of tests/fixtures/access against its snapshot, and what holds of all.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path as FilePath;
use std::time::{Duration, Instant};

use common::{folders, plimsoll, root, snapshots};
use plimsoll::delta::access::{Error, compare};
use plimsoll::delta::{AccessChange, Side};
use plimsoll::finding::Place;
use plimsoll::manifest::{self, Manifest, Object};
use plimsoll::policy::reach::Member;
use plimsoll::source::SourceFile;
use plimsoll::value::{Path, Value};

/// A release as it is read from a file.
struct Release {
    namespace: String,
    name: String,
    manifests: Vec<Manifest>,
    objects: Vec<Object>,
    values: Vec<Value>,
}

impl Release {
    fn new(namespace: &str, name: &str, file: &str, text: &str) -> Self {
        let manifests = manifest::read([(SourceFile::new(file, text), None)]).unwrap();
        let objects: Vec<Object> =
            manifests.iter().enumerate().flat_map(|(index, manifest)| manifest.objects(index, namespace)).collect();
        let values = objects.iter().map(|object| object.value.clone()).collect();
        Self { namespace: namespace.into(), name: name.into(), manifests, objects, values }
    }

    /// `<side>.yaml` is the release alice/ide; in a folder each file `<namespace>.<name>.yaml` is one.
    fn read(case: &FilePath, side: &str) -> Vec<Self> {
        let one = case.join(format!("{side}.yaml"));
        if let Ok(text) = fs::read_to_string(&one) {
            return vec![Self::new("alice", "ide", &format!("{side}.yaml"), &text)];
        }
        let mut files: Vec<_> = fs::read_dir(case.join(side)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let release = |file: &std::path::PathBuf| {
            let stem = file.file_stem().unwrap().to_str().unwrap();
            let (namespace, name) = stem.split_once('.').unwrap();
            Self::new(namespace, name, &format!("{side}/{stem}.yaml"), &fs::read_to_string(file).unwrap())
        };
        files.iter().map(release).collect()
    }
}

fn compared(before: &[Release], after: &[Release]) -> Result<Vec<AccessChange>, Error> {
    let members = |releases: &'_ [Release]| -> Vec<(String, String, Vec<Value>)> {
        releases.iter().map(|it| (it.name.clone(), it.namespace.clone(), it.values.clone())).collect()
    };
    let (old, new) = (members(before), members(after));
    fn of(members: &[(String, String, Vec<Value>)]) -> Vec<Member<'_>> {
        members.iter().map(|(name, namespace, objects)| Member { name, namespace, objects }).collect()
    }
    compare(&of(&old), &of(&new), &|side, number, field| {
        let releases = if side == Side::Before { before } else { after };
        place(releases, number, field)
    })
}

fn place(releases: &[Release], mut number: usize, field: &Path) -> Option<Place> {
    for release in releases {
        if let Some(object) = release.objects.get(number) {
            return Some(Place {
                object: object.reference.clone(),
                field: field.clone(),
                named: field.named(&object.value),
                rendered: release.manifests[object.manifest].locate(&object.prefix.join(field)),
                template: Vec::new(),
            });
        }
        number -= release.objects.len();
    }
    panic!("there is no such object");
}

fn told(changes: &[AccessChange]) -> String {
    let mut text = String::new();
    for change in changes {
        let AccessChange { kind, direction, severity, subject, what, releases, place } = change;
        let place = place.as_ref().map(|place| format!("{} {}: {}", place.rendered, place.object, place.field));
        writeln!(text, "{kind:?} {direction:?} {severity}: {subject} {what}").unwrap();
        writeln!(text, "    in {}, {}", releases.join(" "), place.unwrap_or_default()).unwrap();
    }
    text
}

#[test]
fn every_case_is_as_its_snapshot() {
    for case in folders("tests/fixtures/access") {
        let name = case.file_name().unwrap().to_str().unwrap();
        let (before, after) = (Release::read(&case, "before"), Release::read(&case, "after"));
        let shown = match compared(&before, &after) {
            Ok(changes) => told(&changes),
            Err(error) => format!("{:?}: {error}\n", error.side),
        };
        snapshots("access").bind(|| insta::assert_snapshot!(name, shown));
    }
}

/// What a reviewer must be told of charts/workspace when values open what is closed.
#[test]
fn an_opened_workspace_is_told() {
    let render = |values: &[&str]| {
        let args = ["render", "alice", "charts/workspace", "-n", "alice", "-f", "charts/workspace/examples/alice.yaml"];
        let run = plimsoll(root(), &[&args[..], values].concat(), "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        vec![Release::new("alice", "alice", "alice.yaml", &run.stdout)]
    };
    let closed = render(&[]);
    for (name, values) in [
        ("workspace-demo", &["--set", "ingress.auth.type=none,readOnly=true,ingress.tls.enabled=false"][..]),
        ("workspace-builds", &["--set", "build.mode=buildkit,build.jobs.enabled=true,serviceAccount.tokenInIde=true"]),
        (
            "workspace-ssh",
            &["--set", "ssh.enabled=true,ssh.service.type=LoadBalancer,ssh.allowedCIDRs={203.0.113.0/24,0.0.0.0/0}"],
        ),
        (
            "workspace-github",
            &["--set", "github.app.enabled=true", "--set-string", "github.app.id=1,github.app.installationId=2"],
        ),
        (
            "workspace-egress",
            &["--set", "networkPolicy.egress.denied={10.0.0.0/8},networkPolicy.egress.ports={22,80,443,5432}"],
        ),
        ("workspace-no-egress-policy", &["--set", "networkPolicy.egress.enabled=false"]),
    ] {
        let changes = compared(&closed, &render(values)).unwrap();
        snapshots("access").bind(|| insta::assert_snapshot!(name, told(&changes)));
    }
}

/// What holds of any two sides.
#[test]
fn gains_of_one_direction_are_losses_of_the_other() {
    for case in folders("tests/fixtures/access") {
        let (before, after) = (Release::read(&case, "before"), Release::read(&case, "after"));
        for side in [&before, &after] {
            assert_eq!(
                compared(side, side).map(|changes| told(&changes)).unwrap_or_default(),
                "",
                "{}",
                case.display()
            );
        }
        let lines = |before: &[Release], after: &[Release]| {
            let mut lines: Vec<String> = told(&compared(before, after).unwrap_or_default())
                .lines()
                .filter(|line| !line.starts_with(' '))
                .map(str::to_owned)
                .collect();
            lines.sort();
            lines
        };
        let swap = |line: &String| match line.contains(" Gained ") {
            true => line.replacen(" Gained ", " Lost ", 1),
            false => line.replacen(" Lost ", " Gained ", 1),
        };
        let mut swapped: Vec<String> = lines(&after, &before).iter().map(swap).collect();
        swapped.sort();
        assert_eq!(lines(&before, &after), swapped, "{}", case.display());
    }
}

fn tenant(index: usize, with_key: bool) -> Release {
    let volume = if with_key { "volumes: [{name: key, secret: {secretName: ide-key}}]" } else { "" };
    let mount = if with_key { "volumeMounts: [{name: key, mountPath: /key}]" } else { "" };
    let text = format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: ide}}
spec:
  template:
    metadata: {{labels: {{app: ide}}}}
    spec:
      containers:
      - name: ide
        {mount}
      {volume}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: ide}}
roleRef: {{kind: ClusterRole, name: edit}}
subjects: [{{kind: ServiceAccount, name: build}}]
"
    );
    Release::new(&format!("tenant-{index}"), "workspace", "ide.yaml", &text)
}

/// What one template does to a thousand releases is one line, and takes no time that grows with their square.
#[test]
fn what_is_so_in_many_releases_is_told_once() {
    let fleet = |with_key: bool| -> Vec<Release> { (0..1000).map(|index| tenant(index, with_key)).collect() };
    let (before, after) = (fleet(false), fleet(true));
    let start = Instant::now();
    let changes = compared(&before, &after).unwrap();
    assert!(start.elapsed() < Duration::from_secs(30));
    let lines: Vec<String> = changes.iter().map(|it| format!("{} {}", it.subject, it.what)).collect();
    assert_eq!(lines, ["container ide of Deployment tenant-0/ide can read Secret tenant-0/ide-key (mounted volume)"]);
    assert_eq!(changes[0].releases.len(), 1000);
}
