//! `plimsoll deps` against folders, and against servers on loopback, well-behaved and not.
//!
//! tests/peers/registry.sh holds it to a real registry and to real Helm.

mod command;
mod folders;
mod registries;
mod repositories;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use plimsoll::chart;
use plimsoll::repository::{self, Login, Network, Options, Outcome};

/// A folder with charts in it; gone when dropped.
struct Workspace(tempfile::TempDir);

impl Workspace {
    /// A chart `app` with these dependencies, in YAML.
    fn with_dependencies(dependencies: &str) -> Self {
        let workspace = Self(tempfile::tempdir().unwrap());
        workspace.write(
            "app/Chart.yaml",
            format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n{dependencies}"),
        );
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Every file below `app` with its bytes.
    fn state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(folder: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, into);
                } else {
                    into.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(&self.path("app"), &mut files);
        files
    }

    fn charts(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path("app/charts"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn update(&self) -> Outcome {
        self.run(&options()).unwrap()
    }

    fn run(&self, options: &Options) -> Result<Outcome, repository::Error> {
        repository::update(&self.path("app"), options)
    }

    /// The error of an update, which must have changed nothing.
    fn refused(&self, options: &Options) -> repository::Error {
        let before = self.state();
        let error = self.run(options).unwrap_err();
        assert_eq!(self.state(), before, "a failed update left something behind");
        error
    }
}

fn options() -> Options {
    let network = Network { plain_http: true, roots: None, login: None, timeout: Duration::from_secs(20) };
    Options { locked: false, network: Some(network), now: UNIX_EPOCH + Duration::from_secs(951_782_400) }
}

fn with_login(host: &str) -> Options {
    let mut options = options();
    let login = Login { host: host.into(), username: "alice".into(), password: "hunter2".into() };
    options.network.as_mut().unwrap().login = Some(login);
    options
}

/// `alice:hunter2`
const BASIC: &str = "Basic YWxpY2U6aHVudGVyMg==";

/// The archive of a small chart.
fn archive(name: &str, version: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: {version}\n")).unwrap();
    repository::package(&chart::load(folder.path()).unwrap()).unwrap()
}
