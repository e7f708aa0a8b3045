//! Credentials are shown to nobody: what hides them in the lines that a report quotes, and in objects.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

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
    Regex::new(r"(?i)^secrets/|(names?|refs?|path|file|dir|enabled|mode|type|class|ttl|seconds|existing\w*|secret|pullsecrets)$")
        .expect("a valid expression")
});
/// Keys of what is made of a credential: a guess can be tried on it.
static DIGEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i)(checksum|digest|hash|sha256).*(secret|cred|passw|token)").expect("a valid expression")
});
/// An entry of a mapping on a line of its own: indentation and dashes, key, value.
static ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^([ \t]*(?:- +)*)["']?([\w./-]+)["']?:(?:[ \t]+(.*))?$"#).expect("a valid expression")
});
/// An entry of a mapping in flow style: its key, and its value or the bracket that this begins with.
static FLOW_ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    let value = r#"\{\{.*?\}\}|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\[{]|[^\s,{}\[\]][^,}\]]*"#;
    Regex::new(&format!(r#"[{{,]\s*["']?([\w./-]+)["']?\s*:\s*({value})"#)).expect("a valid expression")
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

/// Credentials that are known by their form, whatever they stand under: those of the policy secrets/plaintext.
static FORM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u:\b)(",
        r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,}",
        r"|gl(pat|ptt|dt|rt|soat|agent|ft|imt)-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}",
        r"|pypi-AgE[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{64}|dckr_(pat|oat)_[A-Za-z0-9_-]{20,}",
        r"|(AKIA|ASIA)[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{24,}|dapi[a-f0-9]{32}",
        r"|xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-f0-9]{20,}|SK[a-f0-9]{32}",
        r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{33}|[rs]k_live_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{32,}",
        r"|SG[.][A-Za-z0-9_-]{22}[.][A-Za-z0-9_-]+|hv[sb][.][A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}",
        r"|shp(at|ca|pa|ss)_[a-f0-9]{32}|glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|lin_api_[A-Za-z0-9]{32,}",
        r"|NRAK-[A-Z0-9]{27}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|pscale_(tkn|pw|oauth)_[A-Za-z0-9_.-]{32,}",
        r"|[A-Za-z0-9]{14}[.]atlasv1[.][A-Za-z0-9_-]+",
        r"|eyJ[A-Za-z0-9_-]{10,}[.]eyJ[A-Za-z0-9_-]{10,}[.][A-Za-z0-9_-]{10,}",
        r"|AGE-SECRET-KEY-1[A-Z0-9]{20,}",
        r"|hooks[.]slack[.]com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,}",
        r")|-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----[^-]*|[$](apr1|2[aby])[$][A-Za-z0-9./$]{8,}",
    ))
    .expect("a valid expression")
});
/// An address with a password: what stands before it, and the password.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(://[^/\s:@${<]*:)([^/\s:@${<]{3,})@").expect("a valid expression"));

/// The same text with every character of a credential as `*`: byte for byte as long, so that positions stay true.
///
/// Hidden are values under keys that name a credential, values of environment variables with such a name, and all of
/// `data` and `stringData` in a document that has a Secret. Templates' expressions are no values. Hidden wherever it
/// stands is what has the form of a well-known token or private key, and a password in an address.
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
                let names = names_credential(key) || named && key == "value";
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
                out.push_str(&flow(line));
            }
        }
    }
    match formed(&out, |form| form.chars().flat_map(|c| stars(c).chars()).collect()) {
        Some(masked) => masked,
        None => out,
    }
}

/// A line with stars for the credentials in mappings of flow style: `db: {user: shop, password: *******}`.
fn flow(line: &str) -> Cow<'_, str> {
    let entries = flow_entries(line);
    let is_named = entries.iter().any(|(key, value)| *key == "name" && CREDENTIAL.is_match(&line[value.clone()]));
    let mut out = String::new();
    let mut copied = 0;
    for (key, value) in entries {
        let text = &line[value.clone()];
        let is_credential = value.start >= copied && (names_credential(key) || is_named && key == "value");
        if is_credential && !text.starts_with("{{") && !HARMLESS.is_match(text.trim_end()) {
            out.push_str(&line[copied..value.start]);
            out.extend(text.chars().map(stars));
            copied = value.end;
        }
    }
    if copied == 0 { line.into() } else { (out + &line[copied..]).into() }
}

/// The entries of all mappings in flow style, as key and place of the value. A value in brackets of its own is taken to go
/// on to the line's end, and what is in it follows.
fn flow_entries(line: &str) -> Vec<(&str, Range<usize>)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(entry) = FLOW_ENTRY.captures_at(line, at) {
        let (Some(key), Some(value)) = (entry.get(1), entry.get(2)) else { break };
        let is_open = ["{", "["].contains(&value.as_str());
        at = if is_open { value.start() } else { value.end() };
        found.push((key.as_str(), value.start()..if is_open { line.len() } else { value.end() }));
    }
    found
}

