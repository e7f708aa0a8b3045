//! Slash-separated paths: `path`, and `path/filepath` as on Linux, which is where charts are rendered.

use super::args::Args;
use super::strings::text;
use super::{Row, Type};
use crate::render::any::Any;

pub(super) const ROWS: &[Row] = &[
    Row::new("base", &[Type::String], |_, args| text(base(args.text(0)?.as_bytes()))),
    Row::new("osBase", &[Type::String], |_, args| text(base(args.text(0)?.as_bytes()))),
    Row::new("dir", &[Type::String], |_, args| text(dir(args.text(0)?.as_bytes()))),
    Row::new("osDir", &[Type::String], |_, args| text(dir(args.text(0)?.as_bytes()))),
    Row::new("clean", &[Type::String], |_, args| text(clean(args.text(0)?.as_bytes()))),
    Row::new("osClean", &[Type::String], |_, args| text(clean(args.text(0)?.as_bytes()))),
    Row::new("ext", &[Type::String], |_, args| text(ext(args.text(0)?.as_bytes()))),
    Row::new("osExt", &[Type::String], |_, args| text(ext(args.text(0)?.as_bytes()))),
    Row::new("isAbs", &[Type::String], |_, args| Ok(Any::Bool(args.text(0)?.as_bytes().starts_with(b"/")))),
    Row::new("osIsAbs", &[Type::String], |_, args| Ok(Any::Bool(args.text(0)?.as_bytes().starts_with(b"/")))),
];

/// The last element, without trailing slashes.
fn base(path: &[u8]) -> &[u8] {
    let Some(last) = path.iter().rposition(|&b| b != b'/') else {
        return if path.is_empty() { b"." } else { b"/" };
    };
    let path = &path[..=last];
    &path[after_slash(path)..]
}

/// All but the last element, cleaned.
fn dir(path: &[u8]) -> Vec<u8> {
    clean(&path[..after_slash(path)])
}

/// The last element's suffix from its last dot.
fn ext(path: &[u8]) -> &[u8] {
    let name = &path[after_slash(path)..];
    name.iter().rposition(|&b| b == b'.').map_or(b"", |dot| &name[dot..])
}

fn after_slash(path: &[u8]) -> usize {
    path.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1)
}

/// The shortest path that means the same, by its text alone.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|&b| b == b'/') {
        match element {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if rooted => {}
            _ => kept.push(element),
        }
    }
    let joined = kept.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &*joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_as_in_go() {
        for (path, cleaned) in
            [("", "."), ("a//b/../c/.", "a/c"), ("/../a", "/a"), ("../../a", "../../a"), ("a/..", "."), ("/", "/")]
        {
            assert_eq!(clean(path.as_bytes()), cleaned.as_bytes(), "{path}");
        }
        assert_eq!(base(b"a/b//"), b"b");
        assert_eq!(base(b"//"), b"/");
        assert_eq!(dir(b"/a/b/"), b"/a/b");
        assert_eq!(dir(b"a"), b".");
        assert_eq!(ext(b"a.d/b"), b"");
        assert_eq!(ext(b".bashrc"), b".bashrc");
    }
}
