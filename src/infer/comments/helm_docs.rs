//! helm-docs' comments: `# -- description` above a key, `# some.key -- description` anywhere.
//!
//! Source: helm-docs v1.14.2, `pkg/helm/comment.go` and `chart_info.go`.

use super::Note;
use crate::infer::types::Types;

/// What a comment line directly above a key begins with.
const HERE: &str = "# --";

/// What the comment block above a key says. The last `# --` begins it: what is above describes something else.
///
/// One difference: of `# -- a -- b` helm-docs takes `-- a` for the path of a key, and leaves the key undescribed.
pub(super) fn above(lines: &[&str]) -> Option<Note> {
    let at = lines.iter().rposition(|line| line.trim_start().starts_with(HERE))?;
    let (first, rest) = lines.get(at..)?.split_first()?;
    Some(note(first.trim_start().strip_prefix(HERE)?.trim(), rest))
}

/// The comments of a file that name their key: its path as helm-docs writes it, and what they say.
pub(super) fn anywhere<'t>(lines: &[&'t str]) -> Vec<(&'t str, Note)> {
    let mut notes = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some((path, description)) = named(line) else { continue };
        let rest = lines.get(i + 1..).unwrap_or_default();
        let end = rest.iter().position(|line| !is_comment(line) || named(line).is_some());
        notes.push((path, note(description, rest.get(..end.unwrap_or(rest.len())).unwrap_or_default())));
    }
    notes
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// `# path -- description`
fn named(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start().strip_prefix('#')?;
    let (at, _) = line.match_indices("--").filter(|(at, _)| line[..*at].ends_with(char::is_whitespace)).last()?;
    let path = line[..at].trim();
    (!path.is_empty() && !path.starts_with(['-', '@'])).then(|| (path, line[at + 2..].trim_start()))
}

/// A description and the lines below it.
fn note(first: &str, rest: &[&str]) -> Note {
    let mut note = Note { description: first.to_owned(), ..Note::default() };
    if let Some((types, description)) = first.strip_prefix('(').and_then(|rest| rest.split_once(')'))
        && !types.is_empty()
    {
        note.types = Types::named(types);
        note.description = description.trim_start().to_owned();
    }
    let mut raw = false;
    for line in rest {
        let Some(text) = line.trim_start().strip_prefix('#') else { continue };
        let tag = text.trim_start();
        if !raw && tag.starts_with("@raw") {
            raw = true;
        } else if let Some(default) = text.strip_prefix(" @default -- ") {
            note.default = Some(default.trim_end().to_owned());
        } else if !text.starts_with(" @section -- ") && !tag.starts_with("@notationType") {
            note.description.push(if raw { '\n' } else { ' ' });
            note.description.push_str(text.strip_prefix(char::is_whitespace).unwrap_or(text));
        }
    }
    note.description.truncate(note.description.trim_end().len());
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Option<Note> {
        above(&text.lines().collect::<Vec<_>>())
    }

    #[test]
    fn a_description_goes_on_over_lines() {
        let note =
            block("# -- Pods that serve\n# requests.\n# @default -- one a node\n# @section -- Scale").expect("a note");
        assert_eq!(
            (note.description.as_str(), note.default.as_deref()),
            ("Pods that serve requests.", Some("one a node"))
        );
        let raw = block("# -- Lines\n# @raw\n#  - stay\n# lines").expect("a note");
        assert_eq!(raw.description, "Lines\n - stay\nlines");
    }

    #[test]
    fn the_last_description_is_the_one_of_the_key() {
        assert_eq!(
            block("# -- of a key that was commented out\n# old: 1\n# -- of this one").expect("a note").description,
            "of this one"
        );
        assert!(block("# nothing -- of helm-docs' here\n## -- nor here").is_none());
    }

    #[test]
    fn types_stand_in_brackets() {
        let note = block("# -- (int) How many").expect("a note");
        assert_eq!((note.description.as_str(), note.types), ("How many", Some(Types::INTEGER)));
        let own = block("# -- (optional) How many").expect("a note");
        assert_eq!((own.description.as_str(), own.types), ("How many", None));
        assert_eq!(block("# -- () none").expect("a note").description, "() none");
    }

    #[test]
    fn a_path_can_stand_anywhere() {
        let text =
            "# a.b -- (string) One\n# more\na:\n  b:\n# @default -- none\n#c -- two -- three\n# d.\"e.f\" -- four";
        let notes = anywhere(&text.lines().collect::<Vec<_>>());
        let found: Vec<_> = notes.iter().map(|(path, note)| (*path, note.description.as_str())).collect();
        assert_eq!(found, [("a.b", "One more"), ("c -- two", "three"), ("d.\"e.f\"", "four")]);
    }
}
