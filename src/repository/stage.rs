//! Archives on their way into `charts/`: all arrive, or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;

/// A folder beside `charts/` in which new files wait. It is gone when this is dropped.
pub(super) struct Stage {
    chart: PathBuf,
    folder: PathBuf,
    /// Names of the archives that wait.
    archives: Vec<String>,
}

/// A change that was made, and how to undo it.
enum Step {
    /// `from` was moved to `to`.
    Moved { from: PathBuf, to: PathBuf },
    /// A folder was created.
    Created(PathBuf),
}

impl Stage {
    /// Prepares to change a chart. `charts/` and the lock file must be where they seem to be: what a link points to
    /// is not the chart's.
    pub fn new(chart: &Path, lock_name: &str) -> Result<Self, Error> {
        for name in ["charts", lock_name] {
            let path = chart.join(name);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => return Err(Error::Link { path }),
                Ok(found) if name == "charts" && !found.is_dir() => return Err(Error::ChartsNoFolder { path }),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io(&path, error)),
            }
        }
        let folder = chart.join(format!(".plimsoll-deps-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| Error::io(&folder, error))?;
        Ok(Self { chart: chart.to_path_buf(), folder, archives: Vec::new() })
    }

    /// Adds an archive, and says where it waits.
    pub fn add(&mut self, name: String, bytes: &[u8]) -> Result<PathBuf, Error> {
        let path = self.folder.join(&name);
        fs::write(&path, bytes).map_err(|error| Error::io(&path, error))?;
        self.archives.push(name);
        Ok(path)
    }

    /// Whether an archive waits.
    pub fn holds(&self, name: &str) -> bool {
        self.archives.iter().any(|known| known == name)
    }

    /// The bytes of an archive that waits.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.folder.join(name);
        fs::read(&path).map_err(|error| Error::io(&path, error))
    }

    /// Moves everything into the chart, takes `outdated` out of `charts/` and writes the lock file. If one of these
    /// fails, all that went before is undone.
    pub fn commit(&self, outdated: &[String], lock: Option<(&str, &str)>) -> Result<(), Error> {
        let mut done = Vec::new();
        self.apply(outdated, lock, &mut done).inspect_err(|_| {
            for step in done.into_iter().rev() {
                // The first failure is the one to tell of.
                let _ = match step {
                    Step::Moved { from, to } => fs::rename(to, from),
                    Step::Created(folder) => fs::remove_dir(folder),
                };
            }
        })
    }

    fn apply(&self, outdated: &[String], lock: Option<(&str, &str)>, done: &mut Vec<Step>) -> Result<(), Error> {
        let old = self.folder.join("old");
        fs::create_dir(&old).map_err(|error| Error::io(&old, error))?;
        let charts = self.chart.join("charts");
        if !charts.exists() {
            fs::create_dir(&charts).map_err(|error| Error::io(&charts, error))?;
            done.push(Step::Created(charts.clone()));
        }
        for name in outdated.iter().chain(&self.archives) {
            let path = charts.join(name);
            if path.exists() {
                shift(path, old.join(name), done)?;
            }
        }
        for name in &self.archives {
            shift(self.folder.join(name), charts.join(name), done)?;
        }
        if let Some((name, text)) = lock {
            let (path, waiting) = (self.chart.join(name), self.folder.join(name));
            fs::write(&waiting, text).map_err(|error| Error::io(&waiting, error))?;
            shift(waiting, path, done)?;
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A folder that cannot be removed does no harm; there is nobody to tell.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn shift(from: PathBuf, to: PathBuf, done: &mut Vec<Step>) -> Result<(), Error> {
    fs::rename(&from, &to).map_err(|error| Error::io(&to, error))?;
    done.push(Step::Moved { from, to });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn everything_arrives() {
        let chart = tempfile::tempdir().unwrap();
        let mut stage = Stage::new(chart.path(), "Chart.lock").unwrap();
        stage.add("a-1.tgz".into(), b"a").unwrap();
        stage.commit(&[], Some(("Chart.lock", "l"))).unwrap();
        drop(stage);
        assert_eq!(names(chart.path()), ["Chart.lock", "charts"]);
        let mut stage = Stage::new(chart.path(), "Chart.lock").unwrap();
        stage.add("a-2.tgz".into(), b"b").unwrap();
        stage.commit(&["a-1.tgz".into()], None).unwrap();
        assert_eq!(names(&chart.path().join("charts")), ["a-2.tgz"]);
    }

    #[test]
    fn a_failure_leaves_all_as_it_was() {
        let chart = tempfile::tempdir().unwrap();
        let charts = chart.path().join("charts");
        fs::create_dir(&charts).unwrap();
        fs::write(charts.join("a-1.tgz"), "old").unwrap();
        fs::write(charts.join("b-1.tgz"), "old").unwrap();
        // A folder where the lock file should go cannot be replaced by a file.
        fs::create_dir_all(chart.path().join("Chart.lock/x")).unwrap();
        let mut stage = Stage::new(chart.path(), "Chart.lock").unwrap();
        stage.add("a-1.tgz".into(), b"new").unwrap();
        stage.add("c-1.tgz".into(), b"new").unwrap();
        assert!(stage.commit(&["b-1.tgz".into()], Some(("Chart.lock", "l"))).is_err());
        drop(stage);
        assert_eq!(names(chart.path()), ["Chart.lock", "charts"]);
        assert_eq!(names(&charts), ["a-1.tgz", "b-1.tgz"]);
        assert_eq!(fs::read(charts.join("a-1.tgz")).unwrap(), b"old");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        for name in ["charts", "Chart.lock"] {
            let (chart, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            std::os::unix::fs::symlink(elsewhere.path(), chart.path().join(name)).unwrap();
            assert!(matches!(Stage::new(chart.path(), "Chart.lock"), Err(Error::Link { .. })), "{name}");
        }
    }
}
