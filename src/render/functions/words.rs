//! Words: case styles, wrapping, abbreviating.

use super::args::Args;
use super::runes::{self, is_letter, is_number, is_punct, is_space, is_upper, to_lower, to_upper};
use super::strings::text;
use super::{Failure, Host, MAX_RESULT, Row, Type};
use crate::render::any::{Any, Text};

pub(super) const ROWS: &[Row] = &[
    Row::new("snakecase", &[Type::String], |_, args| text(lower_words(args.text(0)?.as_bytes(), b'_'))),
    Row::new("kebabcase", &[Type::String], |_, args| text(lower_words(args.text(0)?.as_bytes(), b'-'))),
    Row::new("camelcase", &[Type::String], camelcase),
    Row::new("initials", &[Type::String], initials),
    Row::new("wrap", &[Type::Int, Type::String], |host, args| wrap(host, args.int(0)?, args.text(1)?, b"\n", false)),
    Row::new("wrapWith", &[Type::Int, Type::String, Type::String], |host, args| {
        let separator = args.text(1)?.as_bytes();
        wrap(host, args.int(0)?, args.text(2)?, if separator.is_empty() { b"\n" } else { separator }, true)
    }),
    Row::new("abbrev", &[Type::Int, Type::String], |_, args| match args.int(0)? {
        ..=3 => Ok(Any::String(args.text(1)?.clone())),
        width => text(abbreviate(args.text(1)?.as_bytes(), 0, width)),
    }),
    Row::new("abbrevboth", &[Type::Int, Type::Int, Type::String], |_, args| {
        let (left, right, whole) = (args.int(0)?, args.int(1)?, args.text(2)?);
        if right < 4 || left > 0 && right < 7 {
            return Ok(Any::String(whole.clone()));
        }
        text(abbreviate(whole.as_bytes(), left, right))
    }),
];

/// goutils' `Initials`, which takes every byte for a character.
fn initials(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut gap = true;
    let mut out = String::new();
    for c in args.text(0)?.as_bytes().iter().map(|&b| char::from(b)) {
        if is_space(c) {
            gap = true;
        } else if std::mem::take(&mut gap) {
            out.push(c);
        }
    }
    text(out)
}

