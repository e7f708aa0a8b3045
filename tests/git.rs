//! The base revision as git has it: real repositories, made in the test.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use common::folder;
use common::repository::{Repository, git};
use plimsoll::finding::Fault;
use plimsoll::git::{Base, Checkout, Error, ErrorKind};
use tempfile::TempDir;

/// What is asked of repositories here.
trait Asked {
    fn commit_tree(&self, entries: &[(&str, &str, &str)]) -> String;
    fn blob(&self, text: &str) -> String;
    fn checkout(&self, revision: &str, paths: &[&str]) -> Result<Checkout, Error>;
    fn refused(&self, revision: &str, paths: &[&str]) -> String;
    fn unknown(&self, revision: &str) -> String;
}

impl Asked for Repository {
    /// Commits a tree object that no `git add` would make: modes, names and ids.
    fn commit_tree(&self, entries: &[(&str, &str, &str)]) -> String {
        let mut tree = Vec::new();
        for (mode, name, id) in entries {
            tree.extend([mode.as_bytes(), b" ", name.as_bytes(), b"\0"].concat());
            tree.extend((0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
        }
        let tree = git(self.path(), &["hash-object", "-t", "tree", "-w", "--stdin", "--literally"], &tree);
        self.git(&["commit-tree", "-m", "x", &tree])
    }

    fn blob(&self, text: &str) -> String {
        git(self.path(), &["hash-object", "-w", "--stdin"], text.as_bytes())
    }

    fn checkout(&self, revision: &str, paths: &[&str]) -> Result<Checkout, Error> {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        Base::open(self.path(), revision)?.checkout(&paths)
    }

    fn refused(&self, revision: &str, paths: &[&str]) -> String {
        shown(self.checkout(revision, paths).unwrap_err())
    }

    fn unknown(&self, revision: &str) -> String {
        shown(Base::open(self.path(), revision).unwrap_err())
    }
}

/// An error as it is printed.
fn shown(error: Error) -> String {
    let fault = Fault::from(error);
    format!("{}\nhelp: {}", fault.message, fault.help.unwrap_or_default())
}

/// All below a folder: files with what they hold, links with their targets.
fn listed(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() {
                found.push(format!("{name} -> {}", fs::read_link(path).unwrap().display()));
            } else {
                found.push(format!("{name}: {}", String::from_utf8_lossy(&fs::read(path).unwrap())));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_checkout_has_what_was_committed_and_changes_nothing() {
    let repository =
        Repository::new(&[("c/Chart.yaml", "old"), ("c/templates/a.yaml", "a"), ("v.yaml", "v"), ("other", "o")]);
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.commit(&[("c/Chart.yaml", "new"), ("c/values.yaml", "b")]);
    fs::write(repository.path().join("c/Chart.yaml"), "not committed").unwrap();
    let state =
        || (listed(repository.path()), fs::metadata(repository.path().join(".git/index")).unwrap().modified().unwrap());
    let before = state();

    let base = Base::open(repository.path(), "HEAD~1").unwrap();
    assert_eq!((base.revision(), base.commit()), ("HEAD~1", first.as_str()));
    let mut checkout = base.checkout(&["c".into(), "./v.yaml".into(), "absent/x".into()]).unwrap();
    assert_eq!(listed(checkout.root()), ["c/Chart.yaml: old", "c/templates/a.yaml: a", "v.yaml: v"]);
    checkout.add(&["other".into(), "c".into()]).unwrap();
    assert_eq!(listed(checkout.root()).len(), 4);
    assert!(checkout.warnings().is_empty());

    let root = checkout.root().to_path_buf();
    drop(checkout);
    assert!(!root.exists());
    assert_eq!(state(), before);
}

#[test]
fn paths_begin_in_the_folder_that_was_opened() {
    let repository = Repository::new(&[("team/app/a", "1"), ("team/shared/b", "2"), ("top", "3")]);
    repository.commit(&[("new/folder/x", "")]);
    for (folder, revision) in [("team/app", "HEAD"), ("team/app", "HEAD~1")] {
        let base = Base::open(&repository.path().join(folder), revision).unwrap();
        let checkout = base.checkout(&["a".into(), "../shared".into(), "../../top".into()]).unwrap();
        let read = |path: &str| fs::read_to_string(checkout.root().join(path)).unwrap();
        assert_eq!((read("a"), read("../shared/b"), read("../../top")), ("1".into(), "2".into(), "3".into()));
    }
    // A folder that the base has not.
    let base = Base::open(&repository.path().join("new/folder"), "HEAD~1").unwrap();
    let checkout = base.checkout(&["x".into(), "../../top".into()]).unwrap();
    assert!(!checkout.root().join("x").exists());
    assert_eq!(fs::read_to_string(checkout.root().join("../../top")).unwrap(), "3");
    for outside in ["../../../x", "/etc/passwd"] {
        let error = base.checkout(&[outside.into()]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Outside(outside.into()));
        assert!(shown(error).contains("is outside of the git repository\nhelp: git knows only what is in"));
    }
}

#[test]
fn nothing_is_filtered_and_one_content_is_written_once() {
    let repository = Repository::new(&[
        (".gitattributes", "* export-ignore text=auto eol=crlf ident filter=evil diff=evil\n"),
        ("a", "$Id$\nsame\n"),
        ("b/c", "$Id$\nsame\n"),
        (".plimsoll/hidden", "h"),
        ("empty", ""),
    ]);
    repository.git(&["config", "filter.evil.smudge", "touch evil; cat"]);
    repository.git(&["config", "filter.evil.required", "true"]);
    let checkout = repository.checkout("HEAD", &["a", "b", ".plimsoll", "empty"]).unwrap();
    let expected = [".plimsoll/hidden: h", "a: $Id$\nsame\n", "b/c: $Id$\nsame\n", "empty: "];
    assert_eq!(listed(checkout.root()), expected);
    assert!(!repository.path().join("evil").exists());
    use std::os::unix::fs::MetadataExt as _;
    assert_eq!(fs::metadata(checkout.root().join("a")).unwrap().nlink(), 2);
}

#[test]
fn replaced_objects_are_not() {
    let repository = Repository::new(&[("a", "true")]);
    let (real, fake) = (repository.git(&["rev-parse", "HEAD:a"]), repository.blob("fake"));
    repository.git(&["replace", &real, &fake]);
    assert_eq!(listed(repository.checkout("HEAD", &["a"]).unwrap().root()), ["a: true"]);
}

#[test]
fn links_lead_to_what_is_in_the_repository_and_nowhere_else() {
    let repository = Repository::new(&[("shared/values.yaml", "v"), ("shared/chart/Chart.yaml", "c"), ("c/a", "a")]);
    for (target, link) in [
        ("../shared/values.yaml", "c/values.yaml"),
        ("shared/chart", "chart"),
        ("chart", "again"),
        ("/etc/passwd", "c/absolute"),
        ("../../../../../../../../etc/passwd", "c/outside"),
        ("loop", "c/loop"),
        ("missing/../../../etc", "c/missing"),
    ] {
        symlink(target, repository.path().join(link)).unwrap();
    }
    repository.commit(&[]);
    let checkout = repository.checkout("HEAD", &["c", "again/Chart.yaml"]).unwrap();
    let expected = [
        "again -> chart",
        "c/a: a",
        "c/absolute -> .git/not-in-the-repository",
        "c/loop -> .git/not-in-the-repository",
        "c/missing -> .git/not-in-the-repository",
        "c/outside -> .git/not-in-the-repository",
        "c/values.yaml -> ../shared/values.yaml",
        "chart -> shared/chart",
        "shared/chart/Chart.yaml: c",
        "shared/values.yaml: v",
    ];
    assert_eq!(listed(checkout.root()), expected);
    let read = |path: &str| fs::read_to_string(checkout.root().join(path)).unwrap();
    assert_eq!((read("c/values.yaml"), read("again/Chart.yaml")), ("v".into(), "c".into()));
    assert!(fs::read(checkout.root().join("c/outside")).is_err());

    // Where the base had a link, the work tree may have a folder: what is below the link is meant.
    fs::remove_file(repository.path().join("chart")).unwrap();
    repository.commit(&[("chart/Chart.yaml", "folder")]);
    let base = Base::open(&repository.path().join("chart"), "HEAD~1").unwrap();
    let checkout = base.checkout(&["Chart.yaml".into(), "../values.yaml".into()]).unwrap();
    assert_eq!(fs::read_to_string(checkout.root().join("Chart.yaml")).unwrap(), "c");
    assert_eq!(fs::read_to_string(checkout.root().join("../values.yaml")).unwrap(), "v");
}

#[test]
fn hostile_trees_write_nothing_outside() {
    let repository = Repository::new(&[("a", "x")]);
    let (blob, outside) = (repository.blob("evil"), repository.blob("/tmp"));
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    for name in ["..", ".", ".git", ".GIT", "a/b", "../x", "/etc/x", ""] {
        let commit = repository.commit_tree(&[("100644", name, &blob)]);
        let said = repository.refused(&commit, &["."]);
        assert!(said.contains(&format!("has an entry named {name:?} at {commit}")), "{said}");
    }
    // A link, and a folder of the same name whose files would be written through it.
    let commit = repository.commit_tree(&[("120000", "d", &outside), ("40000", "d", &tree)]);
    assert!(repository.refused(&commit, &["d"]).contains("has an entry named \"d\""));
    let commit = repository.commit_tree(&[("100644", "d", &tree)]);
    assert!(repository.refused(&commit, &["d"]).contains("is damaged: expected a blob"));
    let commit = repository.commit_tree(&[("160000", "sub", &repository.git(&["rev-parse", "HEAD"]))]);
    for path in ["sub", "sub/chart", "."] {
        assert!(repository.refused(&commit, &[path]).contains("sub is a git submodule at "));
    }
    let commit = repository.commit_tree(&[("100644", &"x".repeat(300), &blob)]);
    assert!(repository.refused(&commit, &["."]).contains("could not be written"));
}

/// A few objects can stand for more files than there are atoms.
#[test]
fn bombs_are_refused() {
    let repository = Repository::new(&[("a", "x")]);
    let mut tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    for _ in 0..12 {
        let names: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        let entries: Vec<_> = names.iter().map(|name| ("40000", name.as_str(), tree.as_str())).collect();
        let commit = repository.commit_tree(&entries);
        tree = repository.git(&["rev-parse", &format!("{commit}^{{tree}}")]);
    }
    let commit = repository.git(&["commit-tree", "-m", "x", &tree]);
    let said = repository.refused(&commit, &["."]);
    assert!(
        said.contains("has more than 200000 files below the paths that are compared\nhelp: name folders"),
        "{said}"
    );
}

#[test]
fn pointers_of_git_lfs_are_told_of() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let repository = Repository::new(&[("c/logo.png", pointer), ("c/about-lfs.md", &format!("see: {pointer}"))]);
    let checkout = repository.checkout("HEAD", &["c"]).unwrap();
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let told = format!("c/logo.png is a pointer of Git LFS at {commit}: what it points to is not compared");
    assert_eq!(checkout.warnings(), [told]);
}

#[test]
fn revisions_are_named_as_in_git_and_never_options() {
    let repository = Repository::new(&[("a", "1")]);
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "--annotate", "--message=x", "v1.0"]);
    repository.git(&["branch", "feature/login"]);
    repository.commit(&[("a", "2")]);
    for revision in ["v1.0", "HEAD~1", "feature/login", "refs/heads/feature/login", &first, &first[..10], "main^", "@~"]
    {
        assert_eq!(Base::open(repository.path(), revision).unwrap().commit(), first, "{revision}");
    }
    for revision in ["", "-x", "--all", "--output=x", "a\0b"] {
        assert!(repository.unknown(revision).contains("is no revision\nhelp: name a branch"), "{revision:?}");
    }
    for revision in ["^main", "HEAD~1..HEAD", "HEAD:a", "main@{99}", "main:a", "zz\u{1b}[2J"] {
        let said = repository.unknown(revision);
        assert!(said.starts_with(&format!("unknown revision {revision:?}")), "{said}");
        assert!(!said.contains('\u{1b}'));
    }
    assert!(repository.unknown("mian").ends_with("help: did you mean main?"));
    assert!(repository.unknown("feature/logon").ends_with("help: did you mean feature/login?"));
    assert!(repository.unknown("v1.1").ends_with("help: did you mean v1.0?"));
    let other = repository.unknown("release");
    assert!(other.ends_with("git fetch origin release, and name origin/release"), "{other}");
    assert!(repository.unknown("upstream/next").ends_with("git fetch upstream next"));
}

#[test]
fn a_detached_clone_without_references_has_commits() {
    let repository = Repository::new(&[("a", "1")]);
    let commit = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["checkout", "--quiet", "--detach"]);
    repository.git(&["branch", "-D", "--quiet", "main"]);
    assert_eq!(Base::open(repository.path(), &commit).unwrap().commit(), commit);
    assert!(repository.unknown("main").starts_with("unknown revision \"main\"\n"));
}

