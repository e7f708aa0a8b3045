//! Expressions and policies, as the API server's own code judges them: recorded answers, and live ones where
//! tests/peers/vap.sh runs this.
//!
//! Known differences, which are in no fixture: messages of protobuf (`google.protobuf.Duration{}`) are unknown names; a
//! map that is written out has no keys of `double`, `null` or lists; timestamps forget their offset when they are
//! printed; and `quantity` also takes numbers, since the API server would have made texts of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll::cel::value::{Data, Val};
use plimsoll::cel::{BUDGET, CompileError, CompileErrorKind, Evaluation, Program, Scope};
use plimsoll::policy::examples::Examples;
use plimsoll::policy::{Catalogue, KUBERNETES_MINOR, Policy, PolicyKind, evaluate};
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

/// Expressions of another cost than the API server's: where an error is absorbed, it pays for the calls that passed it on,
/// and it does not evaluate again what `optFlatMap` is called on if the body does not read it.
const OTHER_COST: [&str; 5] = [
    "optional.of(1).optFlatMap(x, optional.none())",
    "(1 / 0 > 0) && false",
    "(1 / 0 > 0) || true",
    "[0, 1].all(x, 1 / x > 5)",
    "[0, 1].exists(x, 1 / x == 1)",
];

/// What differs from a recorded answer.
fn differs(answer: &serde_json::Value) -> Option<String> {
    let source = answer["expression"].as_str().unwrap();
    let object: Value = serde_json::from_value::<Plain>(answer["object"].clone()).unwrap().0;
    let scope = Scope { globals: GLOBALS, types: &[], composed: &[], joins: false };
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
    let evaluation = Evaluation::new(&globals, &[]).of_admission();
    let ours = evaluation.value(&program);
    let cost = evaluation.cost(BUDGET);
    let of_theirs = answer["cost"].as_u64().unwrap_or_default();
    if ours.is_ok() && cost != of_theirs && !OTHER_COST.contains(&source) {
        return Some(format!("costs {of_theirs} there, and {cost} here"));
    }
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

#[test]
fn functions_have_the_types_that_the_api_server_declares() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cel/functions.txt");
    let text = fs::read_to_string(path).unwrap();
    // Syntax, and names under which cel-go keeps operators besides.
    let is_syntax = |line: &&str| {
        let name = line.split(' ').nth(1).unwrap_or_default();
        ["_&&_", "_||_", "_?_:_", "_[_]", "_[?_]", "_?._", "_in_", "in", "cel.@mapInsert"].contains(&name)
            || name.starts_with("@") && name != "@in"
            || name.starts_with("__")
    };
    let mut theirs: Vec<&str> = text.lines().filter(|line| !is_syntax(line)).collect();
    let mut ours = plimsoll::cel::functions::declarations();
    // The overloads of one name are in the order in which they are tried.
    let function = |line: &str| (line.split(" (").next().unwrap().to_owned(), line.matches(", ").count());
    theirs.sort_by_key(|line| function(line));
    ours.sort_by_key(|line| function(line));
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let missing: Vec<&&str> = theirs.iter().filter(|line| !ours.contains(line)).collect();
    let more: Vec<&&str> = ours.iter().filter(|line| !theirs.contains(line)).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing {missing:#?}, more {more:#?}");
    assert_eq!(ours, theirs);
}

/// A policy as a cluster of an example's version would have it.
fn deployed(policy: &Policy, minor: &str) -> serde_json::Value {
    let mut manifest = serde_json::to_value(Json(policy.manifest())).unwrap();
    for variable in manifest["spec"]["variables"].as_array_mut().into_iter().flatten() {
        if variable["name"] == KUBERNETES_MINOR {
            variable["expression"] = minor.into();
        }
    }
    manifest
}

/// What the peer is asked about the policies for single objects: each example's objects, one by one.
struct Question<'a> {
    policy: &'a Policy,
    example: String,
    /// What plimsoll says: the messages, or that an expression has no value.
    verdict: Result<Vec<String>, String>,
    line: serde_json::Value,
}

fn questions(catalogue: &Catalogue) -> Vec<Question<'_>> {
    let mut questions = Vec::new();
    let policies = catalogue.entries().iter().filter(|entry| entry.policy.kind == PolicyKind::Object);
    for entry in policies {
        let (policy, examples) = (&entry.policy, Examples::read(&entry.examples().unwrap()).unwrap());
        for example in examples.pass.iter().chain(&examples.fail) {
            let releases = example.releases();
            let [release] = releases.as_slice() else { panic!("{}: one release", example.name) };
            let minor = release.kube_version.split('.').nth(1).unwrap_or_default();
            let manifest = deployed(policy, minor);
            let found = evaluate([policy], &releases);
            let named = |name: &str| {
                let is = |object: &&Value| {
                    object.get("kind").and_then(Value::as_str) == Some("Namespace")
                        && object.at(["metadata", "name"]).and_then(Value::as_str) == Some(name)
                };
                release.objects.iter().find(is).map(|object| serde_json::to_value(Json(object)).unwrap())
            };
            for (index, object) in release.objects.iter().enumerate() {
                let name = object.at(["metadata", "namespace"]).and_then(Value::as_str).unwrap_or(release.namespace);
                let mut namespace = named(name).unwrap_or_else(|| serde_json::json!({"metadata": {}}));
                namespace["metadata"]["name"] = name.into();
                namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] = name.into();
                let mut line = serde_json::json!({"policy": manifest, "object": Json(object), "namespace": namespace});
                if policy.param_kind.is_some() {
                    let data: serde_json::Map<_, _> = policy
                        .params()
                        .into_iter()
                        .map(|(key, value)| (key.to_string(), Json(value).to_json()))
                        .collect();
                    line["params"] = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p"}, "data": data});
                }
                let verdict = match &found {
                    Ok(violations) => {
                        let of_object = violations.iter().filter(|violation| violation.object == Some(index));
                        Ok(of_object.map(|violation| violation.message.clone()).collect())
                    }
                    Err(error) => Err(error.to_string()),
                };
                questions.push(Question { policy, example: example.name.clone(), verdict, line });
            }
        }
    }
    questions
}

