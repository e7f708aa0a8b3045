//! `AdmissionReview`: writing the answer.

use std::collections::BTreeMap;

use super::review::{API_VERSION, KIND};
use crate::credential;
use crate::json;
use crate::policy::exemption::Exemption;
use crate::policy::{Policy, Reason, Source, Subject, Violation};
use crate::report::printable;
use crate::value::{Map, Value};

/// The most violations that the message of a denial tells, and the most characters of each.
const MAX_LINES: usize = 50;
const MAX_LINE: usize = 1_000;
/// The most fields that are named of a violation.
const MAX_FIELDS: usize = 3;
/// The characters of one warning, and of all of them together, that the API server never cuts (`WithWarningRecorder`).
const MAX_WARNING: usize = 256;
const MAX_WARNINGS: usize = 4_096;
/// The most bytes of an audit annotation: what the API server takes from its own policies.
const MAX_AUDIT_VALUE: usize = 10 << 10;
/// The most bytes of its key, which must be the name of a qualified name.
const MAX_KEY: usize = 63;
/// What a client is told that was refused, where the policy says nothing.
const DEFAULT_REASON: Reason = Reason::Forbidden;

/// What policies say of a request.
#[derive(Debug, Default)]
pub(super) struct Verdicts<'p> {
    pub denied: Vec<Violation<'p>>,
    pub warned: Vec<Violation<'p>>,
    pub audited: Vec<Violation<'p>>,
    /// What somebody has answered for.
    pub exempted: Vec<(Violation<'p>, Exemption)>,
    /// What else the user should know.
    pub notes: Vec<String>,
}

/// The answer to a review.
pub(super) struct Response<'a> {
    pub uid: &'a str,
    /// The object that was judged.
    pub object: &'a Value,
    pub verdicts: &'a Verdicts<'a>,
}

impl Response<'_> {
    /// The review with this response, as JSON.
    pub fn write(&self) -> Vec<u8> {
        let denied = &self.verdicts.denied;
        let mut response = vec![("uid", self.uid.into()), ("allowed", denied.is_empty().into())];
        response.extend(denied.first().map(|first| ("status", self.status(first))));
        let warnings = self.warnings();
        if !warnings.is_empty() {
            response.push(("warnings", warnings.into_iter().map(Value::from).collect::<Vec<_>>().into()));
        }
        let annotations = self.annotations();
        if !annotations.is_empty() {
            let annotations = annotations.into_iter().map(|(key, value)| (key, value.into()));
            response.push(("auditAnnotations", annotations.collect::<Map>().into()));
        }
        let review: Value = Map::of_struct([
            ("apiVersion", API_VERSION.into()),
            ("kind", KIND.into()),
            ("response", Map::of_struct(response).into()),
        ])
        .into();
        // There are no numbers in it that JSON cannot hold.
        json::to_json_raw(&review).unwrap_or_default().into_bytes()
    }

    /// Why it is denied: as in the API server, the first denial says how.
    fn status(&self, first: &Violation<'_>) -> Value {
        let reason = match first.source {
            Source::Validation { reason: Some(reason) } => reason,
            _ => DEFAULT_REASON,
        };
        Map::of_struct([
            ("status", "Failure".into()),
            ("message", self.message().into()),
            ("reason", reason.name().into()),
            ("code", reason.code().into()),
        ])
        .into()
    }

    /// All denials, one a line.
    fn message(&self) -> String {
        let denied = &self.verdicts.denied;
        let lines: Vec<String> = denied.iter().take(MAX_LINES).map(|violation| self.denial(violation)).collect();
        match (lines.as_slice(), denied.len().saturating_sub(MAX_LINES)) {
            ([line], _) => line.clone(),
            (lines, 0) => format!("{} violations\n{}", denied.len(), lines.join("\n")),
            (lines, more) => format!("{} violations\n{}\nand {more} more", denied.len(), lines.join("\n")),
        }
    }

    /// What is wrong, where, and the way out. Of what could not be evaluated the policy does not know one.
    fn denial(&self, violation: &Violation<'_>) -> String {
        let line = self.line(violation);
        match violation.policy.remediation.as_str() {
            remediation if !remediation.is_empty() && violation.source != Source::Failure => {
                shortened(&format!("{line} ({})", one_line(remediation)), MAX_LINE)
            }
            _ => shortened(&line, MAX_LINE),
        }
    }

    /// The policy, the fields and what is wrong with them, in one line.
    fn line(&self, violation: &Violation<'_>) -> String {
        let own =
            violation.blamed.iter().filter(|blamed| blamed.subject == Subject::Object(0) && !blamed.path.0.is_empty());
        let fields: Vec<String> = own.map(|blamed| blamed.path.named(self.object)).collect();
        let named = match fields.len().saturating_sub(MAX_FIELDS) {
            0 => fields.join(", "),
            more => format!("{} and {more} more", fields.get(..MAX_FIELDS).unwrap_or_default().join(", ")),
        };
        let id = &violation.policy.id;
        let message = credential::lines(&violation.message);
        one_line(&if named.is_empty() { format!("{id}: {message}") } else { format!("{id}: {named}: {message}") })
    }

    /// What is warned of, within what the API server passes on.
    fn warnings(&self) -> Vec<String> {
        let lines = self.verdicts.warned.iter().map(|violation| self.line(violation));
        let lines: Vec<String> = lines.chain(self.verdicts.notes.iter().map(|note| one_line(note))).collect();
        let mut warnings = Vec::new();
        let mut left = MAX_WARNINGS - MAX_WARNING;
        for (told, line) in lines.iter().enumerate() {
            let warning = shortened(line, MAX_WARNING);
            let Some(rest) = left.checked_sub(warning.chars().count()) else {
                warnings.push(format!("and {} more warnings", lines.len() - told));
                break;
            };
            left = rest;
            warnings.push(warning);
        }
        warnings
    }

    /// What is written into the audit log: a key for each policy, and one for each of its audit annotations.
    fn annotations(&self) -> BTreeMap<String, String> {
        let mut annotations: BTreeMap<String, String> = BTreeMap::new();
        let mut note = |policy: &Policy, key: Option<&str>, text: &str| {
            let key = match key {
                Some(key) => qualified(&format!("{}.{key}", policy.id)),
                None => qualified(&policy.id),
            };
            let value = annotations.entry(key).or_default();
            if !value.is_empty() {
                value.push('\n');
            }
            value.push_str(text);
        };
        for violation in &self.verdicts.audited {
            match &violation.source {
                Source::Annotation { key, value } => note(violation.policy, Some(key), &credential::lines(value)),
                _ => note(violation.policy, None, &self.line(violation)),
            }
        }
        for (violation, exemption) in &self.verdicts.exempted {
            let owner = exemption.owner.as_ref().map(|owner| format!(" ({owner})")).unwrap_or_default();
            let text = format!("exempted: {}{owner}: {}", exemption.reason, self.line(violation));
            note(violation.policy, None, &one_line(&text));
        }
        for value in annotations.values_mut() {
            value.truncate(value.floor_char_boundary(MAX_AUDIT_VALUE));
        }
        annotations
    }
}

