//! Objects by their ids: `git cat-file --batch`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use super::command::Git;
use super::{Error, ErrorKind};

/// Questions that wait are at most this many bytes: what every pipe holds, so that neither side waits for the other.
const WINDOW: usize = 4096;

/// The longest line before an object: its id, its kind and its size.
const MAX_HEADER: u64 = 256;

/// A `git cat-file --batch` that runs.
#[derive(Debug)]
pub(super) struct Objects {
    git: Git,
    commit: String,
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    pub(super) fn new(git: &Git, commit: &str) -> Result<Self, Error> {
        let mut child = git.start(&["cat-file", "--batch"])?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::new(git.folder(), ErrorKind::Run("it has no standard streams".into())));
        };
        let answers = BufReader::with_capacity(64 << 10, answers);
        Ok(Self { git: git.clone(), commit: commit.to_owned(), child, questions, answers })
    }

    /// Reads objects of a kind, in their order, each handed over with its index, its size in bytes and what it holds.
    pub(super) fn read(
        &mut self,
        kind: &str,
        ids: &[String],
        mut each: impl FnMut(usize, u64, &mut dyn Read) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let window = ids.first().map_or(1, |id| (WINDOW / (id.len() + 1)).max(1));
        for (start, ids) in (0..).step_by(window).zip(ids.chunks(window)) {
            let asked = ids.iter().fold(String::new(), |text, id| text + id + "\n");
            if self.questions.write_all(asked.as_bytes()).and_then(|()| self.questions.flush()).is_err() {
                return Err(self.ended(ids.first()));
            }
            for (index, id) in ids.iter().enumerate() {
                let size = self.header(id, kind)?;
                let mut content = (&mut self.answers).take(size);
                each(start + index, size, &mut content)?;
                // What was not read is skipped; a line break follows.
                let rest = content.limit() + 1;
                let skipped = io::copy(&mut (&mut self.answers).take(rest), &mut io::sink());
                if skipped.ok() != Some(rest) {
                    return Err(self.ended(Some(id)));
                }
            }
        }
        Ok(())
    }

    /// Reads the line before an object: `<id> <kind> <size>`, or `<id> missing`.
    fn header(&mut self, id: &str, kind: &str) -> Result<u64, Error> {
        let mut line = Vec::new();
        if (&mut self.answers).take(MAX_HEADER).read_until(b'\n', &mut line).is_err() || line.pop() != Some(b'\n') {
            return Err(self.ended(Some(id)));
        }
        let line = String::from_utf8_lossy(&line);
        match line.strip_prefix(id).map(|rest| rest.trim_start().split_once(' ')) {
            Some(Some((found, size))) if found == kind => {
                size.parse().map_err(|_| self.error(ErrorKind::Damaged(id.to_owned(), format!("its size is {size:?}"))))
            }
            Some(None) if line.ends_with(" missing") => Err(self.missing(id, String::new())),
            _ => Err(self.error(ErrorKind::Damaged(id.to_owned(), format!("expected a {kind}, found {line:?}")))),
        }
    }

    /// Why git answers no more: it ends where an object can be neither read nor fetched.
    fn ended(&mut self, id: Option<impl AsRef<str>>) -> Error {
        let complaint = Git::complaint(&mut self.child);
        match id {
            Some(id) => self.missing(id.as_ref(), complaint),
            None => self.error(ErrorKind::Git(complaint)),
        }
    }

    fn missing(&self, id: &str, complaint: String) -> Error {
        self.error(ErrorKind::Missing { object: id.to_owned(), commit: self.commit.clone(), complaint })
    }

    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(self.git.folder(), kind)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It only reads: nothing is lost, and without `wait` it would stay in the table of processes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
