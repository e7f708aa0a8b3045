//! What a project file names: the files and folders without which its releases cannot be checked.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::Project;
use super::expand::Entry;
use crate::values::Supplied;

impl Project {
    /// The charts, values files, policies, schemas and the baseline that the file names, and the folders below which
    /// `forEach` looks: paths as those of the command line. What is not there is named too.
    pub fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.entries.iter().flat_map(|entry| entry.paths(&self.folder)).collect();
        paths.extend(self.baseline.clone());
        paths.extend(self.folders.iter().chain(self.schemas.paths().iter()).map(|path| self.without_root(path)));
        paths.sort();
        paths.dedup();
        paths
    }

    /// The same project with all that it names at `root`: another state of the same work tree.
    pub fn at(mut self, root: &Path) -> Self {
        self.folders.iter_mut().for_each(|path| *path = root.join(&*path));
        self.schemas.below(root);
        self.root = root.to_path_buf();
        self
    }

    fn without_root(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_path_buf()
    }
}

impl Entry {
    fn paths(&self, folder: &Path) -> Vec<PathBuf> {
        let named = RefCell::new(vec![self.model.chart.clone()]);
        named.borrow_mut().extend(self.for_each.iter().map(|(_, glob)| folder.join(glob.fixed())));
        // Which files flags name, only reading them tells. One that cannot be read is told of when the release is rendered.
        let _ = Supplied::read(&self.model.inputs, &|name| {
            named.borrow_mut().push(name.into());
            Ok(Vec::new())
        });
        named.into_inner()
    }
}
