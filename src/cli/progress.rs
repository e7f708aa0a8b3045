//! What is waited for, shown while waiting: a terminal gets lines that change, everything else a line for each change.

use std::io::Write;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::streams::Streams;
use crate::cluster::ready::Event;
use crate::finding::ObjectRef;
use crate::report::printable;

/// How many objects a terminal shows at once.
const LINES: usize = 10;

/// A display of what is waited for; it is gone from the terminal when this is dropped.
pub(super) struct Progress<'a> {
    /// What is not done yet, in the order in which it was told, each with how it is.
    waiting: Vec<(ObjectRef, String)>,
    shown: Shown<'a>,
}

enum Shown<'a> {
    Nowhere,
    Lines(&'a mut dyn Write),
    Terminal { all: MultiProgress, head: ProgressBar, lines: Vec<ProgressBar> },
}

impl<'a> Progress<'a> {
    /// Shows it on standard error, unless nobody wants to be told.
    pub(super) fn new(streams: &'a mut Streams<'_>) -> Self {
        // Where this cannot be written, what is written next says so.
        let _ = streams.aside();
        let shown = match (streams.is_quiet(), streams.is_watched) {
            (true, _) => Shown::Nowhere,
            (false, true) => Shown::terminal(ProgressDrawTarget::stderr()),
            (false, false) => Shown::Lines(streams.stderr),
        };
        Self { waiting: Vec::new(), shown }
    }

    /// Shows what has happened.
    pub(super) fn show(&mut self, event: &Event<'_>) {
        let line = match event {
            Event::Waits { object, state } => {
                let why = printable(&state.to_string());
                let line = format!("{}: {why}", printable(&object.to_string()));
                match self.waiting.iter_mut().find(|(known, _)| known == *object) {
                    Some((_, known)) => *known = why,
                    None => self.waiting.push(((*object).clone(), why)),
                }
                line
            }
            Event::Done { object } => {
                let Some(at) = self.waiting.iter().position(|(known, _)| known == *object) else { return };
                self.waiting.remove(at);
                format!("{}: done", printable(&object.to_string()))
            }
            Event::Unreachable(error) => {
                format!("the server does not answer, asking again: {}", printable(&error.to_string()))
            }
            Event::Reachable => "the server answers again".to_owned(),
        };
        match &mut self.shown {
            Shown::Nowhere => {}
            // A reader that is gone is no reason not to wait.
            Shown::Lines(stderr) => drop(writeln!(stderr, "{line}")),
            Shown::Terminal { all, head, lines } => {
                match event {
                    Event::Unreachable(_) => head.set_prefix(line),
                    _ => head.set_prefix(waiting_for(self.waiting.len())),
                }
                draw(all, lines, &self.waiting);
            }
        }
    }
}

impl Shown<'_> {
    fn terminal(target: ProgressDrawTarget) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let head = ProgressBar::no_length().with_style(style("{prefix} ({elapsed})"));
        let head = all.add(head.with_prefix("waiting"));
        head.enable_steady_tick(Duration::from_secs(1));
        Self::Terminal { all, head, lines: Vec::new() }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Shown::Terminal { all, head, lines } = &self.shown {
            lines.iter().chain([head]).for_each(ProgressBar::finish_and_clear);
            // What cannot be cleared stays.
            let _ = all.clear();
        }
    }
}

fn waiting_for(count: usize) -> String {
    match count {
        1 => "waiting for 1 object".to_owned(),
        count => format!("waiting for {count} objects"),
    }
}

