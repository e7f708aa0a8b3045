//! Runs the command line in-process, for the tests that compare it with Helm.
//!
//! With `PLIMSOLL_TEST_PEER` in the environment that program is run instead, with `template`: so tests/peers/compare.sh
//! asks live Helm whether what was recorded of it is still true.

use std::env;
use std::ffi::{OsStr, OsString};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use plimsoll::cli::{self, Streams, Verbosity};
use plimsoll::gate::ExitStatus;
use plimsoll::report::Style;

/// The variable that names the program to run instead.
const PEER: &str = "PLIMSOLL_TEST_PEER";

/// What a run gave.
pub struct Outcome {
    /// How it ended, or `None` where it panicked.
    pub status: Option<ExitStatus>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Whether it failed in the ordinary way, and standard error has the reason that Helm's standard error ends with.
    pub fn check_failure(&self, helm_stderr: &str) -> Result<(), String> {
        let reason = reason(helm_stderr);
        match self.status {
            None => Err("panicked".to_owned()),
            Some(ExitStatus::Clean) => Err(format!("succeeded, but Helm says {reason:?}")),
            Some(_) if squeeze(&self.stderr).contains(&squeeze(&reason)) => Ok(()),
            Some(_) => Err(format!("Helm says {reason:?}, plimsoll says {:?}", self.stderr)),
        }
    }

    /// Whether it succeeded.
    pub fn check_success(&self) -> Result<(), String> {
        match self.status {
            None => Err("panicked".to_owned()),
            Some(ExitStatus::Clean) => Ok(()),
            Some(_) => Err(format!("failed: {}", self.stderr)),
        }
    }
}

/// The last line of Helm's standard error, which holds the reason.
fn reason(stderr: &str) -> String {
    let stderr = stderr.replace("\n\nUse --debug flag to render out invalid YAML", "");
    let last = stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    last.strip_prefix("Error: ").unwrap_or(last).to_owned()
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether two texts are the same, else the first line that differs.
pub fn check_text(want: &[u8], got: &[u8]) -> Result<(), String> {
    if want == got {
        return Ok(());
    }
    let (want, got) = (String::from_utf8_lossy(want), String::from_utf8_lossy(got));
    let line = want.split('\n').zip(got.split('\n')).take_while(|(want, got)| want == got).count();
    let at = |text: &str| text.split('\n').nth(line).map_or_else(|| "the end".to_owned(), |line| format!("{line:?}"));
    Err(format!("line {}: expected {}, got {}", line + 1, at(&want), at(&got)))
}

/// Whether it is plimsoll that is run, and no peer.
#[allow(dead_code, reason = "not every test has exceptions for it")]
pub fn is_plimsoll() -> bool {
    env::var_os(PEER).is_none()
}

/// Runs `plimsoll render` with the arguments of `helm template`, in a folder.
///
/// The folder becomes the working directory of the whole process, as relative paths in the arguments ask for; runs in
/// other threads wait.
pub fn render(dir: &Path, args: &[String]) -> Outcome {
    match env::var_os(PEER) {
        Some(peer) => run_peer(&peer, dir, args),
        None => run_plimsoll(dir, args),
    }
}

fn run_plimsoll(dir: &Path, args: &[String]) -> Outcome {
    static WORKING_DIRECTORY: Mutex<()> = Mutex::new(());
    let _alone = WORKING_DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner);
    env::set_current_dir(dir).expect("the folder of the case exists");

    let line = ["plimsoll", "render"].into_iter().chain(args.iter().map(String::as_str)).map(OsString::from);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut streams = Streams {
            stdin: &mut std::io::empty(),
            stdout: &mut stdout,
            stderr: &mut stderr,
            stdout_style: Style::Plain,
            stderr_style: Style::Plain,
            verbosity: Verbosity::default(),
            is_watched: false,
            is_attended: false,
        };
        cli::run(line, &mut streams)
    }));
    Outcome { status: status.ok(), stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
}

fn run_peer(peer: &OsStr, dir: &Path, args: &[String]) -> Outcome {
    let of_helm = |key: &OsString| ["HELM_", "KUBE"].iter().any(|prefix| key.to_string_lossy().starts_with(prefix));
    let output = Command::new(peer)
        .arg("template")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .envs(env::vars_os().filter(|(key, _)| !of_helm(key)))
        .env("TZ", "UTC")
        .env("HOME", dir)
        .output()
        .expect("the peer can be run");
    Outcome {
        status: Some(if output.status.success() { ExitStatus::Clean } else { ExitStatus::Failed }),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
