//! Whether files have changed: by what they hold, for Kubernetes swaps the links that lead to them.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::bounded;

/// The most bytes of a file: no file that is read from a project is larger.
const MAX_FILE: u64 = 64 << 20;
/// The folders in folders that are looked into: policies lie in folders of categories.
const MAX_DEPTH: usize = 4;

/// What files hold, and all files of folders. What cannot be read is a state too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let mut hash = Sha256::new();
        paths.iter().for_each(|path| add(path, MAX_DEPTH, &mut hash));
        Self(hash.finalize().into())
    }
}

fn add(path: &Path, depth: usize, hash: &mut Sha256) {
    let part = |hash: &mut Sha256, bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(hash, path.as_os_str().as_encoded_bytes());
    if path.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        // In a mounted ConfigMap each file is a link through `..data`, which is a link itself.
        let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let mut entries: Vec<PathBuf> = entries.filter(|entry| depth > 0 && !is_hidden(entry)).collect();
        entries.sort();
        entries.iter().for_each(|entry| add(entry, depth - 1, hash));
        return part(hash, b"/");
    }
    match bounded::read(path, MAX_FILE) {
        Ok(bytes) => part(hash, &bytes),
        Err(error) => part(hash, error.to_string().as_bytes()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// As the kubelet mounts a ConfigMap: a file is a link through `..data`, which leads to a folder of that moment.
    #[test]
    fn a_mount_that_is_swapped_has_changed_and_one_that_is_renewed_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let moment = |name: &str, text: &str| {
            fs::create_dir(root.join(name)).unwrap();
            fs::write(root.join(name).join("a.yaml"), text).unwrap();
            symlink(name, root.join("..new")).unwrap();
            fs::rename(root.join("..new"), root.join("..data")).unwrap();
        };
        moment("..1", "one");
        symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
        let paths = [root.to_path_buf()];
        let first = Fingerprint::of(&paths);
        moment("..2", "one");
        assert_eq!(Fingerprint::of(&paths), first);
        moment("..3", "two");
        let second = Fingerprint::of(&paths);
        assert_ne!(second, first);
        fs::remove_file(root.join("a.yaml")).unwrap();
        assert_ne!(Fingerprint::of(&paths), second);
    }

    #[test]
    fn what_is_missing_is_a_state() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("plimsoll.yaml"), folder.path().join("policies")];
        let missing = Fingerprint::of(&paths);
        assert_eq!(Fingerprint::of(&paths), missing);
        fs::create_dir(&paths[1]).unwrap();
        assert_ne!(Fingerprint::of(&paths), missing);
    }
}
