//! Finds the policies of `policies/` and writes them as a table for `src/policy/catalogue.rs` to include.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
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
            let _ = writeln!(table, "    (\"{category}/{name}\", include_str!({file:?}), {tests}),");
        }
    }
    table.push(']');
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("policies.rs"), table)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn text(name: Option<&std::ffi::OsStr>) -> Option<&str> {
    name.and_then(|name| name.to_str())
}