/// Plain data written as JSON.
struct Json<'a>(&'a Value);

impl Json<'_> {
    fn to_json(&self) -> serde_json::Value {
        match self.0 {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(text) => (&**text).into(),
            Value::List(items) => items.iter().map(|item| Json(item).to_json()).collect(),
            Value::Map(map) => map.iter().map(|(key, value)| (key.to_string(), Json(value).to_json())).collect(),
        }
    }
}

impl serde::Serialize for Json<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// The words of messages: what comes from a map has no order in a cluster.
fn sorted(messages: &[String]) -> Vec<Vec<&str>> {
    messages
        .iter()
        .map(|message| {
            let mut words: Vec<&str> = message.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            words.sort_unstable();
            words
        })
        .collect()
}

#[test]
fn policies_judge_their_examples_as_in_a_cluster() {
    let Some(peer) = std::env::var_os("PLIMSOLL_TEST_PEER") else { return };
    let catalogue = Catalogue::builtin().unwrap();
    let questions = questions(&catalogue);
    let input: String = questions.iter().map(|question| format!("{}\n", question.line)).collect();
    let file = std::env::temp_dir().join(format!("plimsoll-vap-{}", std::process::id()));
    fs::write(&file, input).unwrap();
    let output = Command::new(peer).stdin(fs::File::open(&file).unwrap()).output().unwrap();
    fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), questions.len());
    let mut wrong = Vec::new();
    let mut invalid = 0;
    for (question, answer) in questions.iter().zip(output.lines()) {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        if answer.get("invalid").is_some() {
            // The API server refuses such an object before any policy sees it.
            invalid += 1;
            continue;
        }
        let decisions = answer["decisions"].as_array().cloned().unwrap_or_default();
        let of = |verdict: &str| {
            let of = decisions.iter().filter(|decision| decision["verdict"] == verdict);
            of.map(|decision| decision["message"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let agrees = answer.get("errors").is_none()
            && match &question.verdict {
                Ok(messages) => of("error").is_empty() && sorted(&of("false")) == sorted(messages),
                Err(_) => !of("error").is_empty(),
            };
        if !agrees {
            let object = &question.line["object"];
            wrong.push(format!(
                "{}, {}, {} {}\n    ours {:?}\n    theirs {answer}",
                question.policy.id, question.example, object["kind"], object["metadata"]["name"], question.verdict
            ));
        }
    }
    let count = questions.len();
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    println!("{count} objects judged alike, {invalid} of them refused before");
}

/// Expressions made of each other's parts: whatever they are, they are judged within their budget.
#[test]
fn no_expression_panics() {
    let mut parts: Vec<String> = Vec::new();
    for file in recorded() {
        for line in fs::read_to_string(&file).unwrap().lines().filter(|_| !file.ends_with("cost.jsonl")) {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            parts.push(answer["expression"].as_str().unwrap().to_owned());
        }
    }
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let forms = [
        "(A) == (B)",
        "(A) + (B)",
        "[A, B]",
        "{A: B}",
        "[A].map(x, B)",
        "(A).all(x, B)",
        "(A) in (B)",
        "(A)[B]",
        "(A) ? (B) : (A)",
        "(A).orValue(B)",
        "[A, dyn(B)].sort()",
        "[dyn(A)].flatten() + [B]",
        "(A).optMap(x, B)",
        "'%s %d'.format([A, B])",
        "(A).transformMap(k, v, B)",
        "type(A) == type(B)",
        "dyn(A) < dyn(B)",
    ];
    let scope = Scope { globals: GLOBALS, types: &[], composed: &[], joins: true };
    let globals = [(); 5].map(|()| Val::map(Default::default(), None));
    let mut compiled = 0;
    for _ in 0..20_000 {
        let mut source = forms[next(forms.len())].to_owned();
        for letter in ["A", "B"] {
            source = source.replace(letter, &parts[next(parts.len())]);
        }
        // And one letter that is wrong, now and then.
        if next(4) == 0 {
            let at = source.char_indices().map(|(at, _)| at).nth(next(source.chars().count())).unwrap();
            source
                .replace_range(at..at + source[at..].chars().next().unwrap().len_utf8(), ["(", "?", "'", "0"][next(4)]);
        }
        if let Ok(program) = Program::compile(&source, scope) {
            compiled += 1;
            let _ = Evaluation::new(&globals, &[]).with_budget(100_000).value(&program);
        }
    }
    assert!(compiled > 1_000, "{compiled} of them compile");
}
