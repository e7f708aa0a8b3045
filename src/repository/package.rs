//! A chart as an archive.
//!
//! Source: Helm's `pkg/chart/v2/util/save.go`. The same chart always gives the same bytes: files carry no times.

use std::io::{self, Write};
use std::sync::Arc;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::lock;
use crate::chart::{Chart, Metadata};
use crate::value::{Map, Value};
use crate::yaml::{self, WriteError};

/// By this Helm knows its archives: an address in base64.
const GZIP_EXTRA: &[u8] = b"+aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";
/// What Go's gzip says of the system: unknown.
const GZIP_SYSTEM: u8 = 255;

/// Why a chart cannot be packaged.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Its Chart.yaml or Chart.lock cannot be written as YAML.
    #[error("{0}")]
    Yaml(#[from] WriteError),
    /// Its files do not fit into a tar archive.
    #[error("{0}")]
    Archive(#[from] io::Error),
}

/// Packages a chart with its subcharts.
pub fn package(chart: &Chart) -> Result<Vec<u8>, PackageError> {
    let zipped = GzBuilder::new()
        .extra(GZIP_EXTRA)
        .comment("Helm")
        .operating_system(GZIP_SYSTEM)
        .write(Vec::new(), Compression::default());
    let mut archive = Builder::new(zipped);
    append(&mut archive, chart, "")?;
    Ok(archive.into_inner()?.finish()?)
}

fn append(archive: &mut Builder<impl Write>, chart: &Chart, parent: &str) -> Result<(), PackageError> {
    let base = format!("{parent}{}/", chart.name());
    let is_v1 = chart.metadata.api_version == "v1";
    let chart_yaml = yaml::to_yaml(&metadata_to_value(&chart.metadata, !is_v1))?;
    file(archive, &format!("{base}Chart.yaml"), chart_yaml.as_bytes())?;
    // Charts of version 1 have requirements.lock, which is one of their files.
    if let Some(chart_lock) = chart.lock.as_ref().filter(|_| !is_v1) {
        let text = yaml::to_yaml(&lock::to_value(chart_lock))?;
        file(archive, &format!("{base}Chart.lock"), text.as_bytes())?;
    }
    if let Some(values) = &chart.values_yaml {
        file(archive, &format!("{base}values.yaml"), values.text.as_bytes())?;
    }
    if let Some(schema) = &chart.schema {
        file(archive, &format!("{base}values.schema.json"), schema.bytes())?;
    }
    for own in chart.templates.iter().chain(chart.files.iter()) {
        file(archive, &format!("{base}{}", own.name), own.bytes())?;
    }
    chart.dependencies.iter().try_for_each(|dependency| append(archive, dependency, &format!("{base}charts/")))
}

fn file(archive: &mut Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, name, bytes)
}

/// Chart.yaml without what is empty. Source: the tags in Helm's `pkg/chart/v2/metadata.go`.
fn metadata_to_value(metadata: &Metadata, with_dependencies: bool) -> Value {
    let mut map = Map::default();
    for (key, text) in [
        ("name", &metadata.name),
        ("home", &metadata.home),
        ("version", &metadata.version),
        ("description", &metadata.description),
        ("icon", &metadata.icon),
        ("apiVersion", &metadata.api_version),
        ("condition", &metadata.condition),
        ("tags", &metadata.tags),
        ("appVersion", &metadata.app_version),
        ("kubeVersion", &metadata.kube_version),
        ("type", &metadata.kind),
    ] {
        if !text.is_empty() {
            map.insert(key, text.as_str().into());
        }
    }
    for (key, texts) in [("sources", &metadata.sources), ("keywords", &metadata.keywords)] {
        insert_list(&mut map, key, texts.iter().map(|text| text.as_str().into()));
    }
    insert_list(
        &mut map,
        "maintainers",
        metadata.maintainers.iter().map(|maintainer| {
            let fields = [("name", &maintainer.name), ("email", &maintainer.email), ("url", &maintainer.url)];
            let given = fields.into_iter().filter(|(_, text)| !text.is_empty());
            given.map(|(key, text)| (key, text.as_str().into())).collect::<Map>().into()
        }),
    );
    if metadata.deprecated {
        map.insert("deprecated", true.into());
    }
    if !metadata.annotations.is_empty() {
        let entries = metadata.annotations.iter().map(|(key, text)| (key.clone(), Value::String(Arc::clone(text))));
        map.insert("annotations", entries.collect::<Map>().into());
    }
    if with_dependencies {
        insert_list(&mut map, "dependencies", metadata.dependencies.iter().map(lock::dependency_to_value));
    }
    map.into()
}

fn insert_list(map: &mut Map, key: &str, items: impl Iterator<Item = Value>) {
    let items: Vec<Value> = items.collect();
    if !items.is_empty() {
        map.insert(key, items.into());
    }
}
