//! SECURITY.md's hardening table: each row is the chart's default, and its policy speaks up when the row is loosened.

mod common;

use common::{plimsoll, root};
use plimsoll::chart;
use plimsoll::value::Value;

/// Setting, default, loosened value, policy.
fn rows() -> Vec<[String; 4]> {
    let page = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let code = |cell: &str| cell.trim().strip_prefix('`')?.strip_suffix('`').map(str::to_owned);
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let [setting, default, loosened, _, policy] = cells[..] else { return None };
            Some([code(setting)?, code(default)?, code(loosened)?, code(policy)?])
        })
        .collect();
    assert!(rows.len() >= 6, "{rows:?}");
    rows
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::String(text) => text.to_string(),
        other => panic!("{other:?} is no setting"),
    }
}

#[test]
fn each_default_is_the_charts() {
    let chart = chart::load(&root().join("charts/workspace")).unwrap();
    for [setting, default, ..] in rows() {
        let value = chart.values.at(setting.split('.')).unwrap_or_else(|| panic!("no {setting}"));
        assert_eq!(plain(value), default, "{setting}");
    }
}

#[test]
fn each_policy_speaks_up() {
    for [setting, _, loosened, policy] in rows() {
        let set = format!("{setting}={loosened}");
        let args = ["render", "x", "charts/workspace", "--check", "--set", &set];
        let run = plimsoll(root(), &args, "");
        let found = [format!("error[{policy}]"), format!("warning[{policy}]")];
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(found.iter().any(|found| said.contains(found.as_str())), "{set}: {said}");
    }
}

#[test]
fn every_policy_of_the_page_exists() {
    let page = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let ids = page.split('`').filter(|code| code.starts_with("workspace/") || code.starts_with("secrets/"));
    let mut count = 0;
    for id in ids {
        assert!(root().join("policies").join(format!("{id}.yaml")).is_file(), "{id}");
        count += 1;
    }
    assert!(count >= 10);
}
