//! Credentials are shown to nobody: what hides them in the lines that a report quotes, and in objects.

use std::sync::LazyLock;

use regex::Regex;

use crate::value::{Map, Value};

/// What stands for a credential.
pub const HIDDEN: &str = "***";
/// The annotation in which kubectl keeps the whole object, the data of a Secret too.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Keys that name a credential.
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)pass(word|wd|phrase)|\bpwd\b|secret|token|credential|api[-_]?key|private[-_]?key|htpasswd")
        .expect("a valid expression")
});
/// Keys that only say where a credential is.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^secrets/|(names?|refs?|path|file|dir|enabled|mode|type|class|ttl|seconds|existing\w*|secret)$")
        .expect("a valid expression")
});
/// An entry of a mapping on a line of its own: indentation and dashes, key, value.
static ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^([ \t]*(?:- +)*)["']?([\w./-]+)["']?:(?:[ \t]+(.*))?$"#).expect("a valid expression")
});
/// Values that give nothing away.
static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(true|false|null|~|""|''|\{\}?|\[\]?|[|>][-+0-9]*)?\s*(#.*)?$"#).expect("a valid expression")
});
/// What a Secret says of itself, in YAML's block and flow style and in JSON.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)\bkind["']?\s*:\s*["']?Secret\b["']?\s*([,}#]|$)"#).expect("a valid expression")
});
/// Where the data of a Secret begins on a line that has more than that.
static DATA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\b(data|stringData)["']?\s*:\s*"#).expect("a valid expression"));

/// The same text with every character of a credential as `*`: byte for byte as long, so that positions stay true.
///
/// Hidden are values under keys that name a credential, values of environment variables with such a name, and all of
/// `data` and `stringData` in a document that has a Secret. Templates' expressions are no values.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for document in text.split_inclusive("\n---") {
        let is_secret = SECRET.is_match(document);
        let mut hiding: Option<Hiding> = None;
        let mut named = false;
        for line in document.split_inclusive('\n') {
            let indent = line.len() - line.trim_start_matches([' ', '-']).len();
            if hiding.as_ref().is_some_and(|hiding| !line.trim().is_empty() && indent <= hiding.indent) {
                hiding = None;
            }
            let entry = ENTRY.captures(line.trim_end_matches('\n'));
            let (mut hidden, mut from) = (hiding.is_some(), indent);
            if let Some(entry) = &entry {
                let (key, value) = (&entry[2], entry.get(3));
                let opens = is_secret && (key == "data" || key == "stringData");
                let names = CREDENTIAL.is_match(key) && !REFERENCE.is_match(key) || named && key == "value";
                named = key == "name" && value.is_some_and(|value| CREDENTIAL.is_match(value.as_str()));
                let all_below = hiding.as_ref().is_some_and(|hiding| hiding.entries);
                if all_below || hiding.is_none() {
                    hidden = names || all_below || opens;
                    from = value.map_or(line.len(), |value| value.start());
                }
                if (opens || names || all_below) && hiding.is_none() || all_below {
                    hiding = hiding.or(Some(Hiding { indent, entries: opens }));
                }
            } else {
                named = false;
            }
            if let Some(data) = DATA.find(line).filter(|_| is_secret && !hidden) {
                (hidden, from) = (true, data.end());
            }
            let value = line.get(from..).unwrap_or_default();
            if hidden && !value.contains("{{") && !HARMLESS.is_match(value.trim_end()) {
                out.push_str(&line[..from]);
                out.extend(value.chars().flat_map(|c| stars(c).chars()));
            } else {
                out.push_str(line);
            }
        }
    }
    out
}

/// What is being hidden: everything that is indented deeper.
struct Hiding {
    indent: usize,
    /// Whether it is a mapping whose keys may be read.
    entries: bool,
}

fn stars(c: char) -> &'static str {
    match c {
        '\n' => "\n",
        _ => &"****"[..c.len_utf8()],
    }
}

/// The same value with `***` for each credential in it. The value itself is none.
///
/// Hidden is what an entry [is a credential](is_entry) for, and what [`text`] hides in texts of several lines, such as the
/// files in a ConfigMap. Keys stay, but not those below a key that names a credential.
pub fn value(value: &Value) -> Value {
    without(value).unwrap_or_else(|| value.clone())
}