/// A text as the name of a qualified name, which the API server wants behind the webhook's: 1 to 63 letters, digits, `-`,
/// `_` and `.`, of which the first and last are letters or digits.
fn qualified(text: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = text
        .chars()
        .map(|c| {
            if is_allowed(c) {
                c
            } else if c == '/' {
                '.'
            } else {
                '-'
            }
        })
        .collect();
    let is_edge = |c: char| !c.is_ascii_alphanumeric();
    let name = name.trim_matches(is_edge);
    let name = name.get(name.len().saturating_sub(MAX_KEY)..).unwrap_or_default().trim_matches(is_edge);
    if name.is_empty() { "policy".to_owned() } else { name.to_owned() }
}

/// The text in one line, without what a terminal obeys.
fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The text, or as much of it as so many characters hold.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::source::SourceFile;

    const POLICY: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: a}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: "false"}]
"#;

    fn violations<'p>(policy: &'p Policy, count: usize, message: &str) -> Vec<Violation<'p>> {
        let violation = |_| Violation {
            policy,
            severity: Severity::Error,
            release: None,
            object: Some(0),
            message: message.to_owned(),
            blamed: Vec::new(),
            source: Source::Validation { reason: None },
        };
        (0..count).map(violation).collect()
    }

    #[test]
    fn an_answer_is_no_longer_than_the_api_server_passes_on() {
        let policy = Policy::read("own/a", &SourceFile::new("a.yaml", POLICY)).unwrap();
        let long = "é\u{1b} ".repeat(4_000);
        let verdicts = Verdicts {
            denied: violations(&policy, 1_000, &long),
            warned: violations(&policy, 1_000, &long),
            audited: violations(&policy, 1_000, &long),
            ..Verdicts::default()
        };
        let response = Response { uid: "u", object: &Value::Null, verdicts: &verdicts };
        let warnings = response.warnings();
        assert!(warnings.iter().all(|warning| warning.chars().count() <= MAX_WARNING));
        assert!(warnings.iter().map(|warning| warning.chars().count()).sum::<usize>() <= MAX_WARNINGS);
        // One with a control character is not passed on at all.
        assert!(!warnings.iter().any(|warning| warning.contains(char::is_control)));
        assert_eq!(warnings.last().map(String::as_str), Some("and 985 more warnings"));
        let message = response.message();
        assert_eq!(message.lines().count(), MAX_LINES + 2);
        assert_eq!((message.lines().next(), message.lines().last()), (Some("1000 violations"), Some("and 950 more")));
        assert!(response.annotations().values().all(|value| value.len() <= MAX_AUDIT_VALUE));
    }

    #[test]
    fn keys_of_audit_annotations_are_names() {
        assert_eq!(qualified("pod-security/privileged"), "pod-security.privileged");
        assert_eq!(qualified("/é a_b/"), "a_b");
        assert_eq!(qualified("éé"), "policy");
        let long = qualified(&format!("{}/{}", "a".repeat(60), "-b".repeat(20)));
        assert!(long.len() <= MAX_KEY && long.ends_with("-b") && !long.starts_with('-'), "{long}");
    }
}
