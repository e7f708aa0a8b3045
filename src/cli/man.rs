//! `plimsoll man`: manual pages, from the same definitions as the help.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use super::files::write_all;
use super::{Stop, Streams};
use crate::gate::ExitStatus;

/// Write manual pages to a folder: plimsoll.1, and one a subcommand
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder, for example /usr/local/share/man/man1
    folder: PathBuf,
}

/// What stands at the end of each page.
const EXIT_STATUS: &str = r#".SH "EXIT STATUS"
.TP
0
All is well.
.TP
1
Something was refused.
.TP
2
The work could not be done, which never counts as a pass.
"#;

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let mut command = super::command();
    // Gives every subcommand its full name and the flags of all.
    command.build();
    let mut pages = BTreeMap::new();
    collect(&command, &args.folder, &mut pages)?;
    let folder = args.folder.display();
    write_all(&pages, &folder)?;
    streams.note(&format!("wrote {} pages to {folder}", pages.len()))?;
    Ok(ExitStatus::Clean)
}

/// The pages of a command and of all below it.
fn collect(command: &clap::Command, folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
    let man = Man::new(command.clone()).source(concat!("plimsoll ", env!("CARGO_PKG_VERSION"))).manual("plimsoll");
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(EXIT_STATUS.as_bytes());
    pages.insert(folder.join(man.get_filename()), String::from_utf8_lossy(&page).into_owned());
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.into_iter().try_for_each(|command| collect(command, folder, pages))
}
