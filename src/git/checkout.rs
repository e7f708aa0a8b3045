//! Files of a commit in a temporary folder.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use super::tree::{Entry, Kind, Trees};
use super::{Base, Error, ErrorKind};

/// The most files, links and folders that are written.
const MAX_ENTRIES: usize = 200_000;

/// The most bytes that are written.
const MAX_BYTES: u64 = 1 << 30;

/// The longest path in bytes.
const MAX_PATH: usize = 1024;

/// Where a link leads that leads nowhere in the commit: no commit has an entry of this name, so nothing is ever there.
const NOWHERE: &str = ".git/not-in-the-repository";

/// What begins a file that Git LFS keeps elsewhere (its specification, version 1).
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// The most bytes of such a file.
const MAX_LFS: u64 = 1024;

/// A temporary folder that has files of a commit, each where the work tree would have it. It is gone when this is
/// dropped.
#[derive(Debug)]
pub struct Checkout {
    trees: Trees,
    commit: String,
    /// Where paths begin, from the root of the repository, without links.
    prefix: Vec<String>,
    /// Whether the commit has that folder.
    has_prefix: bool,
    folder: tempfile::TempDir,
    root: PathBuf,
    /// Paths from the root of the repository that are done.
    seen: HashSet<String>,
    /// Folders that were created.
    made: HashSet<PathBuf>,
    /// The first file of each content.
    written: HashMap<String, PathBuf>,
    bytes: u64,
    warnings: Vec<String>,
}

/// What is to be written: paths from the root of the repository.
#[derive(Default)]
struct Plan {
    /// Paths by the id of what they hold.
    files: BTreeMap<String, Vec<String>>,
    /// The ids, in the order in which they were found.
    ids: Vec<String>,
    /// Paths and targets.
    links: Vec<(String, String)>,
    /// What is still to be looked at.
    places: Vec<(Vec<String>, Entry)>,
}

impl Checkout {
    pub(super) fn new(base: &Base) -> Result<Self, Error> {
        let mut trees = Trees::new(base)?;
        let folder = tempfile::Builder::new().prefix("plimsoll-").tempdir();
        let folder = folder.map_err(|error| written(&trees, &std::env::temp_dir(), &error))?;
        let prefix = trees.find(&[], &base.prefix)?;
        let (prefix, has_prefix) = match prefix.place {
            Some((place, entry)) if entry.kind == Kind::Folder => (place, true),
            _ => (base.prefix.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect(), false),
        };
        let root = prefix.iter().fold(folder.path().to_path_buf(), |path, name| path.join(name));
        let mut checkout = Self {
            trees,
            commit: base.commit.clone(),
            prefix,
            has_prefix,
            made: HashSet::from([folder.path().to_path_buf()]),
            folder,
            root: root.clone(),
            seen: HashSet::new(),
            written: HashMap::new(),
            bytes: 0,
            warnings: Vec::new(),
        };
        checkout.make(&root)?;
        Ok(checkout)
    }

    /// What the folder that was opened is here: `root().join(path)` is what `path` was at the commit.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is not as it would be in a work tree, in a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Writes more files and folders: [`Base::checkout`].
    ///
    /// # Errors
    /// Those of [`Base::checkout`].
    pub fn add(&mut self, paths: &[PathBuf]) -> Result<(), Error> {
        let mut plan = Plan::default();
        for path in paths {
            let found = match self.names(path)? {
                Some(names) if self.has_prefix => self.trees.find(&self.prefix, &names)?,
                Some(names) => self.trees.find(&[], &names)?,
                None => return Err(self.trees.objects.error(ErrorKind::Outside(path.clone()))),
            };
            if found.is_outside && found.links.is_empty() {
                return Err(self.trees.objects.error(ErrorKind::Outside(path.clone())));
            }
            self.collect_links(found.links, &mut plan)?;
            plan.places.extend(found.place);
        }
        while let Some((path, entry)) = plan.places.pop() {
            self.collect(path, entry, &mut plan)?;
        }
        self.write(plan)
    }

