//! A page of bounded length: what no longer fits is left out by whole pieces, the least important first, and counted.

/// The most bytes of a page. A comment on GitHub has at most 65,536 characters.
pub(in crate::report) const MAX_PAGE: usize = 60_000;

/// What is kept for the headings of later sections, for notes on what is left out, and for the end.
const RESERVE: usize = 4_000;

/// A page that is being written.
#[derive(Debug)]
pub(in crate::report) struct Page {
    text: String,
    /// How many pieces were left out or shortened.
    left_out: usize,
}

/// One of the things that a section tells.
#[derive(Debug)]
pub(in crate::report) struct Piece {
    /// All of it.
    pub full: String,
    /// What is told where that does not fit.
    pub short: String,
}

impl Page {
    /// A page with its first lines, which are short.
    pub fn new(head: String) -> Self {
        Self { text: head, left_out: 0 }
    }

    /// Adds a short text of our own, with a blank line before it.
    pub fn add(&mut self, text: &str) {
        self.text.push('\n');
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Adds pieces, as many as fit in a part of the room that is left: `share` is one over it. Each is made when its turn
    /// comes, so that ten thousand cost no more than those that fit. `more` says how many are not there.
    pub fn pieces(
        &mut self,
        share: usize,
        pieces: impl ExactSizeIterator<Item = Piece>,
        more: impl FnOnce(usize) -> String,
    ) {
        let room = MAX_PAGE.saturating_sub(RESERVE).saturating_sub(self.text.len()) / share.max(1);
        let end = self.text.len() + room;
        let (count, mut told) = (pieces.len(), 0);
        // Once one is too long, those behind it are short: a reader does not look for gaps.
        let mut is_short = false;
        for Piece { full, short } in pieces {
            // Half of the room is for those that are short, or they would have none.
            is_short |= self.text.len() + full.len() + 1 > if count > 1 { end - room / 4 } else { end };
            let text = if is_short { &short } else { &full };
            if self.text.len() + text.len() + 1 > end {
                break;
            }
            self.left_out += usize::from(is_short && full.len() > short.len());
            self.add(text);
            told += 1;
        }
        if told < count {
            self.left_out += count - told;
            self.add(&more(count - told));
        }
    }

    /// The page; with a last line where something was left out.
    pub fn finish(mut self, note: &str) -> String {
        if self.left_out > 0 {
            self.add(note);
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(length: usize) -> Piece {
        Piece { full: "f".repeat(length), short: "s".into() }
    }

    fn page(pieces: Vec<Piece>) -> String {
        let mut page = Page::new("head\n".into());
        page.pieces(1, pieces.into_iter(), |count| format!("{count} more"));
        page.finish("note")
    }

    #[test]
    fn what_fits_is_told_in_full() {
        assert_eq!(page(vec![piece(3), piece(4)]), "head\n\nfff\n\nffff\n");
        assert_eq!(page(Vec::new()), "head\n");
    }

    #[test]
    fn what_does_not_fit_is_short_and_then_counted() {
        let long = page((0..100_000).map(|_| piece(1000)).collect());
        assert!(long.len() < MAX_PAGE, "{}", long.len());
        assert!(long.contains("\n\ns\n") && long.ends_with(" more\n\nnote\n"), "{}", &long[long.len() - 100..]);
        let one = page(vec![piece(MAX_PAGE), piece(3)]);
        assert_eq!(one, "head\n\ns\n\ns\n\nnote\n", "no gaps");
    }
}
