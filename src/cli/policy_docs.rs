//! The documentation of policies: an index, and a page for each with its examples.

use std::fs;
use std::io;
use std::path::Path;

use super::Stop;
use super::policy_text::{about, profiles};
use crate::finding::Fault;
use crate::policy::examples::{Example, Examples};
use crate::policy::{Catalogue, Entry, Policy};
use crate::value::{Map, Value};
use crate::yaml;

const PRINTED: &str = "<!-- printed by `plimsoll policy docs docs`; a test fails when this page is stale -->";

/// Writes `policies.md`, `policies/<id>.md` and, where there is such a page, `linters.md` into a folder. Pages of policies
/// that are no more go away.
pub(super) fn write(catalogue: &Catalogue, linters: Option<&str>, folder: &Path) -> Result<(), Stop> {
    let pages = folder.join("policies");
    remove_printed(&pages)?;
    for entry in catalogue.entries() {
        let path = pages.join(format!("{}.md", entry.policy.id));
        fs::create_dir_all(path.parent().unwrap_or(&pages))?;
        fs::write(path, page(entry)?)?;
    }
    fs::create_dir_all(folder)?;
    let mut index = index(catalogue);
    if let Some(page) = linters {
        index.push_str("\nUnder which ids kube-linter, Checkov, Trivy, Polaris and kube-score know them: [linters.md](linters.md).\n");
        fs::write(folder.join("linters.md"), format!("{PRINTED}\n\n{page}"))?;
    }
    fs::write(folder.join("policies.md"), index)?;
    Ok(())
}

/// Removes the pages of an earlier run: files that say that they were printed, and nothing else.
fn remove_printed(pages: &Path) -> io::Result<()> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten();
    for category in entries(pages) {
        for page in entries(&category?.path()) {
            let page = page?.path();
            if fs::read_to_string(&page).is_ok_and(|text| text.starts_with(PRINTED)) {
                fs::remove_file(page)?;
            }
        }
    }
    Ok(())
}

fn index(catalogue: &Catalogue) -> String {
    let count = catalogue.entries().len();
    let mut out = format!(
        "{PRINTED}\n\n# Policies\n\nHow a policy is written is told in [writing-policies.md](writing-policies.md). \
         Examples that pass and fail lie beside each\nof the {count} policies, in `NAME.test.yaml`; `plimsoll policy \
         test` runs them. Every policy is in the profile `all` too.\n"
    );
    let mut category = "";
    for policy in catalogue.policies() {
        let (of, name) = policy.id.split_once('/').unwrap_or(("", &policy.id));
        if of != category {
            category = of;
            out.push_str(&format!(
                "\n## {of}\n\n| policy | severity | what must hold | profiles |\n|---|---|---|---|\n"
            ));
        }
        let (id, severity, title) = (&policy.id, policy.severity, cell(&policy.title));
        out.push_str(&format!("| [`{name}`](policies/{id}.md) | {severity} | {title} | {} |\n", profiles(policy)));
    }
    out
}

fn page(entry: &Entry) -> Result<String, Fault> {
    let policy = &entry.policy;
    let mut out = format!("{PRINTED}\n\n# {}\n\n{}.\n\n{}\n", policy.id, policy.title, facts(policy));
    for (heading, text) in [("Why it matters", &policy.rationale), ("How to mend it", &policy.remediation)] {
        out.push_str(&format!("\n## {heading}\n\n{}\n", textwrap::fill(text, 120)));
    }
    if let Some(file) = entry.examples() {
        let examples = Examples::read(&file).map_err(super::select_args::fault)?;
        for (heading, examples) in [("Fails", &examples.fail), ("Passes", &examples.pass)] {
            out.push_str(&format!("\n## {heading}\n"));
            for example in examples {
                out.push_str(&format!("\n{}:\n\n{}", example.name, code(&without_name(example))?));
            }
        }
        if !examples.base.is_empty() {
            out.push_str(&format!("\n## Objects of every example\n\n{}", code(&examples.base.into())?));
        }
    }
    let root = "../".repeat(policy.id.matches('/').count() + 2);
    out.push_str(&format!("\nThe policy: [`policies/{0}.yaml`]({root}policies/{0}.yaml)\n", policy.id));
    Ok(out)
}

/// Severity, scope, profiles and aliases, as a list.
fn facts(policy: &Policy) -> String {
    let mut out = format!("- Severity: {}\n- Judges {}", policy.severity, about(policy));
    if !policy.profiles.is_empty() {
        out.push_str(&format!("\n- Profiles: {}, all", profiles(policy)));
    }
    if !policy.aliases.is_empty() {
        let aliases: Vec<String> = policy.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        out.push_str(&format!("\n- Other tools know it as {}", aliases.join(", ")));
    }
    out
}

fn code(value: &Value) -> Result<String, Fault> {
    let text = yaml::to_yaml(value).map_err(|error| Fault::new(error.to_string()))?;
    Ok(format!("```yaml\n{}\n```\n", text.trim_end()))
}

fn without_name(example: &Example) -> Value {
    let entries = example.written.as_map().into_iter().flat_map(Map::iter).filter(|(key, _)| &***key != "name");
    entries.map(|(key, value)| (key.clone(), value.clone())).collect::<Map>().into()
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