/// A line for each of the first objects.
fn draw(all: &MultiProgress, lines: &mut Vec<ProgressBar>, waiting: &[(ObjectRef, String)]) {
    let count = waiting.len().min(LINES);
    for surplus in lines.drain(count.min(lines.len())..) {
        surplus.finish_and_clear();
        all.remove(&surplus);
    }
    while lines.len() < count {
        lines.push(all.add(ProgressBar::no_length().with_style(style("  {wide_msg}"))));
    }
    for (line, (object, why)) in lines.iter().zip(waiting) {
        let message = format!("{}: {why}", printable(&object.to_string()));
        if line.message() != message {
            line.set_message(message);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::cluster::ready::{State, Status};

    const WIDTH: usize = 60;

    /// A terminal that remembers its lines, as full lines wrap.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<Cells>>);

    #[derive(Debug, Default)]
    struct Cells {
        lines: Vec<Vec<char>>,
        row: usize,
        column: usize,
    }

    impl Screen {
        fn change(&self, change: impl FnOnce(&mut Cells)) -> io::Result<()> {
            change(&mut self.0.lock().unwrap());
            Ok(())
        }

        fn text(&self) -> String {
            let lines = self.0.lock().unwrap().lines.clone();
            let lines = lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned());
            lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            WIDTH as u16
        }

        fn move_cursor_up(&self, count: usize) -> io::Result<()> {
            self.change(|cells| cells.row = cells.row.saturating_sub(count))
        }

        fn move_cursor_down(&self, count: usize) -> io::Result<()> {
            self.change(|cells| cells.row += count)
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            unimplemented!("indicatif moves only up and down")
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            unimplemented!("indicatif moves only up and down")
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.change(|cells| (cells.row, cells.column) = (cells.row + 1, 0))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.change(|cells| {
                for c in text.chars() {
                    if c == '\r' {
                        cells.column = 0;
                        continue;
                    }
                    if cells.column == WIDTH {
                        (cells.row, cells.column) = (cells.row + 1, 0);
                    }
                    let rows = cells.lines.len().max(cells.row + 1);
                    cells.lines.resize(rows, vec![' '; WIDTH]);
                    cells.lines[cells.row][cells.column] = c;
                    cells.column += 1;
                }
            })
        }

        fn clear_line(&self) -> io::Result<()> {
            self.change(|cells| {
                cells.column = 0;
                let row = cells.row;
                if let Some(line) = cells.lines.get_mut(row) {
                    line.fill(' ');
                }
            })
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn object(name: &str) -> ObjectRef {
        let (api_version, kind) = ("apps/v1".into(), "Deployment".into());
        ObjectRef { api_version, kind, namespace: Some("shop".into()), name: name.into() }
    }

    #[test]
    fn a_terminal_shows_what_is_waited_for_now() {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), u8::MAX);
        let mut progress = Progress { waiting: Vec::new(), shown: Shown::terminal(target) };
        let waits = State::Is(Status::InProgress("0 of 2 replicas are available, which is a long story".into()));
        for number in 0..12 {
            progress.show(&Event::Waits { object: &object(&format!("web-{number}")), state: &waits });
        }
        // What is drawn too soon after the last time is drawn by the next event.
        std::thread::sleep(Duration::from_millis(100));
        for number in 3..12 {
            progress.show(&Event::Done { object: &object(&format!("web-{number}")) });
        }
        std::thread::sleep(Duration::from_millis(100));
        progress.show(&Event::Done { object: &object("web-0") });
        let text = screen.text();
        let (head, lines) = text.split_once('\n').unwrap();
        assert!(head.starts_with("waiting for 2 objects ("), "{head}");
        insta::assert_snapshot!(lines, @r"
          Deployment shop/web-1: 0 of 2 replicas are available, whic
          Deployment shop/web-2: 0 of 2 replicas are available, whic
        ");
        drop(progress);
        assert_eq!(screen.text(), "");
    }

    #[test]
    fn without_a_terminal_each_change_is_a_line() {
        let mut stderr = Vec::new();
        let mut progress = Progress { waiting: Vec::new(), shown: Shown::Lines(&mut stderr) };
        let (web, db) = (object("web"), object("db\u{1b}[2J"));
        let waits = |why: &str| State::Is(Status::InProgress(why.into()));
        progress.show(&Event::Waits { object: &web, state: &waits("0 of 2 replicas exist") });
        progress.show(&Event::Waits { object: &db, state: &waits("\u{1b}]0;no\u{7}") });
        progress.show(&Event::Waits { object: &web, state: &waits("1 of 2 replicas are ready") });
        progress.show(&Event::Done { object: &web });
        // It was never waited for.
        progress.show(&Event::Done { object: &object("cache") });
        drop(progress);
        insta::assert_snapshot!(String::from_utf8(stderr).unwrap(), @r"
        Deployment shop/web: 0 of 2 replicas exist
        Deployment shop/db?[2J: ?]0;no?
        Deployment shop/web: 1 of 2 replicas are ready
        Deployment shop/web: done
        ");
    }
}
