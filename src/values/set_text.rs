//! Texts of `--set` and `--set-file` that are written by a program: `set` reads them.

/// The text of `--set` that gives a key a value, whatever characters that has.
pub fn pair(key: &str, value: &str) -> String {
    let mut text = String::new();
    let mut chars = key.chars();
    while let Some(c) = chars.next() {
        match c {
            '=' | ',' => text.extend(['\\', c]),
            '\\' => text.extend(['\\'].into_iter().chain(chars.next())),
            c => text.push(c),
        }
    }
    text.push('=');
    text.push_str(&escaped(value));
    text
}

/// The same text of `--set-file` with files that are in a folder, not in the current one.
pub fn files_in(folder: &str, text: &str) -> String {
    let prefix = if folder.is_empty() { String::new() } else { escaped(&format!("{folder}/")) };
    let mut out = String::new();
    let (mut in_key, mut in_list) = (true, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let file_follows = match c {
            '\\' => {
                out.extend(chars.next());
                false
            }
            '=' if in_key => {
                in_key = false;
                in_list = chars.next_if_eq(&'{').is_some();
                out.push_str(if in_list { "{" } else { "" });
                true
            }
            ',' if !in_key => {
                in_key = !in_list;
                in_list
            }
            '}' => {
                in_list = false;
                false
            }
            _ => false,
        };
        if file_follows && chars.peek().is_some_and(|first| !matches!(first, '/' | ',' | '}')) {
            out.push_str(&prefix);
        }
    }
    out
}

/// A value so that it is read as one text.
fn escaped(value: &str) -> String {
    value.chars().fold(String::new(), |mut text, c| {
        if matches!(c, '\\' | ',' | '{' | '}') {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Inputs, Supplied};

    #[test]
    fn whatever_a_value_has_is_read_as_it_is() {
        for value in ["a,b=c", "{a,b}", "a\\b", "}", "", "a=b", "x y"] {
            let set_string = vec![pair(r"m.k\.l[0]", value), pair("n=1,o", value)];
            let supplied = Supplied::read(&Inputs { set_string, ..Inputs::default() }, &|_| unreachable!()).unwrap();
            let item = supplied.values.at(["m", "k.l"]).and_then(|list| list.as_list()?.first()?.as_str());
            assert_eq!((item, supplied.values.get("n=1,o").and_then(|text| text.as_str())), (Some(value), Some(value)));
        }
    }

    #[test]
    fn files_are_read_in_their_folder() {
        let texts = |folder: &str, text: &str| {
            let inputs = Inputs { set_file: vec![files_in(folder, text)], ..Inputs::default() };
            let supplied = Supplied::read(&inputs, &|name| Ok(name.as_bytes().to_vec())).unwrap();
            crate::json::to_json(&supplied.values).unwrap()
        };
        assert_eq!(texts("d", "a=f"), r#"{"a":"d/f"}"#);
        assert_eq!(texts("", "a=f"), r#"{"a":"f"}"#);
        assert_eq!(texts("d,e", "a=f,b.c=g,e="), r#"{"a":"d,e/f","b":{"c":"d,e/g"},"e":""}"#);
        assert_eq!(texts("d", r"a\=b={f,/g},c=h\,i"), r#"{"a=b":["d/f","/g"],"c":"d/h,i"}"#);
    }
}
