//! Calls of imported functions, written out: regorus 0.10 knows a function of another package by its full name only.

use std::collections::HashMap;

use regex::Regex;

/// A module in which `is_exempt(x)`, after `import data.lib.exempt.is_exempt`, is `data.lib.exempt.is_exempt(x)`. Lines stay
/// where they are.
pub(super) fn written_out(text: &str) -> String {
    let imports = Regex::new(r"(?m)^[ \t]*import[ \t]+(data(?:\.\w+)*\.(\w+))(?:[ \t]+as[ \t]+(\w+))?");
    let imports: HashMap<&str, &str> = imports
        .iter()
        .flat_map(|imports| imports.captures_iter(text))
        .filter_map(|import| Some((import.get(3).or(import.get(2))?.as_str(), import.get(1)?.as_str())))
        .collect();
    // A comment, a text, or a name with what is called below it.
    let words = Regex::new(r#"#[^\n]*|"(?:[^"\\\n]|\\.)*"|`[^`]*`|[A-Za-z_]\w*(?:\.\w+)*(\()?"#);
    let Some(words) = words.ok().filter(|_| !imports.is_empty()) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for word in words.captures_iter(text) {
        let Some(all) = word.get(0) else { continue };
        out.push_str(text.get(done..all.start()).unwrap_or_default());
        done = all.end();
        let (first, rest) = all.as_str().split_at(all.as_str().find(['.', '(']).unwrap_or(all.len()));
        let is_below = text.get(..all.start()).is_some_and(|before| before.ends_with('.'));
        match imports.get(first).filter(|_| word.get(1).is_some() && !is_below) {
            Some(path) => out.extend([*path, rest]),
            None => out.push_str(all.as_str()),
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::written_out;

    #[test]
    fn calls_of_imported_functions_are_written_out() {
        let text = "import data.lib.a.f\nimport data.lib.b as c\nimport data.lib.d\n\
                    x { f(1); c.g(`c.g(`); c.h; y.f(2); \"f(\\\"f(\"; d.e.k(c.g(f)) } # f(\n";
        let wanted = "import data.lib.a.f\nimport data.lib.b as c\nimport data.lib.d\n\
                      x { data.lib.a.f(1); data.lib.b.g(`c.g(`); c.h; y.f(2); \"f(\\\"f(\"; \
                      data.lib.d.e.k(data.lib.b.g(f)) } # f(\n";
        assert_eq!(written_out(text), wanted);
        assert_eq!(written_out("x { f(1) }"), "x { f(1) }");
    }
}
