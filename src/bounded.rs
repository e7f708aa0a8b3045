//! Files of which only so much is read: what they hold may be hostile.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The bytes that an input is given room for before its length is known.
const FIRST_READ: usize = 8 << 10;

/// Reads a file of no more than `limit` bytes.
///
/// # Errors
/// The system's, and one that says `larger than 1 MiB`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_all(&mut File::open(path)?, limit)
}

/// Reads a file of text in UTF-8.
///
/// # Errors
/// As [`read`], and one that says `not UTF-8 text`.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?).map_err(|_| io::Error::other("not UTF-8 text"))
}

/// Reads all of an input.
///
/// # Errors
/// As [`read`].
pub fn read_all(input: &mut dyn Read, limit: u64) -> io::Result<Vec<u8>> {
    // Most inputs fit: an empty one would grow read by read.
    let mut bytes = Vec::with_capacity(FIRST_READ);
    if input.take(limit + 1).read_to_end(&mut bytes)? as u64 > limit {
        return Err(io::Error::other(format!("larger than {} MiB", limit >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_or_no_text_is_an_error() {
        let text = |bytes: &[u8]| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            read_text(file.path(), 1 << 20).map(|text| text.len()).map_err(|error| error.to_string())
        };
        assert_eq!(text(&vec![b'a'; 1 << 20]), Ok(1 << 20));
        assert_eq!(text(&vec![b'a'; (1 << 20) + 1]), Err("larger than 1 MiB".into()));
        assert_eq!(text(b"\xff"), Err("not UTF-8 text".into()));
    }
}