    /// A path with slashes, from the folder that was opened, or from the root where the commit has not that folder;
    /// `None` for one outside of the repository.
    fn names(&self, path: &Path) -> Result<Option<String>, Error> {
        let mut names = if self.has_prefix { Vec::new() } else { self.prefix.clone() };
        for component in path.components() {
            match component {
                Component::Prefix(_) | Component::RootDir => return Ok(None),
                Component::CurDir => {}
                Component::ParentDir if self.has_prefix => names.push("..".into()),
                Component::ParentDir => {
                    if names.pop().is_none() {
                        return Ok(None);
                    }
                }
                Component::Normal(name) => match name.to_str() {
                    Some(name) => names.push(name.to_owned()),
                    None => return Err(self.trees.name("", name.as_encoded_bytes())),
                },
            }
        }
        Ok(Some(names.join("/")))
    }

    /// Plans a file, a link, or all that is in a folder.
    fn collect(&mut self, names: Vec<String>, entry: Entry, plan: &mut Plan) -> Result<(), Error> {
        if entry.kind == Kind::Link {
            return self.collect_links(vec![names], plan);
        }
        let path = names.join("/");
        if !self.see(&path)? {
            return Ok(());
        }
        match entry.kind {
            Kind::Submodule => return Err(self.trees.submodule(&path)),
            Kind::File | Kind::Link => {
                let paths = plan.files.entry(entry.id.clone()).or_default();
                if paths.is_empty() {
                    plan.ids.push(entry.id);
                }
                paths.push(path);
            }
            Kind::Folder => {
                for (name, entry) in self.trees.folder(&entry.id, &path)?.iter() {
                    let name = valid(name).ok_or_else(|| self.trees.name(&path, name))?;
                    plan.places.push((
                        names.iter().map(String::as_str).chain([name]).map(str::to_owned).collect(),
                        entry.clone(),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Plans links, and what they lead to.
    fn collect_links(&mut self, mut links: Vec<Vec<String>>, plan: &mut Plan) -> Result<(), Error> {
        while let Some(names) = links.pop() {
            let path = names.join("/");
            if !self.see(&path)? {
                continue;
            }
            let Some(entry) = self.trees.entry(&names)? else { continue };
            let target = self.trees.text(&entry)?;
            let parent = names.split_last().map_or(&[][..], |(_, parent)| parent);
            let found = if target.starts_with('/') { None } else { Some(self.trees.find(parent, &target)?) };
            // Only a way that exists is kept: what else is in the temporary folder's neighbourhood is nobody's business.
            let is_inside = found.as_ref().is_some_and(|found| found.place.is_some());
            plan.links.push((path, if is_inside { target } else { NOWHERE.to_owned() }));
            if let Some(found) = found {
                links.extend(found.links);
                plan.places.extend(found.place);
            }
        }
        Ok(())
    }

    /// Counts a path; whether it is a new one.
    fn see(&mut self, path: &str) -> Result<bool, Error> {
        if path.len() > MAX_PATH {
            return Err(self.too_large(format!("{MAX_PATH} bytes in a path")));
        }
        if !self.seen.insert(path.to_owned()) {
            return Ok(false);
        }
        if self.seen.len() > MAX_ENTRIES { Err(self.too_large(format!("{MAX_ENTRIES} files"))) } else { Ok(true) }
    }

    /// Writes what is planned: files first, so that none can be written through a link.
    fn write(&mut self, plan: Plan) -> Result<(), Error> {
        let root = self.folder.path().to_path_buf();
        for path in plan.files.values().flatten().chain(plan.links.iter().map(|(path, _)| path)) {
            self.make(root.join(path).parent().unwrap_or(&root))?;
        }
        self.write_contents(&plan)?;
        for (id, paths) in &plan.files {
            let Some(first) = self.written.get(id) else { continue };
            for path in paths.iter().map(|path| root.join(path)).filter(|path| path != first) {
                // A file has so many names only.
                fs::hard_link(first, &path)
                    .or_else(|_| copy_new(first, &path))
                    .map_err(|error| written(&self.trees, &path, &error))?;
            }
        }
        for (path, target) in &plan.links {
            let path = root.join(path);
            link(target, &path).map_err(|error| written(&self.trees, &path, &error))?;
        }
        Ok(())
    }

    /// Writes each content that is not there yet to the first of its paths.
    fn write_contents(&mut self, plan: &Plan) -> Result<(), Error> {
        let first = |id: &String| Some((id.clone(), plan.files.get(id)?.first()?));
        let new: Vec<(String, &String)> =
            plan.ids.iter().filter(|id| !self.written.contains_key(*id)).filter_map(first).collect();
        let ids: Vec<String> = new.iter().map(|(id, _)| id.clone()).collect();
        let root = self.folder.path();
        let (mut bytes, mut pointers, mut failed) = (self.bytes, Vec::new(), None);
        self.trees.objects.read("blob", &ids, |index, size, content| {
            bytes = bytes.saturating_add(size);
            let Some((id, name)) = new.get(index).filter(|_| failed.is_none() && bytes <= MAX_BYTES) else {
                return Ok(());
            };
            let path = root.join(name);
            match write_file(&path, size, content) {
                Ok(is_pointer) => pointers.extend(is_pointer.then_some(name.as_str())),
                Err(error) => failed = Some((path.clone(), error)),
            }
            self.written.insert(id.clone(), path);
            Ok(())
        })?;
        if bytes > MAX_BYTES {
            return Err(self.too_large(format!("{} MiB", MAX_BYTES >> 20)));
        }
        if let Some((path, error)) = failed {
            return Err(written(&self.trees, &path, &error));
        }
        self.bytes = bytes;
        pointers.sort_unstable();
        self.warnings.extend(pointers.into_iter().map(|path| {
            format!("{path} is a pointer of Git LFS at {}: what it points to is not compared", self.commit)
        }));
        Ok(())
    }

    /// Creates a folder and those around it. What is there already and was not created here is another name for
    /// something else, where the file system does not tell letters apart.
    fn make(&mut self, folder: &Path) -> Result<(), Error> {
        let mut missing: Vec<&Path> = folder.ancestors().take_while(|folder| !self.made.contains(*folder)).collect();
        while let Some(folder) = missing.pop() {
            fs::create_dir(folder).map_err(|error| written(&self.trees, folder, &error))?;
            self.made.insert(folder.to_path_buf());
        }
        Ok(())
    }

    fn too_large(&self, limit: String) -> Error {
        self.trees.objects.error(ErrorKind::TooLarge { commit: self.commit.clone(), limit })
    }
}

/// A name that a work tree can have.
fn valid(name: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(name).ok()?;
    let is_special = matches!(name, "" | "." | "..") || name.eq_ignore_ascii_case(".git");
    let is_path = name.contains('/') || cfg!(windows) && name.contains('\\');
    (!is_special && !is_path).then_some(name)
}

/// Writes a new file, and says whether it is a pointer of Git LFS.
fn write_file(path: &Path, size: u64, content: &mut dyn Read) -> io::Result<bool> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut head = Vec::new();
    content.take(MAX_LFS).read_to_end(&mut head)?;
    file.write_all(&head)?;
    io::copy(content, &mut file)?;
    Ok(size < MAX_LFS && head.starts_with(LFS))
}

fn copy_new(from: &Path, to: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(to)?;
    io::copy(&mut fs::File::open(from)?, &mut file).map(drop)
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// What git itself writes where links cannot be.
#[cfg(not(unix))]
fn link(target: &str, path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(target.as_bytes())
}

fn written(trees: &Trees, path: &Path, error: &io::Error) -> Error {
    trees.objects.error(ErrorKind::Write { path: path.to_path_buf(), reason: error.to_string() })
}
