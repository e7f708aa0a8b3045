//! The command line around it.

use plimsoll::cli::{self, Streams, Verbosity};
use plimsoll::gate::ExitStatus;
use plimsoll::report::Style;

use super::server::{Reply, Server};
use super::*;

/// Exit status, standard output and standard error.
fn plimsoll(args: &[&str], stdin: &str) -> (ExitStatus, String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = cli::run(
        ["plimsoll", "deps"].iter().chain(args).map(Into::into),
        &mut Streams {
            stdin: &mut stdin.as_bytes(),
            stdout: &mut stdout,
            stderr: &mut stderr,
            stdout_style: Style::Plain,
            stderr_style: Style::Plain,
            verbosity: Verbosity::default(),
            is_watched: false,
            is_attended: false,
        },
    );
    (status, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn changes_are_printed() {
    let workspace = Workspace::with_dependencies(
        "- {name: web, version: ^1, repository: file://../web}\n- {name: own, version: ^1}\n",
    );
    workspace.write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.0\n");
    workspace.write("app/charts/own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 1.0.0\n");
    workspace.write("app/charts/web-1.1.0.tgz", archive("web", "1.1.0"));
    let (status, stdout, stderr) = plimsoll(&[workspace.path("app").to_str().unwrap()], "");
    assert_eq!((status, stderr.as_str()), (ExitStatus::Clean, ""));
    assert_eq!(
        stdout,
        "charts/web-1.2.0.tgz from file://../web\nown was in charts/ already\ncharts/web-1.1.0.tgz removed\nChart.lock written\n"
    );
}

#[test]
fn failures_end_with_status_2_and_a_way_out() {
    let workspace = Workspace::with_dependencies("- {name: web, version: ^1, repository: '@stable'}\n");
    let (status, stdout, stderr) = plimsoll(&[workspace.path("app").to_str().unwrap()], "");
    assert_eq!((status, stdout.as_str()), (ExitStatus::Failed, ""));
    assert!(stderr.contains("plimsoll keeps no list of repositories") && stderr.contains("help: "), "{stderr}");
}

#[test]
fn the_password_comes_from_standard_input() {
    let server = Server::start(|request, _| match request.authorization.as_deref() {
        Some(BASIC) if request.path == "/index.yaml" => {
            Reply::ok("apiVersion: v1\nentries: {web: [{version: 1.2.0, urls: [web-1.2.0.tgz]}]}")
        }
        Some(BASIC) => Reply::ok(archive("web", "1.2.0")),
        _ => Reply::status(401),
    });
    let workspace =
        Workspace::with_dependencies(&format!("- {{name: web, version: ^1, repository: 'http://{}'}}\n", server.host));
    let path = workspace.path("app");
    let args =
        [path.to_str().unwrap(), "--plain-http", "--login", &server.host, "--username", "alice", "--password-stdin"];
    let (status, _, stderr) = plimsoll(&args, "");
    assert!(status == ExitStatus::Failed && stderr.contains("no password on standard input"), "{stderr}");
    let (status, _, stderr) = plimsoll(&args, "wrong\n");
    assert!(status == ExitStatus::Failed && stderr.contains("refuses the user name or password"), "{stderr}");
    assert!(!stderr.contains("wrong"), "{stderr}");
    let (status, _, stderr) = plimsoll(&args, "hunter2\r\n");
    assert_eq!((status, stderr.as_str()), (ExitStatus::Clean, ""));
}
