//! Why a revision cannot be read, and the way out.

use std::path::{Path, PathBuf};

use crate::finding::Fault;

/// Why a revision of a folder cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// The folder that was opened.
    pub folder: PathBuf,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// There is no program of that name in `PATH`.
    #[error("git is not installed, or not in PATH")]
    NoGit,
    /// It could not be run, or talked with.
    #[error("git could not be run: {0}")]
    Run(String),
    /// Its own words.
    #[error("git says: {0}")]
    Git(String),
    /// The folder is in no repository.
    #[error("not in a git repository")]
    NoRepository,
    /// The folder is in a bare repository, or in `.git`.
    #[error("in a git repository, but not in a work tree")]
    NoWorkTree,
    /// The folder is another user's.
    #[error("git does not trust the folder: {0}")]
    Ownership(String),
    /// There is nothing yet that could be compared with.
    #[error("the git repository has no commit yet")]
    NoCommit,
    /// What no revision is called.
    #[error("{revision:?} is no revision")]
    NoRevision {
        /// What was given.
        revision: String,
    },
    /// A revision that is not there.
    #[error("unknown revision {revision:?}")]
    Unknown {
        /// What was given.
        revision: String,
        /// What there is, and is called about the same.
        meant: Option<String>,
        /// Whether the clone has only the newest commits.
        is_shallow: bool,
    },
    /// Where the branches parted is not in the clone.
    #[error("this clone is shallow: where HEAD and {0:?} parted is not in it")]
    Shallow(String),
    /// The branches never parted.
    #[error("HEAD and {0:?} have no commit in common")]
    Unrelated(String),
    /// A path that git does not keep.
    #[error("{} is outside of the git repository", .0.display())]
    Outside(PathBuf),
    /// A folder that is another repository's.
    #[error("{0} is a git submodule at {1}")]
    Submodule(String, String),
    /// A name that no work tree may have, or not twice.
    #[error("{folder}/ has an entry named {name:?} at {commit}, which no work tree can have")]
    Name {
        /// The folder, from the root of the repository.
        folder: String,
        /// The name.
        name: String,
        /// The commit.
        commit: String,
    },
    /// What is compared with is not in the clone.
    #[error("object {object} of {commit} cannot be read from this clone{}", said(.complaint))]
    Missing {
        /// The id of the object.
        object: String,
        /// The commit.
        commit: String,
        /// What git says of it.
        complaint: String,
    },
    /// An object that is not what it should be.
    #[error("object {0} is damaged: {1}")]
    Damaged(String, String),
    /// More than anybody compares.
    #[error("{commit} has more than {limit} below the paths that are compared")]
    TooLarge {
        /// The commit.
        commit: String,
        /// Of what, and how many: `200000 files`.
        limit: String,
    },
    /// The temporary folder could not be written.
    #[error("{} could not be written: {reason}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Error {
    pub(super) fn new(folder: &Path, kind: ErrorKind) -> Self {
        Self { folder: folder.to_path_buf(), kind }
    }

    /// The way out.
    pub fn help(&self) -> Option<String> {
        const WHOLE: &str = "fetch all of the history: `fetch-depth: 0` for actions/checkout, GIT_DEPTH=0 in GitLab CI, \
                             or git fetch --unshallow";
        const NAMES: &str = "name a branch, a tag or a commit: main, origin/main, v1.2, HEAD~1";
        Some(match &self.kind {
            ErrorKind::NoGit => "what is compared with is read by git: install it where this runs".into(),
            ErrorKind::NoRepository => {
                "what is compared with is read from git: run this in a clone; an archive or a copy without .git has no \
                 history"
                    .into()
            }
            ErrorKind::NoWorkTree => "run this in a clone that has its files checked out".into(),
            ErrorKind::NoCommit => "commit first: there is nothing to compare with".into(),
            ErrorKind::NoRevision { .. } => NAMES.into(),
            ErrorKind::Unknown { meant: Some(name), .. } => format!("did you mean {name}?"),
            ErrorKind::Unknown { is_shallow: true, .. } | ErrorKind::Shallow(_) => WHOLE.into(),
            // No branch has such a name: there is none to fetch.
            ErrorKind::Unknown { revision, .. }
                if revision.contains([':', '~', '^', ' ']) || revision.contains("..") =>
            {
                NAMES.into()
            }
            ErrorKind::Unknown { revision, .. } => match revision.escape_debug().to_string().split_once('/') {
                Some((remote, branch)) => {
                    format!("where it is a branch that was not fetched: git fetch {remote} {branch}")
                }
                None => {
                    let branch = revision.escape_debug();
                    format!(
                        "where it is a branch that was not fetched: git fetch origin {branch}, and name origin/{branch}"
                    )
                }
            },
            ErrorKind::Unrelated(_) => "name a revision that HEAD comes from".into(),
            ErrorKind::Outside(_) => {
                "git knows only what is in the repository: name a file in it, by a path that is not absolute".into()
            }
            ErrorKind::Submodule(..) => {
                "what a submodule holds is in another repository: copy it into this one, or leave out the release"
                    .into()
            }
            ErrorKind::Missing { .. } => {
                "where the clone is partial, nothing is fetched here: fetch the commit with --refetch and without \
                                          --filter; where it is damaged, git fsck says more"
                    .into()
            }
            ErrorKind::Damaged(..) => "git fsck says more".into(),
            ErrorKind::TooLarge { .. } => "name folders that hold less".into(),
            ErrorKind::Write { .. } => "see whether the disk is full; TMPDIR says where temporary files go".into(),
            ErrorKind::Run(_) | ErrorKind::Git(_) | ErrorKind::Ownership(_) | ErrorKind::Name { .. } => return None,
        })
    }
}

impl ErrorKind {
    /// Why there is no repository where one was expected, from git's words.
    pub(super) fn of_place(errors: &str) -> Self {
        if errors.contains("dubious ownership") || errors.contains("unsafe repository") {
            return Self::Ownership(errors.to_owned());
        }
        if errors.contains("cannot use bare repository") || errors.contains("must be run in a work tree") {
            return Self::NoWorkTree;
        }
        if errors.contains("not a git repository") { Self::NoRepository } else { Self::Git(errors.to_owned()) }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let folder = if error.folder.as_os_str().is_empty() { Path::new(".") } else { &error.folder };
        let fault = match error.kind {
            ErrorKind::NoRepository | ErrorKind::NoWorkTree | ErrorKind::Ownership(_) => {
                Self::new(format!("{}: {error}", folder.display()))
            }
            _ => Self::new(error.to_string()),
        };
        match error.help() {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

fn said(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!("; git says: {complaint}") }
}
