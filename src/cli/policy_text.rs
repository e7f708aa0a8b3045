//! Policies for people: the list, and one explained.

use crate::policy::examples::{Example, Examples};
use crate::policy::{Entry, Error, Policy, PolicyKind};

const WIDTH: usize = 100;

/// A line each.
pub(super) fn list(policies: &[&Policy]) -> String {
    let width = policies.iter().map(|policy| policy.id.len()).max().unwrap_or_default();
    let line = |policy: &&Policy| {
        let profiles = if policy.profiles.is_empty() { String::new() } else { format!(" ({})", profiles(policy)) };
        format!("{:width$}  {:7}  {}{profiles}\n", policy.id, policy.severity.to_string(), policy.title)
    };
    policies.iter().map(line).collect()
}

/// All that is known of one.
pub(super) fn explain(entry: &Entry) -> Result<String, Error> {
    let policy = &entry.policy;
    let mut out = format!("{} ({}, {})\n{}\n", policy.id, policy.severity, about(policy), policy.title);
    for (heading, text) in [("Why it matters", &policy.rationale), ("How to mend it", &policy.remediation)] {
        out.push_str(&format!("\n{heading}\n{}\n", textwrap::indent(&textwrap::fill(text, WIDTH - 2), "  ")));
    }
    if !policy.profiles.is_empty() {
        out.push_str(&format!("\nProfiles\n  {}\n", profiles(policy)));
    }
    let params = policy.params();
    if !params.is_empty() {
        out.push_str("\nParameters\n");
    }
    for (key, value) in params {
        out.push_str(&format!("  {key}: {}\n", value.as_str().unwrap_or_default()));
    }
    if !policy.aliases.is_empty() {
        out.push_str(&format!("\nOther tools know it as\n  {}\n", policy.aliases.join(", ")));
    }
    if let Some(file) = entry.examples() {
        let examples = Examples::read(&file)?;
        for (heading, examples) in [("Passes", &examples.pass), ("Fails", &examples.fail)] {
            out.push_str(&format!("\n{heading} ({})\n", file.name));
            out.extend(examples.iter().map(|example| format!("  line {}: {}\n", line(example), example.name)));
        }
    }
    Ok(out)
}

/// The names of a policy's profiles.
pub(super) fn profiles(policy: &Policy) -> String {
    policy.profiles.iter().map(|profile| profile.name()).collect::<Vec<_>>().join(", ")
}

/// What a policy judges.
pub(super) fn about(policy: &Policy) -> &'static str {
    match policy.kind {
        PolicyKind::Object | PolicyKind::Kyverno | PolicyKind::Schema => "each object by itself",
        #[cfg(feature = "rego")]
        PolicyKind::Rego => "each object by itself",
        PolicyKind::Release => "all objects and values of a release",
        PolicyKind::Fleet => "several releases together",
    }
}

fn line(example: &Example) -> usize {
    example.location.position().line
}
