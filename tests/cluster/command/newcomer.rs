//! What somebody types who does not know the program yet.

use std::process::{Command, Stdio};

use super::{Desk, folder, map, says};
use crate::common::root;
use crate::server::Server;

#[test]
fn charts_and_manifests_are_not_taken_for_each_other() {
    let desk = Desk::new(Server::shared(), "newcomer");
    let files = folder(&[("manifests/a.yaml", &map("a", "{a: '1'}"))]);
    let chart = root().join("charts/workspace").display().to_string();
    for command in [&["apply", "--yes"][..], &["diff", "--live"]] {
        let run = |args: &[&str]| desk.run(files.path(), &[command, args].concat(), "");
        says(&run(&[]), 2, &["neither a chart nor manifests are named", "web ./chart, or -f manifests.yaml"]);
        says(
            &run(&["-f", &chart, "--name", "web"]),
            2,
            &["is a chart, and -f names manifests", "give the chart without -f"],
        );
        for path in ["manifests", "manifests/a.yaml"] {
            says(&run(&["web", path]), 2, &["is not a chart", &format!("--name NAME -f {path}")]);
        }
    }
    assert_eq!(desk.names("configmaps"), [""; 0]);
}

#[test]
fn manifests_without_a_name_take_nothing_out_of_a_release() {
    let desk = Desk::new(Server::shared(), "nameless");
    let text = map("a", "{a: '1'}");
    says(&desk.apply(&text, &[]), 0, &[]);
    let nameless =
        |more: &[&str]| desk.run(root(), &[&["apply", "-f", "-", "--yes", "--timeout", "0"], more].concat(), &text);
    let whose = format!("ConfigMap {0}/a belongs to the release web in the namespace {0}", desk.namespace);
    says(&nameless(&[]), 2, &[&whose, "and would leave it", "name the release with --name"]);
    let id = "/metadata/labels/applyset.kubernetes.io~1part-of";
    assert!(desk.get("configmaps", "a").pointer(id).is_some());
    says(&nameless(&["--force-conflicts"]), 0, &[]);
    assert!(desk.get("configmaps", "a").pointer(id).is_none());
    // Now it is in none, and one that is in none can be changed by whoever wants to.
    says(&nameless(&[]), 0, &[]);
}

#[test]
fn both_streams_are_read_in_the_order_of_what_happened() {
    let desk = Desk::new(Server::shared(), "order");
    let role = format!("{}-all", desk.namespace);
    let files = folder(&[(
        "a.yaml",
        &format!("{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {role}}}}}\n"),
    )]);
    let file = files.path().join("a.yaml").display().to_string();
    let args = desk.arguments(&["apply", "-f", &file, "--name", "web"]).join(" ");
    let output = Command::new("sh")
        .args(["-c", &format!("\"$0\" {args} 2>&1"), env!("CARGO_BIN_EXE_plimsoll")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part:?} is not in:\n{text}"));
    // Which has no namespace, whatever the release has.
    let difference = place(&format!("added ClusterRole {role}\n"));
    assert!(place("all is well: ") < difference && difference < place("nobody can be asked"), "{text}");
}
