//! The real kubectl, as a second opinion.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::common;
use super::server::{ADMIN, Server};

/// Runs the kubectl that tests/peers/build.sh builds, as the administrator, with ApplySets.
pub fn kubectl(server: &Server, args: &[&str], stdin: &str) -> common::Run {
    let mut child = Command::new(program())
        .arg("--kubeconfig")
        .arg(server.kubeconfig(ADMIN))
        .args(args)
        .env("KUBECTL_APPLYSET", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    common::Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Where it is.
pub fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = Command::new(common::root().join("tests/peers/build.sh")).arg("kubectl").output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        PathBuf::from(String::from_utf8(built.stdout).unwrap().trim())
    })
}
