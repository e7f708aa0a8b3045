//! The folders of a commit: looked up by path as a file system would, symbolic links followed inside of it alone.

use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::sync::Arc;

use super::objects::Objects;
use super::{Base, Error, ErrorKind};

/// The most bytes of all folders that are read.
const MAX_FOLDERS: u64 = 256 << 20;

/// The most symbolic links on the way to a file, as in Linux.
const MAX_LINKS: usize = 40;

/// The longest target of a symbolic link in bytes, as in Linux.
const MAX_TARGET: u64 = 4096;

/// What a folder has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub kind: Kind,
    /// The id of the object.
    pub id: String,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    Submodule,
}

/// The entries of a folder. Names are as hostile as whoever wrote them.
pub(super) type Folder = BTreeMap<Vec<u8>, Entry>;

/// What is at a path.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The way to it from the root, without links; `None` where there is nothing.
    pub place: Option<(Vec<String>, Entry)>,
    /// Whether the path leaves the repository.
    pub is_outside: bool,
    /// The links that were followed.
    pub links: Vec<Vec<String>>,
}

/// The folders of a commit, read when they are asked for.
#[derive(Debug)]
pub(super) struct Trees {
    pub objects: Objects,
    commit: String,
    root: Entry,
    folders: HashMap<String, Arc<Folder>>,
    targets: HashMap<String, String>,
    bytes: u64,
}

impl Trees {
    pub(super) fn new(base: &Base) -> Result<Self, Error> {
        let mut objects = Objects::new(&base.git, &base.commit)?;
        let mut id = None;
        objects.read("commit", std::slice::from_ref(&base.commit), |_, _, content| {
            let mut head = String::new();
            // The first line is `tree <id>`; what is missing here shows below.
            let _ = content.take(base.commit.len() as u64 + 6).read_to_string(&mut head);
            id = head.strip_prefix("tree ").map(|id| id.trim_end().to_owned());
            Ok(())
        })?;
        let damaged = || objects.error(ErrorKind::Damaged(base.commit.clone(), "it names no tree".into()));
        let id = id.filter(|id| super::is_id(id)).ok_or_else(damaged)?;
        let root = Entry { kind: Kind::Folder, id };
        let (folders, targets) = (HashMap::new(), HashMap::new());
        Ok(Self { objects, commit: base.commit.clone(), root, folders, targets, bytes: 0 })
    }

    /// Looks up a path from a folder, given without links.
    pub(super) fn find(&mut self, from: &[String], path: &str) -> Result<Found, Error> {
        let mut found = Found { place: None, is_outside: false, links: Vec::new() };
        // What is still to go, the next one last.
        let mut names: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        names.extend(from.iter().rev().cloned());
        let mut at: Vec<(String, Entry)> = Vec::new();
        while let Some(name) = names.pop() {
            let here = at.last().map_or(&self.root, |(_, entry)| entry).clone();
            if here.kind != Kind::Folder {
                return Ok(found);
            }
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    if at.pop().is_none() {
                        found.is_outside = true;
                        return Ok(found);
                    }
                    continue;
                }
                _ => {}
            }
            let Some(entry) = self.folder(&here.id, &path_of(&at))?.get(name.as_bytes()).cloned() else {
                return Ok(found);
            };
            at.push((name, entry.clone()));
            match entry.kind {
                Kind::File | Kind::Folder => {}
                Kind::Submodule => return Err(self.submodule(&path_of(&at))),
                Kind::Link => {
                    found.links.push(names_of(&at));
                    at.pop();
                    let target = self.target(&entry.id)?;
                    if target.starts_with('/') || found.links.len() > MAX_LINKS {
                        found.is_outside = target.starts_with('/');
                        return Ok(found);
                    }
                    names.extend(target.split('/').rev().map(str::to_owned));
                }
            }
        }
        let entry = at.last().map_or(&self.root, |(_, entry)| entry).clone();
        found.place = Some((names_of(&at), entry));
        Ok(found)
    }

    /// The entries of a folder. Its path is told where something is wrong with them.
    pub(super) fn folder(&mut self, id: &str, path: &str) -> Result<Arc<Folder>, Error> {
        if let Some(folder) = self.folders.get(id) {
            return Ok(folder.clone());
        }
        let (mut bytes, mut left) = (Vec::new(), MAX_FOLDERS.saturating_sub(self.bytes));
        self.objects.read("tree", &[id.to_owned()], |_, size, content| {
            // The size is git's word for it: nothing is reserved before it comes.
            left = left.saturating_sub(size);
            if left > 0 {
                let _ = content.read_to_end(&mut bytes);
            }
            Ok(())
        })?;
        if left == 0 {
            let limit = format!("{} MiB of folders", MAX_FOLDERS >> 20);
            return Err(self.objects.error(ErrorKind::TooLarge { commit: self.commit.clone(), limit }));
        }
        self.bytes += bytes.len() as u64;
        let folder = parse(&bytes, id.len() / 2).map_err(|problem| match problem {
            Problem::Damaged => self.objects.error(ErrorKind::Damaged(id.to_owned(), "it is no tree".into())),
            Problem::Twice(name) => self.name(path, &name),
        })?;
        let folder = Arc::new(folder);
        self.folders.insert(id.to_owned(), folder.clone());
        Ok(folder)
    }

    /// What a link says; of a text that no link can be, nothing.
    fn target(&mut self, id: &str) -> Result<String, Error> {
        if let Some(target) = self.targets.get(id) {
            return Ok(target.clone());
        }
        let mut text = Vec::new();
        self.objects.read("blob", &[id.to_owned()], |_, _, content| {
            let _ = content.take(MAX_TARGET).read_to_end(&mut text);
            Ok(())
        })?;
        let target = String::from_utf8(text).unwrap_or_default();
        // An empty one would lead to the link's own folder; no system has such.
        let target = if target.is_empty() || target.contains('\0') { "/".to_owned() } else { target };
        self.targets.insert(id.to_owned(), target.clone());
        Ok(target)
    }

    /// What the link at a path says, as it is written.
    pub(super) fn text(&mut self, entry: &Entry) -> Result<String, Error> {
        self.target(&entry.id)
    }

    /// The entry at a path without links; nothing where there is none.
    pub(super) fn entry(&mut self, path: &[String]) -> Result<Option<Entry>, Error> {
        let mut entry = self.root.clone();
        for (depth, name) in path.iter().enumerate() {
            let folder = self.folder(&entry.id, &path[..depth].join("/"))?;
            match folder.get(name.as_bytes()) {
                Some(found) => entry = found.clone(),
                None => return Ok(None),
            }
        }
        Ok(Some(entry))
    }

    pub(super) fn submodule(&self, path: &str) -> Error {
        self.objects.error(ErrorKind::Submodule(path.to_owned(), self.commit.clone()))
    }

    /// A name that cannot be in a work tree.
    pub(super) fn name(&self, folder: &str, name: &[u8]) -> Error {
        let (folder, name) = (folder.to_owned(), String::from_utf8_lossy(name).into_owned());
        self.objects.error(ErrorKind::Name { folder, name, commit: self.commit.clone() })
    }
}