/// What an entry of a map has to hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Its value.
    Value,
    /// The values of its entries: the data of a Secret.
    Entries,
}

impl Entry {
    /// The value of the entry without what is to be hidden. What gives nothing away, such as `true` or an empty text, stays.
    pub fn hide(self, value: &Value) -> Value {
        match (self, value) {
            (_, Value::Null | Value::Bool(_)) => value.clone(),
            (_, Value::String(text)) if text.is_empty() => value.clone(),
            (_, Value::List(items)) if items.is_empty() => value.clone(),
            (_, Value::Map(entries)) if entries.is_empty() => value.clone(),
            (Self::Entries, Value::Map(data)) => {
                let each = data.iter().map(|(key, value)| (key.clone(), Self::Value.hide(value)));
                each.collect::<Map>().into()
            }
            _ => HIDDEN.into(),
        }
    }
}

/// Whether an entry of a map is a credential: it has a key that names one, is the `value` beside a `name` that does, the
/// data of a Secret, or the annotation in which kubectl keeps the whole object.
pub fn is_entry(map: &Map, key: &str) -> Option<Entry> {
    let text = |key| map.get(key).and_then(Value::as_str);
    match (key, map.get(key)) {
        ("data" | "stringData", _) if text("kind") == Some("Secret") => Some(Entry::Entries),
        ("value", _) if text("name").is_some_and(|name| CREDENTIAL.is_match(name)) => Some(Entry::Value),
        (LAST_APPLIED, _) => Some(Entry::Value),
        // How long a token that is mounted lasts, and for whom.
        ("serviceAccountToken", Some(Value::Map(_))) => None,
        (_, Some(Value::List(items))) if items.iter().all(is_name) => None,
        _ => (CREDENTIAL.is_match(key) && !REFERENCE.is_match(key)).then_some(Entry::Value),
    }
}

/// Whether it only says where something is, as each of `imagePullSecrets` does.
fn is_name(value: &Value) -> bool {
    value.as_map().is_some_and(|map| map.len() == 1 && map.get("name").is_some_and(|name| name.as_str().is_some()))
}

/// The value without its credentials; nothing where it has none.
fn without(value: &Value) -> Option<Value> {
    match value {
        Value::String(lines) if lines.contains('\n') => {
            let masked = text(lines);
            (*masked != **lines).then(|| short(lines, &masked).into())
        }
        Value::List(items) => {
            let masked: Vec<Option<Value>> = items.iter().map(without).collect();
            masked.iter().any(Option::is_some).then(|| {
                let each = masked.into_iter().zip(items.iter());
                each.map(|(masked, item)| masked.unwrap_or_else(|| item.clone())).collect::<Vec<_>>().into()
            })
        }
        Value::Map(map) => {
            let entry = |key: &str, value: &Value| match is_entry(map, key) {
                None => without(value),
                Some(entry) => Some(entry.hide(value)),
            };
            let masked: Vec<Option<Value>> = map.iter().map(|(key, value)| entry(key, value)).collect();
            masked.iter().any(Option::is_some).then(|| {
                let each = masked.into_iter().zip(map.iter());
                let each = each.map(|(masked, (key, value))| (key.clone(), masked.unwrap_or_else(|| value.clone())));
                each.collect::<Map>().into()
            })
        }
        _ => None,
    }
}

/// Masked lines with as many stars for a long credential as for a short one.
fn short(lines: &str, masked: &str) -> String {
    let mut out = String::with_capacity(masked.len());
    for (line, masked) in lines.split_inclusive('\n').zip(masked.split_inclusive('\n')) {
        let start = masked.trim_end_matches('\n').trim_end_matches('*');
        if line == masked {
            out.push_str(line);
        } else {
            out.push_str(start);
            out.push_str(HIDDEN);
            out.push_str(if masked.ends_with('\n') { "\n" } else { "" });
        }
    }
    out
}

