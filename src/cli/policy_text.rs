//! Policies for people: the list, one explained, and docs/policies.md.

use crate::policy::examples::{Example, Examples};
use crate::policy::{Catalogue, Entry, Error, Policy, PolicyKind};

const WIDTH: usize = 100;

/// A line each.
pub(super) fn list(catalogue: &Catalogue) -> String {
    let width = catalogue.policies().map(|policy| policy.id.len()).max().unwrap_or_default();
    let line = |policy: &Policy| format!("{:width$}  {:7}  {}\n", policy.id, policy.severity.to_string(), policy.title);
    catalogue.policies().map(line).collect()
}

/// All that is known of one.
pub(super) fn explain(entry: &Entry) -> Result<String, Error> {
    let policy = &entry.policy;
    let mut out = format!("{} ({}, {})\n{}\n", policy.id, policy.severity, about(policy), policy.title);
    for (heading, text) in [("Why it matters", &policy.rationale), ("How to mend it", &policy.remediation)] {
        out.push_str(&format!("\n{heading}\n{}\n", textwrap::indent(&textwrap::fill(text, WIDTH - 2), "  ")));
    }
    if !policy.aliases.is_empty() {
        out.push_str(&format!("\nOther tools know it as\n  {}\n", policy.aliases.join(", ")));
    }
    if let Some(file) = &entry.examples {
        let examples = Examples::read(file)?;
        for (heading, examples) in [("Passes", &examples.pass), ("Fails", &examples.fail)] {
            out.push_str(&format!("\n{heading} ({})\n", file.name));
            out.extend(examples.iter().map(|example| format!("  line {}: {}\n", line(example), example.name)));
        }
    }
    Ok(out)
}

/// docs/policies.md.
pub(super) fn markdown(catalogue: &Catalogue) -> String {
    let mut out = String::from(
        "<!-- printed by `plimsoll policy list --format markdown`; a test fails when this page is stale -->\n\n\
         # Policies\n\n\
         How a policy is written is told in [writing-policies.md](writing-policies.md). Examples that pass and fail lie \
         beside each\npolicy, in `NAME.test.yaml`; `plimsoll policy test` runs them.\n\n\
         | policy | severity | what must hold |\n|---|---|---|\n",
    );
    for policy in catalogue.policies() {
        let anchor = policy.id.replace('/', "");
        out.push_str(&format!("| [`{}`](#{anchor}) | {} | {} |\n", policy.id, policy.severity, policy.title));
    }
    for policy in catalogue.policies() {
        out.push_str(&format!(
            "\n## {}\n\n{}. {}, judges {}.\n",
            policy.id,
            policy.title,
            capital(policy),
            about(policy)
        ));
        for (heading, text) in [("Why it matters", &policy.rationale), ("How to mend it", &policy.remediation)] {
            out.push_str(&format!("\n**{heading}.** {text}\n"));
        }
        if !policy.aliases.is_empty() {
            let aliases: Vec<String> = policy.aliases.iter().map(|alias| format!("`{alias}`")).collect();
            out.push_str(&format!("\nOther tools know it as {}.\n", aliases.join(", ")));
        }
        out.push_str(&format!("\n[Policy](../policies/{0}.yaml), [examples](../policies/{0}.test.yaml).\n", policy.id));
    }
    out
}

fn about(policy: &Policy) -> &'static str {
    match policy.kind {
        PolicyKind::Object => "each object by itself",
        PolicyKind::Release => "all objects and values of a release",
        PolicyKind::Fleet => "several releases together",
    }
}

fn capital(policy: &Policy) -> String {
    let severity = policy.severity.to_string();
    severity[..1].to_uppercase() + &severity[1..]
}

fn line(example: &Example) -> usize {
    example.location.position().line
}
