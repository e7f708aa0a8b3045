//! Texts line by line: what `diff -u` and `git diff` print.

use std::fmt::Write;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// The most lines of both texts, beyond what they begin and end with in common, that are searched for common lines. With
/// more the one text is shown whole as taken away, and the other as put there.
const MAX_LINES: usize = 1 << 17;

/// The hunks of a unified diff with that many lines around each change: `@@ -1,2 +1,2 @@`, then lines that begin with a
/// blank, `-` or `+`. Nothing where the texts are the same; without `---` and `+++`, for texts have no names.
///
/// Lines end at `\n` alone, as they do for git: what reads the diff as a patch gets the texts back byte by byte.
pub fn unified(before: &str, after: &str, context: usize) -> String {
    if before == after {
        return String::new();
    }
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    let after: Vec<&str> = after.split_inclusive('\n').collect();
    let context = context.min(before.len().max(after.len()));
    let mut out = String::new();
    for hunk in group_diff_ops(changes(&before, &after), context) {
        write_hunk(&hunk, &before, &after, &mut out);
    }
    out
}

fn changes(before: &[&str], after: &[&str]) -> Vec<DiffOp> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let start = before.iter().zip(after).take_while(same).count();
    let rest = before.iter().skip(start).rev().zip(after.iter().skip(start).rev());
    let end = rest.take_while(same).count();
    let (old_len, new_len) = (before.len() - start - end, after.len() - start - end);
    if old_len.saturating_add(new_len) <= MAX_LINES {
        return capture_diff_slices(Algorithm::Myers, before, after);
    }
    vec![
        DiffOp::Equal { old_index: 0, new_index: 0, len: start },
        DiffOp::Replace { old_index: start, old_len, new_index: start, new_len },
        DiffOp::Equal { old_index: start + old_len, new_index: start + new_len, len: end },
    ]
}

fn write_hunk(hunk: &[DiffOp], before: &[&str], after: &[&str], out: &mut String) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
    let old = range(first.old_range().start, last.old_range().end);
    let new = range(first.new_range().start, last.new_range().end);
    let _ = writeln!(out, "@@ -{old} +{new} @@");
    let mut lines = |sign: char, lines: Option<&[&str]>| {
        for line in lines.unwrap_or_default() {
            out.push(sign);
            out.push_str(line);
            if !line.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    };
    for change in hunk {
        if let DiffOp::Equal { .. } = change {
            lines(' ', before.get(change.old_range()));
        } else {
            lines('-', before.get(change.old_range()));
            lines('+', after.get(change.new_range()));
        }
    }
}

/// The lines of a hunk on one side: `3` for one, `3,2` for more, and `2,0` for none after the second.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn hunks_are_as_git_prints_them() {
        let lines = |range: std::ops::Range<u32>| range.map(|n| format!("{n}\n")).collect::<String>();
        let before = lines(0..30);
        let after = before.replace("\n5\n", "\nfive\n").replace("\n20\n", "\n20\n20.5\n");
        assert_eq!(
            unified(&before, &after, 1),
            "@@ -5,3 +5,3 @@\n 4\n-5\n+five\n 6\n@@ -21,2 +21,3 @@\n 20\n+20.5\n 21\n"
        );
        assert_eq!(unified(&before, &before, 3), "");
        assert_eq!(unified("", "a\n", 3), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(unified("a\nb\n", "", 3), "@@ -1,2 +0,0 @@\n-a\n-b\n");
        assert_eq!(unified("a\nb\nc\n", "a\nc\n", 0), "@@ -2 +1,0 @@\n-b\n");
        assert_eq!(
            unified("a\r\nb", "a\r\nb\n", usize::MAX),
            "@@ -1,2 +1,2 @@\n a\r\n-b\n\\ No newline at end of file\n+b\n"
        );
        assert_eq!(unified("a\rb\n", "a\rc\n", 3), "@@ -1 +1 @@\n-a\rb\n+a\rc\n");
    }

    /// Takes the old text from a diff with all lines, and the new one.
    fn sides(diff: &str) -> (String, String) {
        let (mut before, mut after) = (String::new(), String::new());
        for line in diff.split_inclusive('\n').skip(1) {
            let text = line.get(1..).unwrap();
            match line.as_bytes()[0] {
                b' ' => [&mut before, &mut after].into_iter().for_each(|side| side.push_str(text)),
                b'-' => before.push_str(text),
                _ => after.push_str(text),
            }
        }
        (before, after)
    }

    #[test]
    fn hostile_texts_take_bounded_time_and_are_still_told_in_full() {
        let mut state = 1_u64;
        let mut random = |lines: usize, words: u64| {
            let line = |_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                format!("{}\n", (state >> 33) % words)
            };
            (0..lines).map(line).collect::<String>()
        };
        for (lines, words) in [(10_000, 2), (50_000, 300), (50_000, u64::MAX), (200_000, 1000)] {
            let (before, after) = (random(lines, words), random(lines, words));
            let start = Instant::now();
            let diff = unified(&before, &after, usize::MAX);
            assert!(start.elapsed() < Duration::from_secs(60), "{lines} lines of {words} words");
            assert!(sides(&diff) == (before, after), "{lines} lines of {words} words");
        }
    }
}