/// More than one window of questions, in many folders.
#[test]
fn ten_thousand_files_come_in_order() {
    let repository = Repository::new(&[]);
    let mut stream = String::from("commit refs/heads/main\ncommitter t <t@example.com> 0 +0000\ndata 1\nx\n");
    for n in 0..10_000 {
        let text = format!("file {}", n % 9_000);
        stream += &format!("M 644 inline d/{}/{n}.yaml\ndata {}\n{text}\n", n % 200, text.len());
    }
    git(repository.path(), &["fast-import", "--quiet"], stream.as_bytes());
    let start = Instant::now();
    let checkout = repository.checkout("main", &["d"]).unwrap();
    eprintln!("10,000 files: {:?}", start.elapsed());
    for n in [0, 98, 99, 100, 8_999, 9_000, 9_999] {
        let text = fs::read_to_string(checkout.root().join(format!("d/{}/{n}.yaml", n % 200))).unwrap();
        assert_eq!(text, format!("file {}", n % 9_000));
    }
    assert_eq!(listed(checkout.root()).len(), 10_000);
}

/// A second clone, with options.
fn clone(repository: &Repository, options: &[&str]) -> TempDir {
    let clone = folder(&[]);
    let url = format!("file://{}", repository.path().display());
    git(clone.path(), &[&["clone", "--quiet"], options, &[&url, "."]].concat(), b"");
    clone
}

