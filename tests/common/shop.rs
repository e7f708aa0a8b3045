//! A repository with a history, and what the gate says of it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::repository::Repository;
use super::{plimsoll, root, snapshots};

pub const PROJECT: &str = "plimsoll.yaml";
pub const DEPLOYMENT: &str = "charts/web/templates/deployment.yaml";
pub const RBAC: &str = "charts/tenant/templates/rbac.yaml";

/// A mistake that one policy refuses.
pub const SAFE: &str = "type: RuntimeDefault";
pub const UNSAFE: &str = "type: Unconfined";

pub const CHECK: &[&str] = &["check"];
pub const DIFF: &[&str] = &["diff", "--base", "main"];
pub const MARKDOWN: &[&str] = &["diff", "--base", "main", "--format", "markdown"];
/// As in a pull request: for its log, and for a comment.
pub const BOTH: &[&str] = &["diff", "--base", "main", "--format", "text", "--format", "markdown=comment.md"];

/// A repository, and what was seen in it.
pub struct Shop {
    pub repository: Repository,
    pub seen: String,
}

impl Shop {
    /// The fixture with what `before` does to it, on `main`; then another branch.
    pub fn new(before: impl FnOnce(&mut Self)) -> Self {
        let mut shop = Self { repository: Repository::new(&[]), seen: String::new() };
        copy(&root().join("tests/fixtures/gate/shop"), shop.path());
        before(&mut shop);
        shop.commit();
        shop.repository.git(&["switch", "--quiet", "--create", "change"]);
        shop
    }

    pub fn path(&self) -> &Path {
        self.repository.path()
    }

    pub fn commit(&self) {
        self.repository.commit(&[]);
    }

    /// Changes a part of a file, which must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        self.repository.write(&[(file, &text.replacen(from, to, 1))]);
    }

    /// Adds to the end of a file.
    pub fn add(&self, file: &str, more: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap_or_default();
        self.repository.write(&[(file, &(text + more))]);
    }

    pub fn remove(&self, file: &str) {
        let path = self.path().join(file);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// Runs a command, whose exit status must be this one.
    pub fn run(&mut self, args: &[&str], status: i32) -> &mut Self {
        self.run_in("", args, status)
    }

    pub fn run_in(&mut self, folder: &str, args: &[&str], status: i32) -> &mut Self {
        let run = plimsoll(&self.path().join(folder), args, "");
        assert_eq!(run.status, status, "{args:?}\n{}{}", run.stdout, run.stderr);
        writeln!(self.seen, "$ plimsoll {}\n{}", args.join(" "), run.stdout).unwrap();
        if !run.stderr.is_empty() {
            writeln!(self.seen, "stderr:\n{}", run.stderr).unwrap();
        }
        writeln!(self.seen, "exit status {status}\n").unwrap();
        self
    }

    /// Runs a command that cannot do its work, and prints no verdict.
    pub fn cannot(&mut self, args: &[&str]) -> &mut Self {
        self.cannot_in("", args)
    }

    pub fn cannot_in(&mut self, folder: &str, args: &[&str]) -> &mut Self {
        let run = plimsoll(&self.path().join(folder), args, "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{args:?}\n{}", run.stderr);
        writeln!(self.seen, "$ plimsoll {}\n{}", args.join(" ").escape_debug(), run.stderr).unwrap();
        self
    }

    /// Takes back what was not committed.
    pub fn reset(&self) {
        self.repository.git(&["reset", "--quiet", "--hard"]);
        self.repository.git(&["clean", "--quiet", "-dffx"]);
    }

    /// Commits the change and runs what a pull request runs.
    pub fn judged(&mut self, check: i32, diff: i32) -> &mut Self {
        self.commit();
        self.run(CHECK, check).run(BOTH, diff);
        let comment = fs::read_to_string(self.path().join("comment.md")).unwrap();
        writeln!(self.seen, "comment.md:\n{comment}").unwrap();
        self.remove("comment.md");
        self
    }

    /// All that was seen is as the snapshot.
    pub fn is_as(&self, name: &str) {
        let mut settings = snapshots("gate");
        settings.set_snapshot_path("../../snapshots/gate");
        settings.add_filter(&regex::escape(self.path().to_str().unwrap()), "[shop]");
        settings.add_filter(r"\((`?)[0-9a-f]{10}(`?)\)", "($1<commit>$2)");
        settings.add_filter(r"\b[0-9a-f]{40}\b", "<commit>");
        settings.bind(|| insta::assert_snapshot!(name.to_owned(), self.seen));
    }
}

/// Copies all below a folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).map(drop).unwrap();
        }
    }
}

/// On `main` the fixture is as it is.
pub fn nothing(_: &mut Shop) {}

/// A link in the work tree.
pub fn symlink(target: &str, shop: &Shop, link: &str) {
    std::os::unix::fs::symlink(target, shop.path().join(link)).unwrap();
}