fn names_of(at: &[(String, Entry)]) -> Vec<String> {
    at.iter().map(|(name, _)| name.clone()).collect()
}

fn path_of(at: &[(String, Entry)]) -> String {
    names_of(at).join("/")
}

/// What can be wrong with a folder.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Damaged,
    /// A name that it has twice: a file that is a link too would be written through it.
    Twice(Vec<u8>),
}

/// Reads a tree object: for each entry its mode in octal, a blank, its name, a zero byte and its id in `id_bytes` bytes.
fn parse(bytes: &[u8], id_bytes: usize) -> Result<Folder, Problem> {
    let mut folder = Folder::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (mode, behind) = cut(rest, b' ').ok_or(Problem::Damaged)?;
        let (name, behind) = cut(behind, 0).ok_or(Problem::Damaged)?;
        let (id, behind) = behind.split_at_checked(id_bytes).ok_or(Problem::Damaged)?;
        let kind = match mode {
            b"40000" | b"040000" => Kind::Folder,
            b"120000" => Kind::Link,
            b"160000" => Kind::Submodule,
            [b'1', b'0', b'0', ..] => Kind::File,
            _ => return Err(Problem::Damaged),
        };
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        if folder.insert(name.to_vec(), Entry { kind, id }).is_some() {
            return Err(Problem::Twice(name.to_vec()));
        }
        rest = behind;
    }
    Ok(folder)
}

/// What is before and behind the first byte of a kind.
fn cut(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = memchr::memchr(at, bytes)?;
    Some((bytes.get(..position)?, bytes.get(position + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_tree_is_damaged_and_a_name_is_there_once() {
        let entry = |mode: &str, name: &str| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &[0xab; 20]].concat();
        let entries = [entry("100644", "a"), entry("40000", "b"), entry("120000", "c"), entry("160000", "d")];
        let ends: Vec<usize> = (1..4).map(|count| entries[..count].concat().len()).collect();
        let tree = entries.concat();
        let folder = parse(&tree, 20).unwrap();
        let kinds: Vec<Kind> = folder.values().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::File, Kind::Folder, Kind::Link, Kind::Submodule]);
        assert_eq!(folder[&b"a"[..]].id, "ab".repeat(20));
        for end in 1..tree.len() {
            assert_eq!(parse(&tree[..end], 20).is_ok(), ends.contains(&end), "{end} bytes");
        }
        for damaged in [&tree[..tree.len() - 1], b"100644 a", b"100644", &entry("7", "a")] {
            assert_eq!(parse(damaged, 20), Err(Problem::Damaged));
        }
        let twice = [entry("120000", "a"), entry("40000", "a")].concat();
        assert_eq!(parse(&twice, 20), Err(Problem::Twice(b"a".to_vec())));
    }
}