#[test]
fn branches_of_a_remote_are_suggested() {
    let repository = Repository::new(&[("a", "1")]);
    repository.git(&["branch", "next"]);
    let clone = clone(&repository, &[]);
    let said = shown(Base::open(clone.path(), "next").unwrap_err());
    assert_eq!(said, "unknown revision \"next\"\nhelp: did you mean origin/next?");
    assert!(Base::open(clone.path(), "origin/next").is_ok());
}

#[test]
fn a_merge_base_is_where_the_branches_parted() {
    let repository = Repository::new(&[("a", "1")]);
    let parted = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.commit(&[("topic", "1")]);
    repository.git(&["checkout", "--quiet", "main"]);
    let main = repository.commit(&[("main", "1")]);
    repository.git(&["checkout", "--quiet", "topic"]);
    let base = Base::open(repository.path(), "main").unwrap();
    assert_eq!(base.commit(), main);
    let base = base.merge_base().unwrap();
    assert_eq!((base.revision(), base.commit()), ("main", parted.as_str()));
    // What a pull request is checked out as: its merge into main.
    repository.git(&["merge", "--quiet", "--message=x", "main"]);
    assert_eq!(Base::open(repository.path(), "main").unwrap().merge_base().unwrap().commit(), main);

    repository.git(&["checkout", "--quiet", "--orphan", "unrelated"]);
    repository.commit(&[]);
    let said = shown(Base::open(repository.path(), "main").unwrap().merge_base().unwrap_err());
    assert_eq!(said, "HEAD and \"main\" have no commit in common\nhelp: name a revision that HEAD comes from");
}

