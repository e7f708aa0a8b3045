//! Where a command reads and writes, and how much it tells.

use std::io::{self, Read, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{Style, printable};

/// Where a command reads and writes.
pub struct Streams<'a> {
    /// Standard input, for `-f -` and `lint -`.
    pub stdin: &'a mut dyn Read,
    /// Results.
    pub stdout: &'a mut dyn Write,
    /// Warnings, and why the work could not be done.
    pub stderr: &'a mut dyn Write,
    /// Whether results may be coloured.
    pub stdout_style: Style,
    /// Whether errors may be coloured.
    pub stderr_style: Style,
    /// How much is told beside results; `--quiet` and `--verbose` set it.
    pub verbosity: Verbosity,
    /// Whether somebody watches the process's own standard error, to whom progress can be shown.
    pub is_watched: bool,
    /// Whether somebody can answer a question on the process's own standard input.
    pub is_attended: bool,
}

/// How much a command tells beside its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Nothing but what was asked for, findings and errors.
    Quiet,
    /// Warnings too, progress, and a summary.
    #[default]
    Normal,
    /// Also what is done, and how long it took.
    Verbose,
}

/// Where help lists the flags of every command: after those of its own, before `--help`.
const LAST: usize = 900;

/// The flags of every command.
#[derive(Debug, clap::Args)]
pub(super) struct VerbosityArgs {
    /// Print nothing but results, findings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = LAST)]
    quiet: bool,
    /// Say on standard error what is done, and how long it took
    #[arg(short, long, global = true, display_order = LAST)]
    verbose: bool,
}

impl VerbosityArgs {
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

impl Streams<'_> {
    /// Whether nothing is wanted but results, findings and errors.
    pub(super) fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Standard error, when all that was told before can be seen: whoever sees both reads them in the order of events.
    pub(super) fn aside(&mut self) -> io::Result<&mut dyn Write> {
        self.stdout.flush()?;
        Ok(self.stderr)
    }

    /// Says what is odd, but no reason to stop.
    pub(super) fn warn(&mut self, warning: &str) -> io::Result<()> {
        if self.is_quiet() { Ok(()) } else { writeln!(self.aside()?, "warning: {}", printable(warning)) }
    }

    /// Says what a command came to, where nobody needs to know: `wrote values.schema.json`.
    pub(super) fn note(&mut self, note: &str) -> io::Result<()> {
        if self.is_quiet() {
            return Ok(());
        }
        writeln!(self.stdout, "{}", printable(note))?;
        // Some are told while work goes on.
        self.stdout.flush()
    }

    /// A bar for work of so many steps, which may be taken on any thread.
    pub(super) fn progress(&self, what: &'static str, steps: usize) -> ProgressBar {
        if !self.is_watched || self.is_quiet() {
            return ProgressBar::hidden();
        }
        let style =
            ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}").unwrap_or(ProgressStyle::default_bar());
        ProgressBar::new(steps as u64).with_prefix(what).with_style(style)
    }

    /// Says what was done and how long it took: `rendered web from charts/web in 12.3 ms`.
    pub(super) fn took(&mut self, done: &str, time: Duration) -> io::Result<()> {
        if self.verbosity < Verbosity::Verbose {
            return Ok(());
        }
        writeln!(self.stderr, "{} in {:.1} ms", printable(done), time.as_secs_f64() * 1e3)
    }
}

/// Notes of what happens while work goes on that does not end for a note that cannot be written.
pub(super) struct Notes<'a, 's> {
    streams: &'a mut Streams<'s>,
    written: io::Result<()>,
}

impl<'a, 's> Notes<'a, 's> {
    pub(super) fn new(streams: &'a mut Streams<'s>) -> Self {
        Self { streams, written: Ok(()) }
    }

    pub(super) fn note(&mut self, note: &str) {
        if self.written.is_ok() {
            self.written = self.streams.note(note);
        }
    }

    /// Whether all could be written.
    pub(super) fn end(self) -> io::Result<()> {
        self.written
    }
}

/// A stream that takes what is written also when its reader is gone: whoever closed the pipe has seen enough, and the
/// verdict still counts.
pub(super) struct UntilClosed<'a> {
    inner: &'a mut dyn Write,
    is_closed: bool,
}

impl<'a> UntilClosed<'a> {
    pub(super) fn new(inner: &'a mut dyn Write) -> Self {
        Self { inner, is_closed: false }
    }

    /// Runs what writes, unless nobody reads any more.
    fn attempt<T>(&mut self, nobody: T, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        if self.is_closed {
            return Ok(nobody);
        }
        match write(self.inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(nobody)
            }
            outcome => outcome,
        }
    }
}

impl Write for UntilClosed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt((), |inner| inner.flush())
    }
}
