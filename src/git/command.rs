//! How git is run.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Error, ErrorKind};

/// The most bytes that a command may print.
const MAX_OUTPUT: u64 = 16 << 20;

/// Variables that say where a repository is. Hooks set them; here it is the folder that says so.
const ELSEWHERE: [&str; 11] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
];

/// git, in a folder.
#[derive(Debug, Clone)]
pub(super) struct Git {
    folder: PathBuf,
}

/// What a command came to.
pub(super) struct Output {
    pub success: bool,
    /// What it printed.
    pub text: String,
    /// What it complained of, without a line break at the end.
    pub errors: String,
}

impl Git {
    pub(super) fn new(folder: &Path) -> Self {
        // An empty path is the present folder everywhere but for the system.
        let here = folder.as_os_str().is_empty();
        Self { folder: if here { PathBuf::from(".") } else { folder.to_path_buf() } }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, args: &[&str]) -> Result<Output, Error> {
        let failed = |error| self.failed(error);
        let output = self.command(args).stdin(Stdio::null()).output().map_err(failed)?;
        if output.stdout.len() as u64 > MAX_OUTPUT {
            return Err(failed(io::Error::other(format!("git {} printed too much", args.join(" ")))));
        }
        let text = String::from_utf8(output.stdout)
            .map_err(|_| failed(io::Error::other(format!("git {} did not print UTF-8", args.join(" ")))))?;
        Ok(Output { success: output.status.success(), text, errors: lossy(&output.stderr) })
    }

    /// Starts a command that is talked with.
    pub(super) fn start(&self, args: &[&str]) -> Result<Child, Error> {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| self.failed(error))
    }

    /// What a command that is talked with complained of, after it has been told to end.
    pub(super) fn complaint(child: &mut Child) -> String {
        // It is at its end, or is to be.
        let _ = child.kill();
        let mut text = Vec::new();
        if let Some(errors) = child.stderr.take() {
            let _ = errors.take(MAX_OUTPUT).read_to_end(&mut text);
        }
        lossy(&text)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        // A folder of the work tree that looks like a bare repository would bring a configuration of its own.
        command.args(["--no-replace-objects", "-c", "safe.bareRepository=explicit"]).args(args);
        command.current_dir(&self.folder);
        ELSEWHERE.iter().for_each(|name| {
            command.env_remove(name);
        });
        // Nothing is fetched, also by versions that do not know the first of these; nobody is asked anything.
        command.envs([("GIT_NO_LAZY_FETCH", "1"), ("GIT_ALLOW_PROTOCOL", "none"), ("GIT_TERMINAL_PROMPT", "0")]);
        // Messages are read.
        command.envs([("GIT_OPTIONAL_LOCKS", "0"), ("LC_ALL", "C"), ("LANGUAGE", "C")]);
        command
    }

    /// Why git did not start.
    fn failed(&self, error: io::Error) -> Error {
        let kind = match error.kind() {
            io::ErrorKind::NotFound if self.folder.is_dir() => ErrorKind::NoGit,
            _ => ErrorKind::Run(error.to_string()),
        };
        Error::new(&self.folder, kind)
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