#[test]
fn a_shallow_clone_says_how_to_get_the_rest() {
    let repository = Repository::new(&[("a", "1")]);
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.commit(&[("topic", "1")]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.commit(&[("main", "1")]);
    let clone = clone(&repository, &["--depth=1", "--no-single-branch", "--branch=topic"]);
    let said = shown(Base::open(clone.path(), "HEAD~1").unwrap_err());
    assert!(said.starts_with("unknown revision \"HEAD~1\"\n") && said.contains("fetch-depth: 0"), "{said}");
    let base = Base::open(clone.path(), "origin/main").unwrap();
    assert!(base.checkout(&["a".into()]).is_ok());
    let said = shown(base.merge_base().unwrap_err());
    assert!(said.starts_with("this clone is shallow: where HEAD and \"origin/main\" parted is not in it\n"), "{said}");
    assert!(said.contains("fetch-depth: 0"), "{said}");
}

#[test]
fn a_partial_clone_fetches_nothing() {
    let repository = Repository::new(&[("a", "old")]);
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    repository.commit(&[("a", "new")]);
    let clone = clone(&repository, &["--filter=blob:none"]);
    let base = Base::open(clone.path(), "HEAD~1").unwrap();
    let said = shown(base.checkout(&["a".into()]).unwrap_err());
    let id = repository.git(&["rev-parse", "HEAD~1:a"]);
    assert!(said.starts_with(&format!("object {id} of ")) && said.contains("--refetch"), "{said}");
    let missing = Command::new("git")
        .args(["cat-file", "-e", &id])
        .env("GIT_ALLOW_PROTOCOL", "none")
        .stderr(Stdio::null())
        .current_dir(clone.path())
        .status();
    assert!(!missing.unwrap().success(), "it was fetched");
}

#[test]
fn damaged_objects_are_told_of() {
    let repository = Repository::new(&[("a", "text")]);
    let id = repository.git(&["rev-parse", "HEAD:a"]);
    let path = repository.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(&path).unwrap();
    assert!(repository.refused("HEAD", &["a"]).starts_with(&format!("object {id} of ")));
    fs::write(&path, "no object").unwrap();
    let said = repository.refused("HEAD", &["a"]);
    assert!(said.starts_with(&format!("object {id} of ")) && said.contains("git fsck"), "{said}");
}

#[test]
fn what_is_no_work_tree_is_an_error() {
    let plain = folder(&[("a", "")]);
    let said = shown(Base::open(plain.path(), "HEAD").unwrap_err());
    assert!(said.starts_with(&format!("{}: not in a git repository\nhelp: ", plain.path().display())), "{said}");
    let missing = Base::open(&plain.path().join("missing"), "HEAD").unwrap_err();
    assert!(matches!(missing.kind, ErrorKind::Run(_)), "{missing}");

    let empty = Repository::new(&[]);
    for revision in ["HEAD", "main", "origin/main"] {
        assert!(empty.unknown(revision).starts_with("the git repository has no commit yet\nhelp: commit first"));
    }
    assert_eq!(Base::open(&empty.path().join(".git"), "HEAD").unwrap_err().kind, ErrorKind::NoWorkTree);

    let repository = Repository::new(&[("a", "")]);
    let bare = clone(&repository, &["--bare"]);
    assert_eq!(Base::open(bare.path(), "HEAD").unwrap_err().kind, ErrorKind::NoWorkTree);
    // A bare repository inside of a work tree brings no configuration of its own.
    git(repository.path(), &["init", "--quiet", "--bare", "charts"], b"");
    assert_eq!(Base::open(&repository.path().join("charts"), "HEAD").unwrap_err().kind, ErrorKind::NoWorkTree);
}

#[test]
fn a_linked_work_tree_and_sha_256_are_as_good() {
    let repository = Repository::new(&[("a", "1")]);
    let linked = folder(&[]);
    repository.git(&["worktree", "add", "--quiet", linked.path().join("w").to_str().unwrap(), "-b", "w"]);
    let base = Base::open(&linked.path().join("w"), "main").unwrap();
    assert_eq!(listed(base.checkout(&["a".into()]).unwrap().root()), ["a: 1"]);

    let long = Repository::with(&[("c/a", "1"), ("c/b", "2")], &["--object-format=sha256"]);
    assert_eq!(listed(long.checkout("main", &["c"]).unwrap().root()), ["c/a: 1", "c/b: 2"]);
}

/// Runs the test of a name again in a process of its own, with other variables.
fn again(name: &str, variables: &[(&str, &str)]) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--include-ignored"])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_environment_is_no_answer() {
    let (repository, other) = (Repository::new(&[("a", "right")]), Repository::new(&[("a", "wrong")]));
    let root = repository.path().to_str().unwrap();
    again("in_another_environment", &[("EXPECT", "no git"), ("PATH", "/nonexistent"), ("REPOSITORY", root)]);
    let strange = [("EXPECT", "ownership"), ("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"), ("REPOSITORY", root)];
    again("in_another_environment", &strange);
    // A hook's variables.
    let git = other.path().join(".git");
    let (git, index) = (git.to_str().unwrap(), git.join("index"));
    let hook =
        [("EXPECT", "right"), ("GIT_DIR", git), ("GIT_INDEX_FILE", index.to_str().unwrap()), ("REPOSITORY", root)];
    again("in_another_environment", &hook);
}

#[test]
#[ignore = "the_environment_is_no_answer runs it"]
fn in_another_environment() {
    let repository = PathBuf::from(std::env::var_os("REPOSITORY").unwrap());
    let base = Base::open(&repository, "HEAD");
    match std::env::var("EXPECT").unwrap().as_str() {
        "no git" => {
            let said = shown(base.unwrap_err());
            assert_eq!(
                said,
                "git is not installed, or not in PATH\nhelp: what is compared with is read by git: install it where this runs"
            );
        }
        "ownership" => {
            let said = shown(base.unwrap_err());
            assert!(said.contains("git does not trust the folder: ") && said.contains("safe.directory"), "{said}");
        }
        "right" => assert_eq!(listed(base.unwrap().checkout(&["a".into()]).unwrap().root()), ["a: right"]),
        other => panic!("{other}"),
    }
}
