//! Dependencies that a chart names and does not have: without them it cannot be rendered.

use super::{Repository, join, name, parent};
use crate::value::Value;

/// The names of those that a chart lacks in `charts/`, by its Chart.yaml or, in the first version, requirements.yaml.
pub(super) fn lacking(repository: &Repository<'_>, chart: &str) -> Vec<String> {
    let listed = ["Chart.yaml", "requirements.yaml"].iter().filter_map(|file| {
        let path = join(chart, file);
        repository.has(&path).then(|| repository.document(&path).ok())?
    });
    let named: Vec<Value> = listed.filter_map(|file| file.get("dependencies").cloned()).collect();
    let items = named.iter().filter_map(Value::as_list).flat_map(|items| items.iter());
    let wanted = items.filter_map(|item| item.get("name").and_then(Value::as_str));
    let folder = join(chart, "charts");
    let parts: Vec<&String> = repository.files.iter().filter(|path| is_part(path, &folder)).collect();
    let is_called = |path: &str, wanted: &str| {
        repository.document(path).is_ok_and(|chart| chart.get("name").and_then(Value::as_str) == Some(wanted))
    };
    let has = |wanted: &str| {
        // It may be a link, which the list of files does not have.
        repository.root.join(&folder).join(wanted).exists()
            || parts.iter().any(|path| match name(path) {
                "Chart.yaml" => is_called(path, wanted),
                packed => packed.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('-')),
            })
    };
    wanted.filter(|wanted| !has(wanted)).map(str::to_owned).collect()
}

/// Whether it is a packed chart of the folder, or the Chart.yaml of one that is not packed.
fn is_part(path: &str, folder: &str) -> bool {
    let folder_of = parent(path);
    name(path) == "Chart.yaml" && parent(folder_of) == folder || path.ends_with(".tgz") && folder_of == folder
}
