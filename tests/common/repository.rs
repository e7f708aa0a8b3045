//! Real git repositories, made in the test.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A repository with a work tree, on the branch `main`.
pub struct Repository(TempDir);

impl Repository {
    /// With one commit of these files, if there are any.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, &[])
    }

    /// The same, with options of `git init`.
    pub fn with(files: &[(&str, &str)], options: &[&str]) -> Self {
        let repository = Self(super::folder(&[]));
        repository.git(&[&["init", "--quiet", "--initial-branch=main"], options].concat());
        if !files.is_empty() {
            repository.commit(files);
        }
        repository
    }

    /// The folder of the work tree.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// What git prints.
    pub fn git(&self, args: &[&str]) -> String {
        git(self.path(), args, b"")
    }

    /// Writes files, in new folders where need be.
    pub fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// Writes files and commits all that is there; the id of the commit.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        self.write(files);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=x", "--allow-empty"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// Runs git in a folder, without the settings of whoever runs the test.
pub fn git(folder: &Path, args: &[&str], stdin: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
