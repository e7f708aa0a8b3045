//! Finds the policies of `policies/` and writes them as a table for `src/policy/catalogue.rs` to include: their text, which
//! errors show, and their documents as JSON, which is read in a fraction of the time that YAML takes.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=policies");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut table = String::from("&[\n");
    for category in sorted(&root.join("policies"))? {
        if !category.is_dir() {
            continue;
        }
        for file in sorted(&category)? {
            let (Some(category), Some(name)) = (text(category.file_name()), text(file.file_name())) else { continue };
            let Some(name) = name.strip_suffix(".yaml").filter(|name| !name.ends_with(".test")) else { continue };
            let tests = file.with_file_name(format!("{name}.test.yaml"));
            let tests = if tests.is_file() { format!("include_str!({tests:?})") } else { "\"\"".to_owned() };
            let documents = documents(&fs::read_to_string(&file)?).map_err(|error| format!("{file:?}: {error}"))?;
            writeln!(table, "    (\"{category}/{name}\", include_str!({file:?}), &{documents:?}, {tests}),")?;
        }
    }
    table.push(']');
    Ok(fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("policies.rs"), table)?)
}

/// The documents of a file, each as its first byte, the byte after its last, and JSON.
fn documents(text: &str) -> Result<Vec<(usize, usize, String)>, serde_yaml::Error> {
    let mut documents = Vec::new();
    let mut start = 0;
    for part in text.split_inclusive("\n---\n") {
        let end = start + part.strip_suffix("---\n").unwrap_or(part).len();
        let value: serde_json::Value = serde_yaml::from_str(&text[start..end])?;
        documents.push((start, end, value.to_string()));
        start += part.len();
    }
    Ok(documents)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn text(name: Option<&std::ffi::OsStr>) -> Option<&str> {
    name.and_then(|name| name.to_str())
}
