//! Go's regular expressions (RE2) in the words of the crate `regex`: parsed by Go's rules, refused in Go's words, and
//! written anew, since the same text can mean something else there (`\d`, `[a&&b]`, `\<`).

use std::fmt::Write;

/// The largest count of a repetition, and of nested ones multiplied.
const MAX_REPEAT: u64 = 1_000;

/// How deep groups may nest.
const MAX_NESTING: usize = 250;

/// A translated expression.
pub struct Translated {
    /// For the crate `regex`
    pub pattern: String,
    /// The names of the groups, from the whole match on; empty where a group has none
    pub names: Vec<String>,
}

/// Why an expression is refused: Go's reason, and the part of the expression.
type Refused = (&'static str, String);

/// Translates an expression.
///
/// # Errors
/// The message of `regexp/syntax.Error`.
pub fn translate(expression: &[u8]) -> Result<Translated, String> {
    let refused = |(reason, part): Refused| format!("error parsing regexp: {reason}: `{part}`");
    let Ok(text) = std::str::from_utf8(expression) else {
        return Err(refused(("invalid UTF-8", String::from_utf8_lossy(expression).into_owned())));
    };
    let mut parser = Parser::new(text);
    parser.parse().map_err(refused)?;
    Ok(Translated { pattern: parser.out, names: parser.names })
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// What is to be restored when a group ends.
struct Group {
    flags: Flags,
    written: Flags,
    weight: u64,
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
    out: String,
    names: Vec<String>,
    groups: Vec<Group>,
    flags: Flags,
    /// The flags that the written expression has at its end
    written: Flags,
    /// Whether there is something that an operator can repeat
    operand: bool,
    /// How often the last operand is repeated at most, counting repetitions inside it
    weight: u64,
    /// The largest weight since the group began
    heaviest: u64,
}

impl<'a> Parser<'a> {
    fn new(whole: &'a str) -> Self {
        Self {
            whole,
            rest: whole,
            out: String::new(),
            names: vec![String::new()],
            groups: Vec::new(),
            flags: Flags::default(),
            written: Flags::default(),
            operand: false,
            weight: 1,
            heaviest: 1,
        }
    }

    fn parse(&mut self) -> Result<(), Refused> {
        let mut last_repeat = None;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeat = None;
            match c {
                '(' if self.rest.starts_with("(?") => self.perl_group()?,
                '(' => {
                    self.names.push(String::new());
                    self.rest = &self.rest[1..];
                    self.open("(")?;
                }
                ')' => self.close()?,
                '|' => {
                    self.out.push('|');
                    self.rest = &self.rest[1..];
                    self.operand = false;
                }
                '^' | '$' | '.' => self.element(1, |out| out.push(c)),
                '[' => {
                    let (class, rest) = Class::parse(self.rest)?;
                    let length = self.rest.len() - rest.len();
                    self.element(length, |out| class.write(out));
                }
                '*' | '+' | '?' => {
                    self.rest = &self.rest[1..];
                    let most = if c == '?' { 1 } else { 0 };
                    self.repeat(before, last_repeat, &c.to_string(), most)?;
                    repeat = Some(before);
                }
                '{' => match counts(self.rest)? {
                    Some((least, most, rest)) => {
                        self.rest = rest;
                        let written = match most {
                            None => format!("{{{least},}}"),
                            Some(most) => format!("{{{least},{most}}}"),
                        };
                        self.repeat(before, last_repeat, &written, most.unwrap_or(least))?;
                        repeat = Some(before);
                    }
                    None => self.literal('{', 1),
                },
                '\\' => self.escape()?,
                _ => self.literal(c, c.len_utf8()),
            }
            last_repeat = repeat;
        }
        if self.groups.is_empty() { Ok(()) } else { Err(("missing closing )", self.whole.into())) }
    }

    /// Something that can be repeated, written under the flags that hold here.
    fn element(&mut self, length: usize, write: impl FnOnce(&mut String)) {
        self.write_flags();
        write(&mut self.out);
        self.rest = &self.rest[length..];
        self.operand = true;
        self.weight = 1;
    }

    fn literal(&mut self, c: char, length: usize) {
        self.element(length, |out| push_char(out, c));
    }

    /// Writes a change of flags only before what it holds for, so that an operator after `(?i)` stays at its operand.
    fn write_flags(&mut self) {
        let flags = |flags: Flags| {
            [(flags.fold_case, 'i'), (flags.multi_line, 'm'), (flags.dot_newline, 's'), (flags.swap_greed, 'U')]
        };
        if self.flags == self.written {
            return;
        }
        let on: String = flags(self.flags).iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect();
        let off: String = flags(self.flags).iter().filter(|(set, _)| !*set).map(|(_, flag)| flag).collect();
        let minus = if off.is_empty() { "" } else { "-" };
        let _ = write!(self.out, "(?{on}{minus}{off})");
        self.written = self.flags;
    }

    fn open(&mut self, with: &str) -> Result<(), Refused> {
        if self.groups.len() >= MAX_NESTING {
            return Err(("expression nests too deeply", self.whole.into()));
        }
        self.write_flags();
        self.out.push_str(with);
        self.groups.push(Group { flags: self.flags, written: self.written, weight: self.heaviest });
        self.operand = false;
        self.heaviest = 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refused> {
        let Some(group) = self.groups.pop() else {
            return Err(("unexpected )", self.whole.into()));
        };
        self.out.push(')');
        self.rest = &self.rest[1..];
        (self.flags, self.written) = (group.flags, group.written);
        self.operand = true;
        self.weight = self.heaviest;
        self.heaviest = self.heaviest.max(group.weight);
        Ok(())
    }

    fn repeat(&mut self, before: &'a str, last: Option<&'a str>, operator: &str, most: u64) -> Result<(), Refused> {
        let lazy = self.rest.starts_with('?');
        if lazy {
            self.rest = &self.rest[1..];
        }
        let upto = |from: &str| from[..from.len() - self.rest.len()].to_owned();
        if let Some(last) = last {
            return Err(("invalid nested repetition operator", upto(last)));
        }
        if !self.operand {
            return Err(("missing argument to repetition operator", upto(before)));
        }
        self.weight = if most == 0 && operator.starts_with('{') { 1 } else { self.weight.saturating_mul(most.max(1)) };
        if self.weight > MAX_REPEAT && most >= 2 {
            return Err(("invalid repeat count", upto(before)));
        }
        self.heaviest = self.heaviest.max(self.weight);
        self.out.push_str(operator);
        if lazy {
            self.out.push('?');
        }
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` and `(?flags:`.
    fn perl_group(&mut self) -> Result<(), Refused> {
        let start = self.rest;
        let named = ["(?P<", "(?<"].iter().find_map(|prefix| start.strip_prefix(prefix));
        if let Some(after) = named.filter(|after| !after.is_empty()) {
            let Some(end) = after.find('>') else {
                return Err(("invalid named capture", start.into()));
            };
            let name = &after[..end];
            let rest = &after[end + 1..];
            let capture = &start[..start.len() - rest.len()];
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(("invalid named capture", capture.into()));
            }
            self.names.push(name.into());
            self.rest = rest;
            return self.open("(");
        }
        let mut flags = self.flags;
        let (mut set, mut seen) = (true, false);
        let mut rest = &start[2..];
        let refused = |rest: &str| ("invalid or unsupported Perl syntax", start[..start.len() - rest.len()].to_owned());
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                'i' => flags.fold_case = set,
                'm' => flags.multi_line = set,
                's' => flags.dot_newline = set,
                'U' => flags.swap_greed = set,
                '-' if set => {
                    (set, seen) = (false, false);
                    continue;
                }
                ':' | ')' if set || seen => {
                    self.rest = rest;
                    if c == ':' {
                        self.open("(?:")?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => return Err(refused(rest)),
            }
            seen = true;
        }
        Err(refused(rest))
    }

    fn escape(&mut self) -> Result<(), Refused> {
        match self.rest.as_bytes().get(1) {
            Some(b'A') => self.element(2, |out| out.push_str("\\A")),
            Some(b'z') => self.element(2, |out| out.push_str("\\z")),
            Some(b'b') => self.element(2, |out| out.push_str("(?-u:\\b)")),
            Some(b'B') => self.element(2, |out| out.push_str("(?-u:\\B)")),
            Some(b'Q') => {
                let (quoted, rest) = self.rest[2..].split_once("\\E").unwrap_or((&self.rest[2..], ""));
                for c in quoted.chars() {
                    self.literal(c, 0);
                }
                self.rest = rest;
            }
            _ => {
                let mut class = Class::default();
                if let Some(rest) = class.escape(self.rest)? {
                    let length = self.rest.len() - rest.len();
                    self.element(length, |out| class.write(out));
                } else {
                    let (c, rest) = escaped(self.rest)?;
                    class.range(c, c);
                    let length = self.rest.len() - rest.len();
                    self.element(length, |out| class.write(out));
                }
            }
        }
        Ok(())
    }
}

/// The least and the most times of a repetition, and what follows it.
type Counts<'t> = (u64, Option<u64>, &'t str);

/// `{n}`, `{n,}` or `{n,m}`; `None` where it is text.
fn counts(text: &str) -> Result<Option<Counts<'_>>, Refused> {
    let Some((least, rest)) = number(&text[1..]) else { return Ok(None) };
    let (most, rest) = match rest.strip_prefix(',') {
        None => (Some(least), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => match number(rest) {
            Some((most, rest)) => (Some(most), rest),
            None => return Ok(None),
        },
    };
    let Some(rest) = rest.strip_prefix('}') else { return Ok(None) };
    if least > MAX_REPEAT || most.is_some_and(|most| most > MAX_REPEAT || most < least) {
        return Err(("invalid repeat count", text[..text.len() - rest.len()].into()));
    }
    Ok(Some((least, most, rest)))
}

/// Digits without a leading zero.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let digits = &text[..end];
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().unwrap_or(u64::MAX), &text[end..]))
}

/// A class of characters, as the items between the brackets of the crate `regex`.
#[derive(Default)]
struct Class {
    negated: bool,
    items: String,
}

impl Class {
    /// A class in brackets; also returns what follows it.
    fn parse(whole: &str) -> Result<(Self, &str), Refused> {
        let mut class = Self::default();
        let mut rest = &whole[1..];
        if let Some(after) = rest.strip_prefix('^') {
            (class.negated, rest) = (true, after);
        }
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            if let Some(after) = class.named(rest)? {
                rest = after;
                continue;
            }
            if let Some(after) = class.escape(rest)? {
                rest = after;
                continue;
            }
            let range = rest;
            let low;
            (low, rest) = Self::character(rest, whole)?;
            let mut high = low;
            if let Some(after) = rest.strip_prefix('-')
                && !after.is_empty()
                && !after.starts_with(']')
            {
                (high, rest) = Self::character(after, whole)?;
                if high < low {
                    return Err(("invalid character class range", range[..range.len() - rest.len()].into()));
                }
            }
            class.range(low, high);
        }
        Ok((class, &rest[1..]))
    }

    fn character<'t>(text: &'t str, whole: &str) -> Result<(u32, &'t str), Refused> {
        match text.chars().next() {
            None => Err(("missing closing ]", whole.into())),
            Some('\\') => escaped(text),
            Some(c) => Ok((c as u32, &text[c.len_utf8()..])),
        }
    }

    /// `[:alpha:]`
    fn named<'t>(&mut self, text: &'t str) -> Result<Option<&'t str>, Refused> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "word", "xdigit",
        ];
        let Some(inside) = text.strip_prefix("[:") else { return Ok(None) };
        let Some(end) = inside.find(":]") else { return Ok(None) };
        let name = &inside[..end];
        let length = end + 4;
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(("invalid character class range", text[..length].into()));
        }
        self.items.push_str(&text[..length]);
        Ok(Some(&text[length..]))
    }

    /// `\d`, `\pL` and the like, which are ASCII's but for the last.
    fn escape<'t>(&mut self, text: &'t str) -> Result<Option<&'t str>, Refused> {
        if !text.starts_with('\\') {
            return Ok(None);
        }
        let items = match text.as_bytes().get(1) {
            Some(b'd') => "0-9",
            Some(b'D') => "[^0-9]",
            Some(b's') => "\\t\\n\\x0C\\r ",
            Some(b'S') => "[^\\t\\n\\x0C\\r ]",
            Some(b'w') => "0-9A-Za-z_",
            Some(b'W') => "[^0-9A-Za-z_]",
            Some(b'p' | b'P') => return self.unicode(text).map(Some),
            _ => return Ok(None),
        };
        self.items.push_str(items);
        Ok(Some(&text[2..]))
    }

    fn unicode<'t>(&mut self, text: &'t str) -> Result<&'t str, Refused> {
        let negated = text.as_bytes()[1] == b'P';
        let Some(first) = text[2..].chars().next() else {
            return Err(("invalid character class range", text.into()));
        };
        let (name, rest) = if first == '{' {
            let Some(end) = text.find('}') else {
                return Err(("invalid character class range", text.into()));
            };
            (&text[3..end], &text[end + 1..])
        } else {
            text[2..].split_at(first.len_utf8())
        };
        let (name, flipped) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let known = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b' ' | b'-'))
            && regex::Regex::new(&format!("\\p{{{name}}}")).is_ok();
        if !known {
            return Err(("invalid character class range", text[..text.len() - rest.len()].into()));
        }
        let letter = if negated != flipped { 'P' } else { 'p' };
        let _ = write!(self.items, "\\{letter}{{{name}}}");
        Ok(rest)
    }

    /// Surrogates are left out: no text has any.
    fn range(&mut self, low: u32, high: u32) {
        for (low, high) in [(low, high.min(0xd7ff)), (low.max(0xe000), high)] {
            if low <= high && !(0xd800..0xe000).contains(&low) {
                let _ = write!(self.items, "\\x{{{low:X}}}-\\x{{{high:X}}}");
            }
        }
    }

    fn write(&self, out: &mut String) {
        if self.items.is_empty() {
            // Nothing but surrogates.
            out.push_str(if self.negated { "[\\x{0}-\\x{10FFFF}]" } else { "[a&&b]" });
            return;
        }
        let _ = write!(out, "[{}{}]", if self.negated { "^" } else { "" }, self.items);
    }
}

fn push_char(out: &mut String, c: char) {
    if c.is_alphanumeric() || c == ' ' {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{{{:X}}}", c as u32);
    }
}

/// A character written with a backslash; also returns what follows it.
fn escaped(text: &str) -> Result<(u32, &str), Refused> {
    let mut chars = text[1..].chars();
    let Some(c) = chars.next() else {
        return Err(("trailing backslash at end of expression", String::new()));
    };
    let refused = |rest: &str| Err(("invalid escape sequence", text[..text.len() - rest.len()].to_owned()));
    let octal = |rest: &str| rest.bytes().next().filter(|b| (b'0'..=b'7').contains(b)).map(|b| u32::from(b - b'0'));
    let rest = chars.as_str();
    let code = match c {
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        '0'..='7' if c == '0' || octal(rest).is_some() => {
            let (mut code, mut rest) = (c as u32 - '0' as u32, rest);
            for _ in 0..2 {
                let Some(digit) = octal(rest) else { break };
                code = code * 8 + digit;
                rest = &rest[1..];
            }
            return Ok((code, rest));
        }
        'x' => match chars.next() {
            None => return refused(""),
            Some('{') => {
                let (mut code, mut digits) = (0_u32, 0);
                loop {
                    match chars.next() {
                        Some('}') if digits > 0 => return Ok((code, chars.as_str())),
                        Some(c) if c.is_ascii_hexdigit() => {
                            code = code * 16 + c.to_digit(16).unwrap_or(0);
                            digits += 1;
                            if code > 0x10_ffff {
                                return refused(chars.as_str());
                            }
                        }
                        _ => return refused(chars.as_str()),
                    }
                }
            }
            Some(high) => {
                let low = chars.next().and_then(|c| c.to_digit(16));
                return match high.to_digit(16).zip(low) {
                    Some((high, low)) => Ok((high * 16 + low, chars.as_str())),
                    None => refused(chars.as_str()),
                };
            }
        },
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => c as u32,
        _ => return refused(rest),
    };
    Ok((code, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_go_s() {
        for (expression, message) in [
            ("[", "missing closing ]: `[`"),
            ("a(", "missing closing ): `a(`"),
            ("a)", "unexpected ): `a)`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("(a{100}){100}", "invalid repeat count: `{100}`"),
            ("a\\", "trailing backslash at end of expression: ``"),
            ("\\Z", "invalid escape sequence: `\\Z`"),
            ("\\1", "invalid escape sequence: `\\1`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?P<n", "invalid named capture: `(?P<n`"),
            ("[b-a]", "invalid character class range: `b-a`"),
            ("[[:x:]]", "invalid character class range: `[:x:]`"),
            ("\\p{Nope}", "invalid character class range: `\\p{Nope}`"),
        ] {
            let refused = translate(expression.as_bytes()).err();
            assert_eq!(refused, Some(format!("error parsing regexp: {message}")), "{expression}");
        }
    }

    #[test]
    fn every_translation_compiles() {
        for expression in [
            "a|b|",
            "()",
            "a{,3}",
            "a{2,}?",
            "[]a]",
            "[^]a-]",
            "[a&&b~~c]",
            "\\Qa.b\\E+",
            "(?i)a(?-i:b)(?s).",
            "\\<\\>",
            "[[:^alpha:]\\d\\W]",
            "\\x{D800}",
            "[\\x{D800}x]",
            "\\pL\\P{Greek}",
            "(?P<1a>x)",
            "^*",
            "a(?i)*",
            "\\B\\b\\z",
        ] {
            let pattern = translate(expression.as_bytes()).map(|translated| translated.pattern).unwrap();
            assert!(regex::bytes::Regex::new(&pattern).is_ok(), "{expression}: {pattern}");
        }
    }
}
