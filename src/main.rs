//! The binary: the command line on the process's own streams.

use std::io::{self, BufWriter, IsTerminal};
use std::process::ExitCode;

use plimsoll::cli::{self, Streams, Verbosity};
use plimsoll::report::Style;

/// Templates run on a thread with a deep stack, where glibc asks the kernel for memory page by page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let style = |is_terminal: bool| {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if is_terminal && wanted { Style::Coloured } else { Style::Plain }
    };
    let status = cli::run(
        std::env::args_os(),
        &mut Streams {
            // Not locked: the answer to a question is read on another thread.
            stdin: &mut io::stdin(),
            stdout: &mut BufWriter::new(io::stdout().lock()),
            // Not locked: other threads log, and say why they panic.
            stderr: &mut io::stderr(),
            stdout_style: style(io::stdout().is_terminal()),
            stderr_style: style(io::stderr().is_terminal()),
            verbosity: Verbosity::default(),
            is_watched: io::stderr().is_terminal(),
            is_attended: io::stdin().is_terminal(),
        },
    );
    ExitCode::from(status.code())
}
