//! Fields that somebody else manages: which, whose, and what would become of them.
//!
//! Source: `NewConflictError` of k8s.io/apimachinery/pkg/util/managedfields, and how sigs.k8s.io/structured-merge-diff writes
//! the paths of fields.

use std::fmt::{self, Write};

use super::{Cause, Error, Reason};
use crate::credential;
use crate::json;
use crate::value::{Numbers, Path, Value, is_word};

/// A field that is managed by somebody else, who wants it otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The way to it, as a diff names it: `spec.template.spec.containers[name=web].image`.
    pub field: String,
    /// Who manages it.
    pub owner: Owner,
    /// What is there, with `***` for a credential.
    pub live: Option<Value>,
    /// What is wanted, with `***` for a credential.
    pub wanted: Option<Value>,
    /// The way to it in what is wanted, as far as that has it.
    pub path: Path,
}

/// A manager of fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owner {
    /// `kubectl-client-side-apply`, `helm`, `kube-controller-manager`
    pub manager: String,
    /// `Apply` or `Update`; empty where it is not known.
    pub operation: String,
    /// What the fields were written through: `status`, `scale`; mostly empty.
    pub subresource: String,
    /// When it last wrote, in RFC 3339.
    pub time: Option<String>,
}

impl Conflict {
    /// The conflicts that a request was refused for; none if it was for something else.
    pub(super) fn of(error: &Error, live: Option<&Value>, wanted: &Value) -> Vec<Self> {
        let Reason::Status { code: 409, causes, .. } = &error.reason else { return Vec::new() };
        let hidden = [live.map(credential::value), Some(credential::value(wanted))];
        let [live_hidden, wanted_hidden] = [hidden[0].as_ref(), hidden[1].as_ref()];
        let conflict = |cause: &Cause| {
            let way = Way::along(&cause.field, [live_hidden, wanted_hidden]);
            let [live_value, wanted_value] = way.at.map(|value| value.cloned());
            let owner = Owner::of(&cause.message, live);
            Self { field: way.shown, owner, live: live_value, wanted: wanted_value, path: way.path }
        };
        causes.iter().filter(|cause| cause.reason == "FieldManagerConflict").map(conflict).collect()
    }
}

impl Error {
    /// The fields that the server has named; where the object has none of them, as far as it has their ways.
    pub fn fields(&self, object: &Value) -> Vec<Path> {
        let Reason::Status { causes, .. } = &self.reason else { return Vec::new() };
        let named = causes.iter().filter(|cause| !cause.field.is_empty());
        let ways: Vec<Way<'_>> = named.map(|cause| Way::along(&cause.field, [None, Some(object)])).collect();
        let has_any = ways.iter().any(|way| way.at[1].is_some());
        ways.into_iter().filter(|way| way.at[1].is_some() == has_any).map(|way| way.path).collect()
    }
}

impl Owner {
    /// `conflict with "kubectl-edit" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z`; of one that applies,
    /// only the name is said.
    fn of(message: &str, live: Option<&Value>) -> Self {
        let quoted = |after: &str| {
            let rest = message.split_once(after)?.1;
            // A name may have quotes in it: then Go has escaped them.
            let end = rest.char_indices().scan(false, |is_escaped, (at, c)| {
                let is_end = c == '"' && !*is_escaped;
                *is_escaped = c == '\\' && !*is_escaped;
                Some((at, is_end))
            });
            let end = end.filter(|(_, is_end)| *is_end).map(|(at, _)| at).next()?;
            Some(rest.get(..end)?.replace("\\\"", "\""))
        };
        let owner = Self {
            manager: quoted("conflict with \"").unwrap_or_else(|| message.to_owned()),
            operation: if message.contains("\" using ") { "Update" } else { "Apply" }.to_owned(),
            subresource: quoted(" with subresource \"").unwrap_or_default(),
            time: None,
        };
        let entries = live.and_then(|live| live.at(["metadata", "managedFields"])).and_then(Value::as_list);
        let time = entries.unwrap_or_default().iter().filter_map(|entry| {
            let is = |key, text: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default() == text;
            let is_it = is("manager", &owner.manager)
                && is("operation", &owner.operation)
                && is("subresource", &owner.subresource);
            entry.get("time").and_then(Value::as_str).filter(|_| is_it)
        });
        // One manager has an entry for each version that it has written: the last counts.
        let time = time.max().map(str::to_owned);
        Self { time, ..owner }
    }
}

