//! Credentials are shown to nobody: what hides them in the lines that a report quotes.

use std::sync::LazyLock;

use regex::Regex;

use crate::value::{Map, Value};

/// What stands for a credential where no position depends on its length.
pub(super) const HIDDEN: &str = "(hidden)";

/// Keys that name a credential.
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)pass(word|wd|phrase)|\bpwd\b|secret|token|credential|api[-_]?key|private[-_]?key|htpasswd")
        .expect("a valid expression")
});
/// Keys that only say where a credential is.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^secrets/|(names?|refs?|path|file|dir|enabled|mode|type|class|ttl|seconds|existing\w*|secret|pullsecrets)$")
        .expect("a valid expression")
});
/// Keys whose value is made of a credential, so that a guess can be tried on it: `checksum/secret`.
static DIGEST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(?i)(checksum|digest|hash|sha256).*(secret|cred|passw|token)").expect("a valid expression"));
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
pub(super) fn text(text: &str) -> String {
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
                let names = is_credential(key) || named && key == "value";
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

/// Whether a key names a credential, and not only where one is.
pub(super) fn is_credential(key: &str) -> bool {
    CREDENTIAL.is_match(key) && !REFERENCE.is_match(key) || DIGEST.is_match(key)
}

/// Whether what has this name, such as an environment variable, holds a credential in its `value`.
pub(super) fn holds_credential(name: &str) -> bool {
    CREDENTIAL.is_match(name)
}

/// The same value with [`HIDDEN`] for every credential, so that not even its length is told. `hide` says that all of it is
/// one.
pub(super) fn value(value: &Value, hide: bool) -> Value {
    match value {
        Value::Map(map) => {
            let text_of = |key| map.get(key).and_then(Value::as_str);
            let is_secret = text_of("kind") == Some("Secret");
            let holds = text_of("name").is_some_and(holds_credential);
            let entry = |(key, inner): (&std::sync::Arc<str>, &Value)| {
                let hide = hide
                    || is_credential(key)
                    || is_secret && matches!(&**key, "data" | "stringData")
                    || holds && &**key == "value";
                (key.clone(), self::value(inner, hide))
            };
            map.iter().map(entry).collect::<Map>().into()
        }
        Value::List(items) => items.iter().map(|item| self::value(item, hide)).collect::<Vec<_>>().into(),
        Value::Null | Value::Bool(_) => value.clone(),
        Value::String(text) if text.is_empty() => value.clone(),
        _ if hide => HIDDEN.into(),
        Value::String(lines) if lines.contains('\n') => self::lines(lines).into(),
        _ => value.clone(),
    }
}

/// The same lines with [`HIDDEN`] for what [`text`] hides of them.
pub(super) fn lines(shown: &str) -> String {
    let masked = text(shown);
    let line = |(shown, masked): (&str, &str)| {
        // Where they part, the credential begins: at the latest, for it may begin with asterisks itself.
        let same = shown.bytes().zip(masked.bytes()).take_while(|(a, b)| a == b).count();
        let start = shown.get(..same).filter(|_| same < shown.len()).map(|start| start.trim_end_matches('*'));
        let end = if shown.ends_with('\n') { "\n" } else { "" };
        start.map_or_else(|| shown.to_owned(), |start| format!("{start}{HIDDEN}{end}"))
    };
    shown.split_inclusive('\n').zip(masked.split_inclusive('\n')).map(line).collect()
}

/// A flag without the values of keys that name a credential: `--set db.password=…` becomes `--set db.password=***`.
pub(super) fn flag(text: &str) -> String {
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
    fn values_tell_not_even_the_length() {
        let read = |text: &str| crate::yaml::parse(text, crate::yaml::Options::default()).expect("YAML");
        for (shown, expected) in [
            ("{kind: Secret, data: {a: x, b: ''}, type: Opaque}", "{kind: Secret, data: {a: (hidden), b: ''}, type: Opaque}"),
            ("{env: [{name: DB_PASSWORD, value: x}]}", "{env: [{name: DB_PASSWORD, value: (hidden)}]}"),
            ("{apiToken: [1, true, {a: x}]}", "{apiToken: [(hidden), true, {a: (hidden)}]}"),
            ("{checksum/secret: ab12, secretName: tls}", "{checksum/secret: (hidden), secretName: tls}"),
            ("{imagePullSecrets: [{name: pull}]}", "{imagePullSecrets: [{name: pull}]}"),
            ("a: |\n  host: web\n  password: '**hé☃'\n  next: 1\n", "a: |\n  host: web\n  password: (hidden)\n  next: 1\n"),
        ] {
            assert_eq!(value(&read(shown), false), read(expected), "{shown}");
        }
        assert_eq!(value(&Value::Int(7), true), HIDDEN.into());
    }

    #[test]
    fn positions_stay_true() {
        let shown = "password: hé☃\nnext: 1\n";
        assert_eq!(text(shown).len(), shown.len());
        assert_eq!(text(shown), "password: ******\nnext: 1\n");
    }

    #[test]
    fn flags_hide_what_they_set() {
        assert_eq!(flag("--set db.password=x,host=web"), "--set db.password=***,host=web");
    }
}