/// goutils' `AbbreviateFull`: bytes, `offset` the left edge, `width` at least 4 (7 with an offset).
fn abbreviate(bytes: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let length = bytes.len() as i64;
    if length <= width {
        return bytes.to_vec();
    }
    // From here the width is below the length of a text in memory.
    let room = width - 3;
    let offset = offset.min(length).min(length - room);
    if offset <= 4 {
        return [&bytes[..room as usize], b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    let rest = if offset + room < length {
        abbreviate(&bytes[offset as usize..], 0, room)
    } else {
        bytes[(length - room) as usize..].to_vec()
    };
    [b"...", &*rest].concat()
}

/// goutils' `WrapCustom`: bytes, only spaces part words.
fn wrap(host: &mut dyn Host, width: i64, whole: &Text, newline: &[u8], long_words: bool) -> Result<Any, Failure> {
    let bytes = whole.as_bytes();
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let mut out = Vec::new();
    let mut offset = 0;
    let mut line = |part: &[u8]| {
        out.extend_from_slice(part);
        out.extend_from_slice(newline);
        if out.len() > MAX_RESULT { host.allocate(out.len()) } else { Ok(()) }
    };
    while bytes.len() - offset > width {
        if bytes[offset] == b' ' {
            offset += 1;
            continue;
        }
        let edge = offset + width;
        if let Some(space) = memchr::memrchr(b' ', &bytes[offset..=edge]) {
            line(&bytes[offset..offset + space])?;
            offset += space + 1;
        } else if long_words {
            line(&bytes[offset..edge])?;
            offset = edge;
        } else if let Some(space) = memchr::memchr(b' ', &bytes[edge..]) {
            line(&bytes[offset..edge + space])?;
            offset = edge + space + 1;
        } else {
            break;
        }
    }
    out.extend_from_slice(&bytes[offset..]);
    host.allocate(out.len())?;
    text(out)
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || is_space(c)
}

/// xstrings' `ToPascalCase`
fn camelcase(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut rest = runes::runes(args.text(0)?.as_bytes()).map(|(c, _)| c);
    let mut out = String::new();
    let mut current = None;
    let mut lowering = false;
    for c in rest.by_ref() {
        if !is_connector(c) {
            lowering = is_upper(c);
            current = Some(to_upper(c));
            break;
        }
        out.push(c);
    }
    // Connectors only: xstrings writes the last of them twice.
    let Some(mut current) = current else {
        out.extend(out.chars().next_back());
        return text(out);
    };
    for c in rest {
        let previous = std::mem::replace(&mut current, c);
        if is_connector(c) && is_connector(previous) {
            out.push(previous);
        } else if is_connector(previous) {
            lowering = is_upper(c);
            current = to_upper(c);
        } else {
            if lowering {
                lowering = is_upper(c);
                current = if lowering { to_lower(c) } else { c };
            }
            out.push(previous);
        }
    }
    out.push(current);
    text(out)
}

/// What xstrings takes a stretch of text for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// xstrings' `ToSnakeCase` and `ToKebabCase`, its rules for numbers included.
fn lower_words(bytes: &[u8], connector: u8) -> Vec<u8> {
    let mut out = Vec::new();
    if bytes.is_empty() {
        return out;
    }
    let (mut kind, mut word, mut rest) = next_word(bytes);
    while !rest.is_empty() {
        if kind != Word::Connector {
            push_lower(&mut out, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match previous {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::Invalid | Word::Punctuation | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind == Word::Alphabet {
                    out.push(connector);
                    push_lower(&mut out, Word::Number, number, connector);
                    while matches!(kind, Word::Alphabet | Word::Number) {
                        push_lower(&mut out, kind, word, connector);
                        (kind, word, rest) = next_word(rest);
                    }
                    if !matches!(kind, Word::Invalid | Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                } else {
                    push_lower(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    push_lower(&mut out, kind, word, connector);
    out
}

fn push_lower(out: &mut Vec<u8>, kind: Word, word: &[u8], connector: u8) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.extend_from_slice(word);
        return;
    }
    let lower = |c: char| if is_upper(c) { to_lower(c) } else { c };
    for (c, _) in runes::runes(word) {
        let c = if is_connector(c) { char::from(connector) } else { lower(c) };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Letters but those of the Han script.
fn is_alphabet(c: char) -> bool {
    is_letter(c) && !matches!(c as u32, 0x3400..=0x4d85 | 0x4e00..=0x9fcc | 0x2_0000..=0x2_b81d)
}

fn next_word(bytes: &[u8]) -> (Word, &[u8], &[u8]) {
    let (first, width) = next_valid(bytes, char::REPLACEMENT_CHARACTER);
    if first == char::REPLACEMENT_CHARACTER {
        return (Word::Invalid, &bytes[..width], &bytes[width..]);
    }
    // The end of the stretch of characters that belong, and the width of the last one in it.
    let extend = |from: usize, belongs: &dyn Fn(char) -> bool| {
        let (mut end, mut last) = (from, 0);
        while end < bytes.len() {
            let (c, width) = next_valid(&bytes[end..], first);
            if !belongs(c) {
                break;
            }
            end += width;
            last = width;
        }
        (end, last)
    };
    let (kind, end) = if is_connector(first) {
        (Word::Connector, extend(width, &is_connector).0)
    } else if is_punct(first) {
        (Word::Punctuation, extend(width, &is_punct).0)
    } else if is_upper(first) {
        let (upper, last) = extend(width, &is_upper);
        let next = (upper < bytes.len()).then(|| next_valid(&bytes[upper..], first).0);
        let end = match next {
            // `HTTPServer`: the last capital starts the next word.
            Some(c) if last > 0 && is_alphabet(c) => upper - last,
            Some(c) if last == 0 && is_alphabet(c) => extend(width, &|c| is_alphabet(c) && !is_upper(c)).0,
            _ => upper,
        };
        (Word::Upper, end)
    } else if is_alphabet(first) {
        (Word::Alphabet, extend(width, &|c| is_alphabet(c) && !is_upper(c)).0)
    } else if is_number(first) {
        (Word::Number, extend(width, &is_number).0)
    } else {
        let other = |c: char| !(is_connector(c) || is_alphabet(c) || is_number(c) || is_punct(c));
        (Word::Other, extend(width, &other).0)
    };
    (kind, &bytes[..end], &bytes[end..])
}

/// The next valid character and the bytes up to its end; `previous` where there is none.
fn next_valid(bytes: &[u8], previous: char) -> (char, usize) {
    let mut size = 0;
    for (c, width) in runes::runes(bytes) {
        size += width;
        if c != char::REPLACEMENT_CHARACTER {
            return (c, size);
        }
    }
    (previous, size)
}
