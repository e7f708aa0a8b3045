//! Expressions and policies, as the API server's own code judges them: recorded answers, and live ones where
//! tests/peers/vap.sh runs this.

use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::policy::cel::value::{Data, Val};
use plimsoll::policy::cel::{CompileError, CompileErrorKind, Evaluation, Program, Scope};
use plimsoll::source::Span;
use plimsoll::value::Value;

const GLOBALS: &[&str] = &["object", "oldObject", "request", "params", "namespaceObject", "authorizer"];

fn recorded() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cel");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    assert!(!files.is_empty());
    files
}

/// The value as the peer writes it.
fn show(value: &Val) -> String {
    match &value.data {
        Data::Null => "null".into(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Uint(value) => format!("{value}u"),
        Data::Double(value) if value.is_infinite() => format!("double {}Inf", if *value > 0.0 { "+" } else { "-" }),
        Data::Double(value) => format!("double {}", plimsoll::number::general(*value)),
        Data::String(text) => serde_json::to_string(&**text).unwrap(),
        Data::Bytes(bytes) => format!("b{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Data::List(list) => format!("[{}]", list.iter(None).map(|item| show(&item)).collect::<Vec<_>>().join(", ")),
        Data::Map(map) => {
            let entries = map.entries(None);
            let mut entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{}: {}", show(key), show(value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
        Data::Duration(nanos) => format!("duration {nanos}"),
        Data::Timestamp(at) => format!("timestamp {}.{:09}", at.seconds, at.nanos),
        Data::Type(name) => format!("type {name}"),
        Data::Optional(None) => "none".into(),
        Data::Optional(Some(inner)) => format!("some({})", show(inner)),
        Data::Opaque(_) => value.type_name().into(),
    }
}

/// The line and column of a place, as cel-go counts them.
fn place(source: &str, span: Span) -> (u64, u64) {
    let before = &source[..span.start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() as u64 + 1, before[line_start..].chars().count() as u64)
}

/// Whether an error is an issue that the peer found, at its place.
fn is_same(error: &CompileError, (line, column): (u64, u64), issue: &serde_json::Value) -> bool {
    let text = issue["message"].as_str().unwrap().replace(" (in container '')", "");
    let ours = error.to_string();
    let at = issue["line"] == line && issue["column"] == column;
    // Ours is the field, the peer's the dot before it.
    let near = issue["line"] == line && (1..3).any(|dot| issue["column"].as_u64() == column.checked_sub(dot));
    match &error.kind {
        // Another parser, other words.
        CompileErrorKind::Syntax(_) => text.starts_with("Syntax error") || text == ours || at,
        CompileErrorKind::Constant(_) | CompileErrorKind::Literal { .. }
            if text.starts_with("program instantiation failed: ") =>
        {
            ours.ends_with(text.trim_start_matches("program instantiation failed: "))
                || text.contains("no such overload")
        }
        CompileErrorKind::Literal { .. } => ours.starts_with(&text) && at,
        CompileErrorKind::NoFields(name) => near && text == format!("unexpected failed resolution of '{name}'"),
        CompileErrorKind::Selection(_) | CompileErrorKind::UndefinedField(_) | CompileErrorKind::Macro(_) => {
            text == ours && (at || near)
        }
        CompileErrorKind::Type { .. } => text == ours && (at || near),
        _ => text == ours && at,
    }
}

/// What differs from a recorded answer.
fn differs(answer: &serde_json::Value) -> Option<String> {
    let source = answer["expression"].as_str().unwrap();
    let object: Value = serde_json::from_value::<Plain>(answer["object"].clone()).unwrap().0;
    let scope = Scope { globals: GLOBALS, composed: &[], joins: false };
    let issues = answer.get("issues").and_then(serde_json::Value::as_array);
    let program = match (Program::compile(source, scope), issues) {
        (Ok(_), Some(issues)) => return Some(format!("compiles, but: {issues:?}")),
        (Err(error), None) => return Some(format!("does not compile: {error}")),
        (Err(error), Some(issues)) => {
            let found = place(source, error.span);
            let same = issues.iter().any(|issue| is_same(&error, found, issue));
            return (!same).then(|| format!("wanted {issues:?}, got {error} at {found:?}"));
        }
        (Ok(program), None) => program,
    };
    let request = Val::map(Default::default(), None);
    let null = || Val::new(Data::Null);
    let globals = [Val::plain(&object, None), null(), request, null(), null()];
    let ours = Evaluation::new(&globals, &[]).of_admission().value(&program);
    let wanted = answer
        .get("error")
        .map_or(Ok(answer["value"].as_str().unwrap_or_default()), |error| Err(error.as_str().unwrap()));
    match (ours, wanted) {
        (Ok(value), Ok(wanted)) if show(&value) == wanted => None,
        // Where the peer says more, it is about its own code: `no such overload: quantity(int)`.
        (Err(error), Err(text)) if text.starts_with(&error.to_string()) || error.to_string().starts_with(text) => None,
        (ours, wanted) => Some(format!(
            "wanted {wanted:?}, got {:?}",
            ours.map(|value| show(&value)).map_err(|error| error.to_string())
        )),
    }
}

/// Plain data read from JSON.
struct Plain(Value);

impl<'de> serde::Deserialize<'de> for Plain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        let options = plimsoll::yaml::Options { strict: true, ..Default::default() };
        Ok(Self(plimsoll::yaml::parse(&json.to_string(), options).unwrap()))
    }
}

#[test]
fn expressions_are_judged_as_the_api_server_judges_them() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in recorded() {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            count += 1;
            if let Some(difference) = differs(&answer) {
                wrong.push(format!("{}\n    {difference}", answer["expression"].as_str().unwrap()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