/// A flag without the values of keys that name a credential: `--set db.password=…` becomes `--set db.password=***`.
pub fn flag(text: &str) -> String {
    let hide = |part: &str| match part.split_once('=') {
        Some((key, _)) if CREDENTIAL.is_match(key) => format!("{key}=***"),
        _ => part.to_owned(),
    };
    text.split(',').map(hide).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_and_everything_else_stays() {
        let shown = "kind: Secret\nmetadata:\n  name: x\nstringData:\n  a: hunter2\n  b: |\n    line one\n    line two\ntype: Opaque\n\
                     ---\nenv:\n  - name: DB_PASSWORD\n    value: hunter2\n  - name: HOST\n    value: web\n\
                     apiToken: \"hunter2\"\nsecretName: tls\nexistingSecret: mine\nautomountServiceAccountToken: false\n\
                     password: {{ .Values.password }}\n";
        let expected = "kind: Secret\nmetadata:\n  name: x\nstringData:\n  a: *******\n  b: |\n    ********\n    ********\ntype: Opaque\n\
                        ---\nenv:\n  - name: DB_PASSWORD\n    value: *******\n  - name: HOST\n    value: web\n\
                        apiToken: *********\nsecretName: tls\nexistingSecret: mine\nautomountServiceAccountToken: false\n\
                        password: {{ .Values.password }}\n";
        assert_eq!(text(shown), expected);
    }

    #[test]
    fn secrets_are_hidden_however_they_are_written() {
        for (shown, expected) in [
            ("kind: Secret\ndata: {a: x}\ntype: Opaque\n", "kind: Secret\ndata: ******\ntype: Opaque\n"),
            ("items:\n- kind: Secret\n  data:\n    a: x\n", "items:\n- kind: Secret\n  data:\n    a: *\n"),
            ("{kind: Secret, data: {a: x}}\n", "{kind: Secret, data: *******\n"),
            ("items: [{data: {a: x}, kind: Secret}]\n", "items: [{data: **********************\n"),
            (
                "{\n  \"data\": {\n    \"a\": \"x\"\n  },\n  \"kind\": \"Secret\"\n}\n",
                "{\n  \"data\": {\n    \"a\": ***\n  },\n  \"kind\": \"Secret\"\n}\n",
            ),
        ] {
            let hidden = text(shown);
            assert_eq!(hidden.len(), shown.len());
            assert_eq!(hidden, expected, "{shown}");
        }
    }

    #[test]
    fn positions_stay_true() {
        let shown = "password: hé☃\nnext: 1\n";
        assert_eq!(text(shown).len(), shown.len());
        assert_eq!(text(shown), "password: ******\nnext: 1\n");
    }

    #[test]
    fn objects_hide_what_their_text_hides() {
        let parse = |text: &str| crate::json::parse(text, Default::default()).unwrap();
        for (shown, expected) in [
            (
                r#"{"kind":"Secret","data":{"a":"eA==","b":""},"type":"Opaque"}"#,
                r#"{"kind":"Secret","data":{"a":"***","b":""},"type":"Opaque"}"#,
            ),
            (r#"{"kind":"Secret","data":"eA=="}"#, r#"{"kind":"Secret","data":"***"}"#),
            (
                r#"{"env":[{"name":"DB_PASSWORD","value":"x"},{"name":"HOST","value":"web"}]}"#,
                r#"{"env":[{"name":"DB_PASSWORD","value":"***"},{"name":"HOST","value":"web"}]}"#,
            ),
            (
                r#"{"imagePullSecrets":[{"name":"a"}],"secrets":["x"],"serviceAccountToken":{"path":"x"}}"#,
                r#"{"imagePullSecrets":[{"name":"a"}],"secrets":"***","serviceAccountToken":{"path":"x"}}"#,
            ),
            (
                r#"{"apiToken":{"a":1},"secretName":"tls","automountServiceAccountToken":false}"#,
                r#"{"apiToken":"***","secretName":"tls","automountServiceAccountToken":false}"#,
            ),
            (
                r#"{"kind":"ConfigMap","data":{"app.yaml":"host: web\npassword: hunter2\n"}}"#,
                r#"{"kind":"ConfigMap","data":{"app.yaml":"host: web\npassword: ***\n"}}"#,
            ),
            (
                r#"{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","a":"b"}}"#,
                r#"{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"***","a":"b"}}"#,
            ),
        ] {
            assert_eq!(value(&parse(shown)), parse(expected), "{shown}");
        }
    }

    #[test]
    fn flags_hide_what_they_set() {
        assert_eq!(flag("--set db.password=x,host=web"), "--set db.password=***,host=web");
    }
}
