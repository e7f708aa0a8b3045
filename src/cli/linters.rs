//! docs/linters.md: under which policies the checks of other linters are found here, and why some are not.

use std::collections::BTreeMap;

use crate::finding::Fault;
use crate::policy::Catalogue;
use crate::value::Value;
use crate::yaml;

const FILE: &str = "src/cli/linters.yaml";
const TEXT: &str = include_str!("linters.yaml");

/// The page, a table for each linter.
pub(super) fn page(catalogue: &Catalogue) -> Result<String, Fault> {
    let known = yaml::parse(TEXT, yaml::Options { strict: true, ..Default::default() })
        .map_err(|error| Fault::new(format!("{FILE}: {error}")))?;
    let list = |key: &str| known.get(key).and_then(Value::as_list).unwrap_or_default();
    let about = "The checks of other linters, and the policies that find the same. `plimsoll policy explain \
                 checkov:CKV_K8S_16` leads from an id to its policy. What the compared ones find with their default \
                 checks in the charts and manifests below `tests/fixtures` and `charts` is found here too, on the same \
                 object; `tests/peers/linters.sh` holds plimsoll to it. All policies are asked (`--profile all`): many \
                 of these checks are a matter of taste, and not in the profile `default`.";
    let mut out = format!("# Other linters\n\n{}\n", textwrap::fill(about, 120));
    for tool in list("tools") {
        let exceptions: Vec<&Value> =
            list("exceptions").iter().filter(|e| text(e, "tool") == text(tool, "id")).collect();
        out.push_str(&section(tool, &exceptions, catalogue));
    }
    Ok(out)
}

fn section(tool: &Value, exceptions: &[&Value], catalogue: &Catalogue) -> String {
    let mut policies = BTreeMap::<_, Vec<&str>>::new();
    for policy in catalogue.policies() {
        for id in policy.aliases.iter().filter_map(|alias| alias.strip_prefix(text(tool, "id"))?.strip_prefix(':')) {
            policies.entry(natural(id)).or_default().push(&policy.id);
        }
    }
    let compared = if tool.get("compared").and_then(Value::as_bool) == Some(true) {
        "Compared by running it"
    } else {
        "The ids are taken from its sources"
    };
    let mut out = format!("\n## {}\n\n{compared}: {}.\n", text(tool, "name"), text(tool, "version"));
    let (partial, whole): (Vec<&Value>, Vec<&Value>) = exceptions.iter().partition(|e| e.get("objects").is_some());
    out.push_str("\n| check | policies | but |\n|---|---|---|\n");
    for ((_, id), found) in &policies {
        let found: Vec<String> = found.iter().map(|policy| format!("[{policy}](policies/{policy}.md)")).collect();
        let of_id = partial.iter().filter(|exception| ids(exception).any(|own| own == *id));
        let but: Vec<&str> = of_id.map(|exception| text(exception, "reason")).collect();
        out.push_str(&format!("| `{id}` | {} | {} |\n", found.join(", "), but.join(" ")));
    }
    if !whole.is_empty() {
        out.push_str("\nNot looked for:\n\n| checks | why |\n|---|---|\n");
    }
    for exception in whole {
        let ids: Vec<String> = ids(exception).map(|id| format!("`{id}`")).collect();
        out.push_str(&format!("| {} | {} |\n", ids.join(", "), text(exception, "reason")));
    }
    out
}

/// What sorts numbers by their size: CKV_K8S_9 before CKV_K8S_10.
fn natural(id: &str) -> ((String, u64), &str) {
    let word = id.trim_end_matches(|c: char| c.is_ascii_digit());
    ((word.to_owned(), id[word.len()..].parse().unwrap_or_default()), id)
}

fn ids(exception: &Value) -> impl Iterator<Item = &str> {
    exception.get("ids").and_then(Value::as_list).into_iter().flatten().filter_map(Value::as_str)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
