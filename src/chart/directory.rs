//! Charts as folders.
//!
//! Source: Helm's `pkg/chart/v2/loader/directory.go` and `internal/sympath/walk.go`. Helm follows every symbolic link;
//! here a link must stay inside the chart, for a chart from a pull request must not read the reviewer's files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::archive::{Budget, MAX_FILE_SIZE};
use super::error::Error;
use super::ignore::Rules;
use super::load::RawFile;

/// The deepest folder inside a chart.
const MAX_DEPTH: usize = 64;

/// The files of a folder, sorted within each folder, without what `.helmignore` leaves out.
pub(super) fn read(root: &Path, budget: &mut Budget) -> Result<Vec<RawFile>, Error> {
    let real_root = fs::canonicalize(root).map_err(|error| Error::read(root, error))?;
    let ignore_file = root.join(".helmignore");
    let rules = if ignore_file.exists() {
        let bytes = read_file(&ignore_file)?;
        Rules::parse(&String::from_utf8_lossy(&bytes))
    } else {
        Rules::parse("")
    };
    let rules = rules.map_err(|(line, error)| Error::Ignore { path: ignore_file, line, error })?;
    let mut walk = Walk { root, real_root, rules, budget, files: Vec::new(), open: Vec::new() };
    walk.folder("")?;
    Ok(walk.files)
}

struct Walk<'a> {
    root: &'a Path,
    real_root: PathBuf,
    rules: Rules,
    budget: &'a mut Budget,
    files: Vec<RawFile>,
    /// The real paths of the folders around the present one: a link to one of these would never end.
    open: Vec<PathBuf>,
}

impl Walk<'_> {
    fn folder(&mut self, name: &str) -> Result<(), Error> {
        let path = self.root.join(name);
        let real = fs::canonicalize(&path).map_err(|error| Error::read(&path, error))?;
        if self.open.contains(&real) || self.open.len() >= MAX_DEPTH {
            return Err(Error::Loop { path });
        }
        self.open.push(real);
        let mut entries = fs::read_dir(&path)
            .and_then(|entries| {
                entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
            })
            .map_err(|error| Error::read(&path, error))?;
        entries.sort();
        for entry in entries {
            let entry = entry.to_string_lossy();
            let name = if name.is_empty() { entry.into_owned() } else { format!("{name}/{entry}") };
            self.entry(name)?;
        }
        self.open.pop();
        Ok(())
    }

    fn entry(&mut self, name: String) -> Result<(), Error> {
        let path = self.root.join(&name);
        let mut metadata = fs::symlink_metadata(&path).map_err(|error| Error::read(&path, error))?;
        if metadata.is_symlink() {
            let target = fs::canonicalize(&path).map_err(|error| Error::DanglingLink { path: path.clone(), error })?;
            metadata = fs::metadata(&target).map_err(|error| Error::read(&path, error))?;
            if !target.starts_with(&self.real_root) && !self.rules.ignores(&name, metadata.is_dir()) {
                return Err(Error::LinkOutside { path, target });
            }
        }
        if self.rules.ignores(&name, metadata.is_dir()) {
            return Ok(());
        }
        if metadata.is_dir() {
            return self.folder(&name);
        }
        if !metadata.is_file() {
            return Err(Error::Irregular { path });
        }
        let data = read_file(&path)?;
        self.budget
            .spend(data.len() as u64)
            .map_err(|error| Error::Archive { path: self.root.to_path_buf(), error })?;
        self.files.push(RawFile::new(name, data));
        Ok(())
    }
}

/// Reads a file of at most [`MAX_FILE_SIZE`] bytes.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let mut data = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut data));
    match read {
        Err(error) => Err(Error::read(path, error)),
        Ok(bytes) if bytes as u64 > MAX_FILE_SIZE => Err(Error::FileTooLarge { path: path.to_path_buf() }),
        Ok(_) => Ok(data),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::load;
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files.iter().chain(&[("Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n")]) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn names(folder: &tempfile::TempDir) -> Result<Vec<String>, String> {
        let files = read(folder.path(), &mut Budget::default()).map_err(|error| error.to_string())?;
        Ok(files.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn helmignore_leaves_files_and_folders_out() {
        let folder = folder(&[
            (".helmignore", "d/\n*.log\n"),
            ("d/x", ""),
            ("e/d", ""),
            ("e/y.log", ""),
            ("templates/.hidden", ""),
            (".hidden", ""),
        ]);
        assert_eq!(names(&folder).unwrap(), [".helmignore", ".hidden", "Chart.yaml", "e/d"]);
        fs::write(folder.path().join(".helmignore"), "\n**\n").unwrap();
        assert_eq!(names(&folder).unwrap_err(), "double-star (**) syntax is not supported");
        fs::write(folder.path().join(".helmignore"), "!x\n").unwrap();
        assert_eq!(load(folder.path()).unwrap_err().to_string(), "Chart.yaml file is missing");
    }

    #[test]
    fn links_are_followed_inside_the_chart_only() {
        let folder = folder(&[("files/a", "text"), (".helmignore", "ignored\n")]);
        let at = |name: &str| folder.path().join(name);
        symlink("files/a", at("b")).unwrap();
        symlink("files", at("g")).unwrap();
        symlink("/etc", at("ignored")).unwrap();
        assert_eq!(names(&folder).unwrap(), [".helmignore", "Chart.yaml", "b", "files/a", "g/a"]);

        for (target, reason) in [
            ("/etc/hostname", "leaves the chart"),
            ("../..", "leaves the chart"),
            ("nowhere", "error evaluating symlink"),
            (".", "without end"),
            ("x", "error evaluating symlink"),
        ] {
            symlink(target, at("x")).unwrap();
            let error = names(&folder).unwrap_err();
            assert!(error.contains(reason) && error.contains(at("x").to_str().unwrap()), "{target}: {error}");
            fs::remove_file(at("x")).unwrap();
        }
    }

    #[test]
    fn what_is_no_file_or_too_large_is_refused() {
        let folder = folder(&[]);
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(names(&folder).unwrap_err().starts_with("cannot load irregular file"));
        fs::remove_file(path).unwrap();
        fs::File::create(folder.path().join("large")).unwrap().set_len(MAX_FILE_SIZE + 1).unwrap();
        assert!(names(&folder).unwrap_err().contains("is larger than the maximum file size 5242880"));
    }

    #[test]
    fn what_is_no_chart_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        let chart_yaml = folder.path().join("Chart.yaml");
        assert_eq!(
            error,
            format!("unable to detect chart at {0}: open {0}: no such file or directory", chart_yaml.display())
        );
        assert_eq!(load(Path::new("./nope")).unwrap_err().to_string(), "path \"./nope\" not found");
        fs::write(folder.path().join("x.yaml"), "a: 1").unwrap();
        assert!(
            load(&folder.path().join("x.yaml"))
                .unwrap_err()
                .to_string()
                .ends_with("seems to be a YAML file, but expected a gzipped archive")
        );
        fs::write(&chart_yaml, "apiVersion: v9\nname: c\nversion: 1.0.0\n").unwrap();
        assert_eq!(load(folder.path()).unwrap_err().to_string(), "unsupported chart version");
    }
}
