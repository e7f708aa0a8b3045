//! The base revision, read from git: neither the work tree nor the index, a reference or the configuration is touched.
//!
//! Only git's plumbing is run (`rev-parse`, `merge-base`, `for-each-ref`, `cat-file --batch`), and only objects are read: no
//! hooks, filters, attributes, replacements or remotes come into it, so a revision is always what was committed.

mod checkout;
mod command;
mod error;
mod objects;
mod tree;

use std::path::{Path, PathBuf};

pub use checkout::Checkout;
pub use error::{Error, ErrorKind};

use command::Git;

/// A commit that a work tree is compared with.
#[derive(Debug, Clone)]
pub struct Base {
    git: Git,
    /// As it was given.
    revision: String,
    /// Its id in full, in lower case.
    commit: String,
    /// The folder, from the root of the repository: empty, or names that end in `/`.
    prefix: String,
    is_shallow: bool,
}

impl Base {
    /// Finds the commit of a revision in the repository that a folder of a work tree is in. The folder is where paths
    /// begin from now on.
    ///
    /// # Errors
    /// The folder is in no work tree, git cannot be run or refuses, or the revision is not known.
    pub fn open(folder: &Path, revision: &str) -> Result<Self, Error> {
        let error = |kind| Error::new(folder, kind);
        if revision.is_empty() || revision.starts_with('-') || revision.contains('\0') {
            return Err(error(ErrorKind::NoRevision { revision: revision.to_owned() }));
        }
        let git = Git::new(folder);
        let place = git.run(&["rev-parse", "--is-inside-work-tree", "--is-shallow-repository", "--show-prefix"])?;
        if !place.success {
            return Err(error(ErrorKind::of_place(&place.errors)));
        }
        let mut lines = place.text.splitn(3, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let (is_inside, is_shallow, prefix) = (line() == "true", line() == "true", line());
        if !is_inside {
            return Err(error(ErrorKind::NoWorkTree));
        }
        let prefix = prefix.strip_suffix('\n').unwrap_or(prefix).to_owned();
        let base = Self { git, revision: revision.to_owned(), commit: String::new(), prefix, is_shallow };
        let commit = base.resolve(revision)?;
        Ok(Self { commit, ..base })
    }

    /// The newest commit that both this one and `HEAD` come from: what the changes of this branch are compared with, as
    /// a pull request's are. What others have added to the base since then is not this branch's doing.
    ///
    /// # Errors
    /// The two have no commit in common, or it lies beyond the end of a shallow clone.
    pub fn merge_base(self) -> Result<Self, Error> {
        let head = self.resolve("HEAD")?;
        let found = self.git.run(&["merge-base", &self.commit, &head])?;
        // There may be several that are equally new; git itself takes the first.
        match found.text.lines().next() {
            Some(commit) if found.success && is_id(commit) => Ok(Self { commit: commit.to_owned(), ..self }),
            _ if found.errors.is_empty() && self.is_shallow => {
                Err(self.error(ErrorKind::Shallow(self.revision.clone())))
            }
            _ if found.errors.is_empty() => Err(self.error(ErrorKind::Unrelated(self.revision.clone()))),
            _ => Err(self.error(ErrorKind::Git(found.errors))),
        }
    }

    /// The revision, as it was given.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The id of the commit, in full.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Writes what files and folders were at this commit to a temporary folder. Paths begin in the folder that was
    /// opened; what the commit has not is left out.
    ///
    /// # Errors
    /// A path outside of the repository, a submodule, a name that no work tree may have, more than is bearable, an object
    /// that is missing, or a full disk.
    pub fn checkout(&self, paths: &[PathBuf]) -> Result<Checkout, Error> {
        let mut checkout = Checkout::new(self)?;
        checkout.add(paths)?;
        Ok(checkout)
    }

    /// The commit of a revision.
    fn resolve(&self, revision: &str) -> Result<String, Error> {
        let named = format!("{revision}^{{commit}}");
        let found = self.git.run(&["rev-parse", "--verify", "--end-of-options", &named])?;
        let commit = found.text.trim_end();
        if found.success && is_id(commit) { Ok(commit.to_owned()) } else { Err(self.unknown(revision, found.errors)) }
    }

    /// Why a revision is not known, and what may have been meant.
    fn unknown(&self, revision: &str, errors: String) -> Error {
        if errors.contains("ambiguous") {
            return self.error(ErrorKind::Git(errors));
        }
        let names =
            ["for-each-ref", "--count=10000", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags"];
        let references = match self.git.run(&names) {
            Ok(found) => found.text,
            Err(error) => return error,
        };
        // A clone of a single commit has no references either.
        if revision == "HEAD" || references.is_empty() && self.resolve("HEAD").is_err() {
            return self.error(ErrorKind::NoCommit);
        }
        let tracked =
            references.lines().find(|name| name.split_once('/').is_some_and(|(_, branch)| branch == revision));
        let meant = tracked.or_else(|| crate::suggest::nearest(revision, references.lines())).map(str::to_owned);
        let (revision, is_shallow) = (revision.to_owned(), self.is_shallow);
        self.error(ErrorKind::Unknown { revision, meant, is_shallow })
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error::new(self.git.folder(), kind)
    }
}

/// Whether a text is the id of an object in full: SHA-1 or SHA-256.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