/// A text with something else for what is a credential by its form; nothing where there is none.
fn formed(text: &str, hide: impl Fn(&str) -> String) -> Option<String> {
    let masked = FORM.replace_all(text, |found: &Captures<'_>| hide(&found[0]));
    let masked = match ADDRESS.replace_all(&masked, |found: &Captures<'_>| format!("{}{}@", &found[1], hide(&found[2])))
    {
        Cow::Borrowed(_) => masked,
        Cow::Owned(masked) => Cow::Owned(masked),
    };
    match masked {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(masked),
    }
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
        _ => names_credential(key).then_some(Entry::Value),
    }
}

/// Whether it only says where something is, as each of `imagePullSecrets` does.
fn is_name(value: &Value) -> bool {
    value.as_map().is_some_and(|map| map.len() == 1 && map.get("name").is_some_and(|name| name.as_str().is_some()))
}

fn names_credential(key: &str) -> bool {
    CREDENTIAL.is_match(key) && !REFERENCE.is_match(key) || DIGEST.is_match(key)
}

/// The same lines with `***` for what [`text`] hides of each: where no position depends on it, not even its length is told.
pub fn lines(shown: &str) -> String {
    let masked = text(shown);
    let line = |(shown, masked): (&str, &str)| {
        // Where they part the credential begins; or before, for it may begin with asterisks itself.
        let same = shown.bytes().zip(masked.bytes()).take_while(|(a, b)| a == b).count();
        let start = shown.get(..same).filter(|_| same < shown.len()).map(|start| start.trim_end_matches('*'));
        let end = if shown.ends_with('\n') { "\n" } else { "" };
        start.map_or_else(|| shown.to_owned(), |start| format!("{start}{HIDDEN}{end}"))
    };
    shown.split_inclusive('\n').zip(masked.split_inclusive('\n')).map(line).collect()
}

/// The value without its credentials; nothing where it has none.
fn without(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.contains('\n') => {
            let masked = lines(text);
            (*masked != **text).then(|| masked.into())
        }
        Value::String(line) => formed(line, |_| HIDDEN.to_owned()).map(Into::into),
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

/// A flag without the values of keys that name a credential: `--set db.password=…` becomes `--set db.password=***`.
pub fn flag(text: &str) -> String {
    let hide = |part: &str| match part.split_once('=') {
        Some((key, _)) if CREDENTIAL.is_match(key) => format!("{key}=***"),
        _ => formed(part, |_| HIDDEN.to_owned()).unwrap_or_else(|| part.to_owned()),
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
    fn credentials_are_hidden_in_flow_style() {
        for (shown, expected) in [
            ("db: {user: shop, password: hunter2}\n", "db: {user: shop, password: *******}\n"),
            ("db: {password: \"a, b\", user: shop}\n", "db: {password: ******, user: shop}\n"),
            ("{\"auth\":{\"apiToken\":\"x\"},\"n\":1}\n", "{\"auth\":{\"apiToken\":***},\"n\":1}\n"),
            ("auth: {tokens: [a, b]}\n", "auth: {tokens: *******\n"),
            ("env: [{value: hunter2, name: DB_PASSWORD}]\n", "env: [{value: *******, name: DB_PASSWORD}]\n"),
            ("a: {password: {{ .x }}, token: abc}\n", "a: {password: {{ .x }}, token: ***}\n"),
            ("a: {secretName: tls, passwordEnabled: true}\n", "a: {secretName: tls, passwordEnabled: true}\n"),
            ("a: {mountToken: false, b: [c, d]}\n", "a: {mountToken: false, b: [c, d]}\n"),
        ] {
            assert_eq!(text(shown), expected);
        }
    }

    #[test]
    fn credentials_are_known_by_their_form() {
        for (shown, expected) in [
            (
                "colour: ghp_0123456789abcdefghijABCDEFGHIJ012345 # blue\n",
                "colour: **************************************** # blue\n",
            ),
            ("url: https://me:hunter2@example.com/\n", "url: https://me:*******@example.com/\n"),
            ("url: https://me:{{ .Values.x }}@example.com/\n", "url: https://me:{{ .Values.x }}@example.com/\n"),
            ("image: a/b@sha256:0123\nport: http://web:8080\n", "image: a/b@sha256:0123\nport: http://web:8080\n"),
        ] {
            assert_eq!(text(shown), expected);
        }
        let key = "pem: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIE\n  -----END RSA PRIVATE KEY-----\n";
        assert!(text(key).len() == key.len() && !text(key).contains("MIIE"), "{}", text(key));
        let object = crate::json::parse(r#"{"args":["--at=https://me:hunter2@web"]}"#, Default::default()).unwrap();
        assert_eq!(crate::json::to_json(&value(&object)).unwrap(), r#"{"args":["--at=https://me:***@web"]}"#);
        assert_eq!(flag("--set a=AKIA0123456789ABCDEF"), "--set a=***");
    }

    #[test]
    fn lines_tell_not_even_the_length() {
        assert_eq!(
            lines("a: 1\npassword: **hé☃\nchecksum/secret: ab12\n"),
            "a: 1\npassword: ***\nchecksum/secret: ***\n"
        );
        assert_eq!(lines("imagePullSecrets:\n- name: pull"), "imagePullSecrets:\n- name: pull");
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
