//! Comments that no tool reads, above a key or behind its value.

/// The description in the comment lines directly above a key: without rulers, tags and the key that they comment out.
pub(super) fn description(lines: &[&str]) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut described = false;
    for line in lines {
        let text = line.trim_start().trim_start_matches('#').trim_end_matches([' ', '\t', '#', '\r']);
        let tag = text.trim_start();
        if tag.starts_with("@descriptionStart") {
            described = true;
        } else if tag.starts_with("@descriptionEnd") {
            described = false;
        } else if !described && !is_ruler(tag) && !is_tag(tag) {
            let text = text.strip_prefix(' ').unwrap_or(text);
            // helm-docs' mark in a place where helm-docs does not look.
            let text = text.strip_prefix("-- ").unwrap_or(text);
            kept.push(if is_heading(text) { text.trim_matches(RULER) } else { text });
        }
    }
    let first = kept.iter().position(|line| !line.is_empty()).unwrap_or(kept.len());
    let lines = kept.get(first..).unwrap_or_default();
    if lines.first().is_none_or(|line| is_commented_out(line)) {
        return String::new();
    }
    lines.join("\n").trim_end().to_owned()
}

/// What lines are drawn with.
const RULER: [char; 7] = ['-', '=', '*', '~', '_', '+', ' '];

/// `-----`, `=====`
fn is_ruler(text: &str) -> bool {
    text.len() > 2 && text.chars().all(|c| RULER.contains(&c))
}

/// `---- Network ----`
fn is_heading(text: &str) -> bool {
    ["--", "=="].iter().any(|line| text.starts_with(line) && text.ends_with(line))
}

/// `@section -- Network`, and what is for other programs.
fn is_tag(text: &str) -> bool {
    let at = text.strip_prefix('@').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    at || [
        "yaml-language-server:",
        "yamllint ",
        "renovate:",
        "checkov:",
        "prettier-ignore",
        "trunk-ignore",
        "kics-scan ",
    ]
    .iter()
    .any(|program| text.starts_with(program))
}

/// `replicas: 3`, `- name: x`: values that are not in force describe nothing. Sentences begin with a capital, and
/// `ref: https://…` says where to read on.
fn is_commented_out(line: &str) -> bool {
    let item = line.strip_prefix("- ").unwrap_or(line);
    let key = item.find(": ").and_then(|end| item.get(..end)).or_else(|| item.strip_suffix(':'));
    key.is_some_and(|key| {
        key.starts_with(char::is_lowercase) && key != "ref" && !key.contains(|c: char| c.is_whitespace() || c == '`')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_above_a_key_describe_it() {
        for (lines, expected) in [
            (&["# How many pods", "# serve requests."][..], "How many pods\nserve requests."),
            (&["#######", "# Server #", "#######"], "Server"),
            (
                &["## Image of the server", "## ref: https://example.com", "##", "## @param image.tag The tag"],
                "Image of the server\nref: https://example.com",
            ),
            (&["# For example:", "#   a: 1"], "For example:\n  a: 1"),
            (&["# replicas: 3"], ""),
            (&["# - name: x", "#   value: y"], ""),
            (&["# resources:", "#   limits:"], ""),
            (&["# Note: slow"], "Note: slow"),
            (&["# yaml-language-server: $schema=x.json"], ""),
            (&["#", "# ---- Network ----"], "Network"),
            (&["## @descriptionStart", "## of the section", "## @descriptionEnd", "## of the key"], "of the key"),
            (&["## -- Two signs"], "Two signs"),
            (&["#"], ""),
        ] {
            assert_eq!(description(lines), expected, "{lines:?}");
        }
    }
}
