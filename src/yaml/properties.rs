//! Directives, tags and anchors of a YAML text.

use super::cursor::Cursor;
use super::error::Error;
use super::scanner::Token;

impl<'t> Cursor<'t> {
    /// Reads a directive and the rest of its line.
    pub fn directive(&mut self) -> Result<Token<'t>, Error> {
        self.bump();
        let name = self.name();
        if name.is_empty() {
            return Err(self.error("could not find expected directive name"));
        }
        if !self.is_blankz(0) {
            return Err(self.error("found unexpected non-alphabetical character"));
        }
        let token = match name {
            "YAML" => {
                self.blanks();
                let major = self.version_number()?;
                if self.peek(0) != b'.' {
                    return Err(self.error("did not find expected digit or '.' character"));
                }
                self.bump();
                Token::VersionDirective(major, self.version_number()?)
            }
            "TAG" => {
                self.blanks();
                let handle = self.tag_handle(true)?;
                if !self.is_blank(0) {
                    return Err(self.error("did not find expected whitespace"));
                }
                self.blanks();
                let prefix = self.tag_uri("")?;
                if !self.is_blankz(0) {
                    return Err(self.error("did not find expected whitespace or line break"));
                }
                Token::TagDirective { handle, prefix }
            }
            _ => return Err(self.error("found unknown directive name")),
        };
        self.bump_comment();
        if !self.is_breakz(0) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.bump_break();
        Ok(token)
    }

    /// Reads an anchor or alias.
    pub fn anchor(&mut self) -> Result<&'t str, Error> {
        self.bump();
        let name = self.name();
        if name.is_empty() || !self.is_blankz(0) && !b"?:,]}%@`".contains(&self.peek(0)) {
            return Err(self.error("did not find expected alphabetic or numeric character"));
        }
        Ok(name)
    }

    /// Reads a tag: its handle, empty for `!<…>`, and what follows it.
    pub fn tag(&mut self) -> Result<Token<'t>, Error> {
        let (handle, suffix) = if self.peek(1) == b'<' {
            self.bump_by(2);
            let uri = self.tag_uri("")?;
            if self.peek(0) != b'>' {
                return Err(self.error("did not find the expected '>'"));
            }
            self.bump();
            ("", uri)
        } else {
            let handle = self.tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.tag_uri("")?)
            } else {
                match self.tag_uri(handle)? {
                    // `!` alone
                    suffix if suffix.is_empty() => ("", handle.into()),
                    suffix => ("!", suffix),
                }
            }
        };
        if !self.is_blankz(0) {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        Ok(Token::Tag { handle, suffix })
    }

    fn blanks(&mut self) {
        self.bump_while(|_, byte| matches!(byte, b' ' | b'\t'));
    }

    fn name(&mut self) -> &'t str {
        self.bump_while(|cursor, _| cursor.is_alpha(0))
    }

    fn version_number(&mut self) -> Result<u8, Error> {
        let mut number = 0;
        let mut length = 0;
        while self.peek(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return Err(self.error("found extremely long version number"));
            }
            number = number * 10 + (self.peek(0) - b'0');
            self.bump();
        }
        if length == 0 {
            return Err(self.error("did not find expected version number"));
        }
        Ok(number)
    }

    fn tag_handle(&mut self, directive: bool) -> Result<&'t str, Error> {
        let start = self.mark.at;
        if self.peek(0) != b'!' {
            return Err(self.error("did not find expected '!'"));
        }
        self.bump();
        let name = self.name();
        if self.peek(0) == b'!' {
            self.bump();
        } else if directive && !name.is_empty() {
            return Err(self.error("did not find expected '!'"));
        }
        Ok(self.slice(start, self.mark.at))
    }

    /// Reads a tag's URI; `head` is what was taken for a handle before.
    fn tag_uri(&mut self, head: &str) -> Result<Box<str>, Error> {
        let start = self.mark.at;
        let mut uri: Vec<u8> = head.bytes().skip(1).collect();
        loop {
            match self.peek(0) {
                b'%' => self.uri_escape(&mut uri)?,
                byte if self.is_alpha(0) || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(byte);
                    self.bump();
                }
                _ => break,
            }
        }
        if head.is_empty() && self.mark.at == start {
            return Err(self.error("did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into())
    }

    /// Reads the escaped bytes of one character.
    fn uri_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), Error> {
        let mut left = None;
        while left != Some(0) {
            let digit = |ahead| char::from(self.peek(ahead)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.peek(0), digit(1), digit(2)) else {
                return Err(self.error("did not find URI escaped octet"));
            };
            let octet = (high << 4 | low) as u8;
            let width = match octet {
                ..0x80 => 1,
                0xc0..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0..0xf8 => 4,
                _ => 0,
            };
            left = match left {
                None if width == 0 => return Err(self.error("found an incorrect leading UTF-8 octet")),
                None => Some(width - 1),
                Some(_) if octet & 0xc0 != 0x80 => {
                    return Err(self.error("found an incorrect trailing UTF-8 octet"));
                }
                Some(left) => Some(left - 1),
            };
            uri.push(octet);
            self.bump_by(3);
        }
        Ok(())
    }
}