/// `kubectl-edit (Update, 2026-01-01T00:00:00Z)`
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.manager)?;
        let subresource = Some(&self.subresource).filter(|subresource| !subresource.is_empty());
        let facts = [Some(&self.operation), subresource, self.time.as_ref()].into_iter().flatten();
        let facts: Vec<&str> = facts.map(String::as_str).collect();
        write!(f, " ({})", facts.join(", "))
    }
}

/// The way to a field, gone in both objects at once.
struct Way<'a> {
    shown: String,
    at: [Option<&'a Value>; 2],
    /// In the second object, as far as that has it.
    path: Path,
}

impl<'a> Way<'a> {
    fn along(path: &str, at: [Option<&'a Value>; 2]) -> Self {
        let mut way = Self { shown: String::new(), at, path: Path::default() };
        way.follow(path);
        way
    }

    /// `.spec.containers[name="web"].image`; names of fields are not quoted, whatever they have in them.
    fn follow(&mut self, path: &str) {
        let mut rest = path;
        while !rest.is_empty() && !self.is_hidden() {
            let (next, is_element) = match rest.strip_prefix('[') {
                Some(inside) => (inside, true),
                None => (rest.strip_prefix('.').unwrap_or(rest), false),
            };
            let (step, after) = next.split_at(if is_element { end_of_element(next) } else { self.end_of_key(next) });
            if is_element {
                self.element(step);
                rest = after.strip_prefix(']').unwrap_or(after);
            } else {
                self.key(step);
                rest = after;
            }
        }
    }

    /// Whether what lies further on is a credential; then even its keys may give it away.
    fn is_hidden(&self) -> bool {
        self.at.iter().flatten().any(|value| value.as_str() == Some(credential::HIDDEN))
    }

    /// The longest key that is there and that the text begins with; else what ends at the next sign.
    fn end_of_key(&self, text: &str) -> usize {
        let keys = self.at.iter().flatten().filter_map(|value| value.as_map()).flat_map(|map| map.iter());
        let is_next =
            |key: &&str| text.strip_prefix(*key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        let longest = keys.map(|(key, _)| &**key).filter(is_next).map(str::len).filter(|length| *length > 0).max();
        longest.or_else(|| text.find(['.', '[']).filter(|at| *at > 0)).unwrap_or(text.len())
    }

    fn key(&mut self, key: &str) {
        let _ = match (is_word(key), self.shown.is_empty()) {
            (true, true) => write!(self.shown, "{key}"),
            (true, false) => write!(self.shown, ".{key}"),
            (false, _) => write!(self.shown, "[{key:?}]"),
        };
        self.enter_key(key);
    }

    fn enter_key(&mut self, key: &str) {
        self.at = self.at.map(|value| value?.get(key));
        if self.at[1].is_some() {
            self.path = self.path.key(key);
        }
    }

    /// `name="web"`, `containerPort=80,protocol="TCP"`, `="a value"`, `3`
    fn element(&mut self, element: &str) {
        let parts: Vec<(&str, Value)> = split(element)
            .into_iter()
            .map(|part| match part.split_once('=') {
                Some((key, value)) => (key, scalar(value)),
                None => ("", scalar(part)),
            })
            .collect();
        let shown = parts.iter().map(|(key, value)| {
            let equals = if element.contains('=') { "=" } else { "" };
            let value = match value {
                Value::String(text) if is_word(text) => text.to_string(),
                other => json::to_json_raw(other).unwrap_or_default(),
            };
            format!("{key}{equals}{value}")
        });
        let _ = write!(self.shown, "[{}]", shown.collect::<Vec<_>>().join(","));
        // A map's keys may be written like this too: `data[key]`.
        if self.at.iter().flatten().any(|value| value.as_map().is_some()) {
            return self.enter_key(element);
        }
        let lists = self.at.map(|value| value?.as_list());
        let indices = lists.map(|list| find(list?, element, &parts));
        self.at = [0, 1].map(|side| lists[side]?.get(indices[side]?));
        if let Some(index) = indices[1] {
            self.path = self.path.index(index);
        }
    }
}

/// The index of the element of a list that a step leads to, if it has one.
fn find(list: &[Value], step: &str, parts: &[(&str, Value)]) -> Option<usize> {
    match parts {
        [("", Value::Int(index))] if !step.starts_with('=') => {
            usize::try_from(*index).ok().filter(|index| *index < list.len())
        }
        [("", value)] => list.iter().position(|item| item == value),
        _ => {
            // What a key is by default, only the server has written down.
            let is = |item: &Value, is_exact: bool| {
                parts.iter().all(|(key, value)| item.get(key).map_or(!is_exact, |found| found == value))
            };
            list.iter().position(|item| is(item, true)).or_else(|| list.iter().position(|item| is(item, false)))
        }
    }
}

/// Go's `%q`, a number or a boolean; for what JSON does not know, the text itself.
fn scalar(text: &str) -> Value {
    json::parse(text, Numbers::Exact).unwrap_or_else(|_| text.into())
}

fn end_of_element(text: &str) -> usize {
    outside_quotes(text).find(|(_, c)| *c == ']').map_or(text.len(), |(at, _)| at)
}

fn split(element: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in outside_quotes(element).filter(|(_, c)| *c == ',') {
        parts.extend(element.get(start..at));
        start = at + 1;
    }
    parts.extend(element.get(start..));
    parts
}

fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.char_indices().filter(move |(_, c)| {
        let was_quoted = is_quoted;
        match c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = *c == '\\' && !is_escaped;
        !was_quoted && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Value {
        json::parse(text, Numbers::Exact).unwrap()
    }

    fn conflict(field: &str, message: &str, live: &str, wanted: &str) -> Conflict {
        let cause =
            Cause { reason: "FieldManagerConflict".to_owned(), field: field.to_owned(), message: message.to_owned() };
        let reason = Reason::Status { code: 409, reason: "Conflict".to_owned(), causes: vec![cause] };
        let error = Error::new("", reason);
        let mut found = Conflict::of(&error, Some(&parse(live)), &parse(wanted));
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn fields_are_named_as_in_a_diff_and_found_in_both_objects() {
        let live = r#"{"metadata":{"annotations":{"a.b/c[0]":"x"}},"spec":{"containers":[
            {"name":"sidecar","image":"s"},
            {"name":"web","image":"a:1","ports":[{"containerPort":80,"protocol":"TCP","name":"http"}],
             "volumeMounts":[{"mountPath":"/a,]\"b","name":"v"}]}],"finalizers":["f"]}}"#;
        let wanted = r#"{"metadata":{"annotations":{"a.b/c[0]":"y"}},"spec":{"containers":[
            {"name":"web","image":"a:2","ports":[{"containerPort":80,"name":"web"}]}]}}"#;
        for (field, shown, both) in [
            (".metadata.annotations.a.b/c[0]", r#"metadata.annotations["a.b/c[0]"]"#, [Some("x"), Some("y")]),
            (r#".spec.containers[name="web"].image"#, "spec.containers[name=web].image", [Some("a:1"), Some("a:2")]),
            (
                r#".spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].name"#,
                "spec.containers[name=web].ports[containerPort=80,protocol=TCP].name",
                [Some("http"), Some("web")],
            ),
            (
                r#".spec.containers[name="web"].volumeMounts[mountPath="/a,]\"b"].name"#,
                r#"spec.containers[name=web].volumeMounts[mountPath="/a,]\"b"].name"#,
                [Some("v"), None],
            ),
            (r#".spec.finalizers[="f"]"#, "spec.finalizers[=f]", [Some("f"), None]),
            (".spec.containers[1].image", "spec.containers[1].image", [Some("a:1"), None]),
            (".spec.unknown.field", "spec.unknown.field", [None, None]),
        ] {
            let found = conflict(field, "conflict with \"kubectl\"", live, wanted);
            assert_eq!(found.field, shown);
            let both = both.map(|text| text.map(Value::from));
            assert_eq!([found.live, found.wanted], both, "{field}");
        }
    }

    #[test]
    fn fields_that_a_server_names_are_found_in_what_was_sent() {
        let object = parse(r#"{"data":{"a b":"x"},"spec":{"ports":[{"port":80},{"port":0}],"clusterIP":"x"}}"#);
        let cause = |field: &&str| Cause { reason: String::new(), field: (*field).to_owned(), message: String::new() };
        let fields = |causes: &[&str]| {
            let causes = causes.iter().map(cause).collect();
            let error = Error::new("", Reason::Status { code: 422, reason: "Invalid".to_owned(), causes });
            error.fields(&object).iter().map(Path::to_string).collect::<Vec<_>>()
        };
        // What is wrong with a default is no place to look at, where there is another.
        let both = fields(&["spec.ports[1].port", "spec.ports[1].targetPort", "data[a b]", ""]);
        assert_eq!(both, ["spec.ports[1].port", r#"data["a b"]"#]);
        assert_eq!(fields(&["spec.ports[0].name", "spec.ports[7].port"]), ["spec.ports[0]", "spec.ports"]);
    }

    #[test]
    fn credentials_are_hidden_with_what_is_in_them() {
        let found = conflict(
            ".data.password",
            "conflict with \"x\"",
            r#"{"kind":"Secret","data":{"password":"eA=="}}"#,
            r#"{"kind":"Secret","data":{"password":"eQ=="}}"#,
        );
        assert_eq!((found.live, found.wanted), (Some("***".into()), Some("***".into())));
        let found = conflict(
            ".spec.apiToken.hunter2",
            "conflict with \"x\"",
            r#"{"spec":{"apiToken":{"hunter2":1}}}"#,
            r#"{"spec":{"apiToken":{"hunter2":2}}}"#,
        );
        assert_eq!((found.field.as_str(), found.live), ("spec.apiToken", Some("***".into())));
    }

    #[test]
    fn owners_are_told_with_what_the_object_says_of_them() {
        let live = r#"{"metadata":{"managedFields":[
            {"manager":"kubectl","operation":"Apply","time":"2026-01-01T00:00:00Z"},
            {"manager":"kubectl","operation":"Update","time":"2026-01-02T00:00:00Z"},
            {"manager":"hpa","operation":"Update","subresource":"scale","time":"2026-01-03T00:00:00Z"}]}}"#;
        for (message, shown) in [
            ("conflict with \"kubectl\"", "kubectl (Apply, 2026-01-01T00:00:00Z)"),
            ("conflict with \"kubectl\" using apps/v1", "kubectl (Update, 2026-01-02T00:00:00Z)"),
            (
                "conflict with \"hpa\" with subresource \"scale\" using apps/v1 at 2026-01-03T00:00:00Z",
                "hpa (Update, scale, 2026-01-03T00:00:00Z)",
            ),
            (r#"conflict with "a \"b\"" using v1"#, r#"a "b" (Update)"#),
        ] {
            assert_eq!(conflict(".a", message, live, "{}").owner.to_string(), shown);
        }
    }
}
