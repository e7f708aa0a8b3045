//! Runs the command line in-process, for the tests that compare it with Helm.

use std::env;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use plimsoll::cli::{self, Streams};
use plimsoll::gate::ExitStatus;
use plimsoll::report::Style;

/// What a run gave.
pub struct Outcome {
    /// How it ended, or `None` where it panicked.
    pub status: Option<ExitStatus>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

/// Runs `plimsoll render` with the arguments of `helm template`, in a folder.
///
/// The folder becomes the working directory of the whole process, as relative paths in the arguments ask for; runs in
/// other threads wait.
pub fn render<S: AsRef<str>>(dir: &Path, args: &[S]) -> Outcome {
    static WORKING_DIRECTORY: Mutex<()> = Mutex::new(());
    let _alone = WORKING_DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner);
    env::set_current_dir(dir).expect("the folder of the case exists");

    let line = ["plimsoll", "render"].into_iter().chain(args.iter().map(AsRef::as_ref)).map(OsString::from);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut streams = Streams {
            stdin: &mut std::io::empty(),
            stdout: &mut stdout,
            stderr: &mut stderr,
            stdout_style: Style::Plain,
            stderr_style: Style::Plain,
        };
        cli::run(line, &mut streams)
    }));
    Outcome { status: status.ok(), stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
}
