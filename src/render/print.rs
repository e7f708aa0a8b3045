//! Go's `fmt` over template values: `Sprint`, `Sprintln`, `Sprintf` and every verb.

mod format;

use super::any::{Any, List, Map, Text};
use super::strconv::{can_backquote, decode, format_float, is_print, quote, quote_char};

/// Longest text that one call may make: a width of a million can be asked for any number of times.
const LIMIT: usize = 64 << 20;

/// Deepest nesting of lists and maps that is printed.
const DEPTH: usize = 10_000;

/// Why a value could not be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// More text than `LIMIT`
    #[error("printed text is longer than {} MiB", LIMIT >> 20)]
    TooLong,
    /// A value nested deeper than `DEPTH`, or one that holds itself
    #[error("value is nested more than {DEPTH} levels deep")]
    TooDeep,
}

/// `fmt.Sprint`: a space between operands when neither is a string.
pub fn sprint(args: &[Any]) -> Result<Text, PrintError> {
    let mut printer = Printer::default();
    let mut after_string = false;
    for (i, arg) in args.iter().enumerate() {
        let is_string = matches!(arg, Any::String(_));
        if i > 0 && !is_string && !after_string {
            printer.push(b" ")?;
        }
        printer.arg(arg, 'v')?;
        after_string = is_string;
    }
    Ok(printer.out.into())
}

/// `fmt.Sprintln`: spaces between all operands, and a line break.
pub fn sprintln(args: &[Any]) -> Result<Text, PrintError> {
    let mut printer = Printer::default();
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            printer.push(b" ")?;
        }
        printer.arg(arg, 'v')?;
    }
    printer.push(b"\n")?;
    Ok(printer.out.into())
}

/// `fmt.Sprintf`.
pub fn sprintf(format: &[u8], args: &[Any]) -> Result<Text, PrintError> {
    let mut printer = Printer::default();
    printer.format(format, args)?;
    Ok(printer.out.into())
}

/// One value as a verb prints it (`v`, `s`, …).
pub fn sprint_verb(value: &Any, verb: char) -> Result<Text, PrintError> {
    let mut printer = Printer::default();
    printer.arg(value, verb)?;
    Ok(printer.out.into())
}

type Printed = Result<(), PrintError>;

#[derive(Default, Clone, Copy)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%#v`: Go syntax
    sharp_v: bool,
}

#[derive(Default)]
struct Printer {
    out: Vec<u8>,
    flags: Flags,
}

impl Printer {
    fn push(&mut self, bytes: &[u8]) -> Printed {
        if self.out.len() + bytes.len() > LIMIT {
            return Err(PrintError::TooLong);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn push_char(&mut self, c: char) -> Printed {
        self.push(c.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn padding(&mut self, count: usize) -> Printed {
        if self.out.len() + count > LIMIT {
            return Err(PrintError::TooLong);
        }
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.out.resize(self.out.len() + count, byte);
        Ok(())
    }

    /// Writes text padded to the width, which counts characters.
    fn pad(&mut self, bytes: &[u8]) -> Printed {
        let Some(width) = self.flags.width.filter(|width| *width > 0) else {
            return self.push(bytes);
        };
        let missing = width.saturating_sub(count_chars(bytes));
        if self.flags.minus {
            self.push(bytes)?;
            self.padding(missing)
        } else {
            self.padding(missing)?;
            self.push(bytes)
        }
    }

    /// [`Self::pad`] with spaces, whatever the flag `0` says.
    fn pad_spaces(&mut self, bytes: &[u8]) -> Printed {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        let done = self.pad(bytes);
        self.flags.zero = zero;
        done
    }

    fn arg(&mut self, arg: &Any, verb: char) -> Printed {
        match (arg, verb) {
            (Any::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (_, 'T') => self.string(arg.type_name().as_bytes(), 's', arg),
            (Any::Map(_) | Any::List(_) | Any::Bytes(_), 'p') => self.push(b"0xc000000000"),
            (Any::Bytes(bytes), 'v' | 'd') if self.flags.sharp_v => {
                self.push(b"[]byte{")?;
                self.byte_list(bytes, b", ")?;
                self.push(b"}")
            }
            _ => self.value(arg, verb, 0),
        }
    }

    fn value(&mut self, value: &Any, verb: char, depth: usize) -> Printed {
        if depth > DEPTH {
            return Err(PrintError::TooDeep);
        }
        match value {
            Any::Nil if depth == 0 => self.bad_verb(verb, value),
            Any::Nil if self.flags.sharp_v => self.push(b"interface {}(nil)"),
            Any::Nil => self.push(b"<nil>"),
            Any::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { b"true" } else { b"false" }),
                _ => self.bad_verb(verb, value),
            },
            Any::Int(number) | Any::Int64(number) => {
                self.integer(number.unsigned_abs(), *number < 0, true, verb, value)
            }
            Any::Uint8(number) => self.integer((*number).into(), false, false, verb, value),
            Any::Uint64(number) => self.integer(*number, false, false, verb, value),
            Any::Float64(number) => match verb {
                'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E' => self.float(*number, verb),
                _ => self.bad_verb(verb, value),
            },
            Any::Complex(re, im) => match verb {
                'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E' => {
                    self.push(b"(")?;
                    self.float(*re, verb)?;
                    let plus = std::mem::replace(&mut self.flags.plus, true);
                    self.float(*im, verb)?;
                    self.flags.plus = plus;
                    self.push(b"i)")
                }
                _ => self.bad_verb(verb, value),
            },
            Any::String(text) => self.string(text.as_bytes(), verb, value),
            Any::Bytes(bytes) => match verb {
                's' | 'q' | 'x' | 'X' => self.string(bytes.as_bytes(), verb, value),
                _ => self.bytes(bytes, verb),
            },
            Any::List(list) => self.list(list, verb, depth),
            Any::Map(map) => self.map(map, verb, depth),
            Any::Object(object) => match object.underlying() {
                Some(inner) => self.value(&inner, verb, depth + 1),
                None => {
                    let text = object.print();
                    self.string(text.as_bytes(), verb, value)
                }
            },
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) -> Printed {
        if list.nil && self.flags.sharp_v {
            return self.push(format!("{}(nil)", list.of.list_type_name()).as_bytes());
        }
        let (open, separator, close): (_, &[u8], _) = self.brackets(list.of.list_type_name(), b"[", b"]");
        self.push(open)?;
        for (i, item) in list.items.iter().enumerate() {
            if i > 0 {
                self.push(separator)?;
            }
            self.value(item, verb, depth + 1)?;
        }
        self.push(close)
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) -> Printed {
        if map.nil && self.flags.sharp_v {
            return self.push(format!("{}(nil)", map.of.name()).as_bytes());
        }
        let (open, separator, close): (_, &[u8], _) = self.brackets(map.of.name(), b"map[", b"]");
        self.push(open)?;
        for (i, (key, item)) in map.entries.borrow().iter().enumerate() {
            if i > 0 {
                self.push(separator)?;
            }
            self.value(&Any::String(key.clone()), verb, depth + 1)?;
            self.push(b":")?;
            self.value(item, verb, depth + 1)?;
        }
        self.push(close)
    }

    /// What goes before, between and after elements: `%#v` writes the type and braces.
    fn brackets(
        &mut self,
        type_name: &'static str,
        open: &'static [u8],
        close: &'static [u8],
    ) -> (&'static [u8], &'static [u8], &'static [u8]) {
        if self.flags.sharp_v {
            self.out.extend_from_slice(type_name.as_bytes());
            (b"{", b", ", b"}")
        } else {
            (open, b" ", close)
        }
    }

    fn bytes(&mut self, bytes: &Text, verb: char) -> Printed {
        let (open, separator, close) = self.brackets("[]uint8", b"[", b"]");
        self.push(open)?;
        if self.flags.sharp_v {
            self.byte_list(bytes, separator)?;
        } else {
            for (i, byte) in bytes.as_bytes().iter().enumerate() {
                if i > 0 {
                    self.push(separator)?;
                }
                self.integer((*byte).into(), false, false, verb, &Any::Uint8(*byte))?;
            }
        }
        self.push(close)
    }

    fn byte_list(&mut self, bytes: &Text, separator: &[u8]) -> Printed {
        for (i, byte) in bytes.as_bytes().iter().enumerate() {
            if i > 0 {
                self.push(separator)?;
            }
            self.push(format!("{byte:#x}").as_bytes())?;
        }
        Ok(())
    }

    fn bad_verb(&mut self, verb: char, value: &Any) -> Printed {
        self.push(b"%!")?;
        self.push_char(verb)?;
        self.push(b"(")?;
        if matches!(value, Any::Nil) {
            self.push(b"<nil>")?;
        } else {
            self.push(value.type_name().as_bytes())?;
            self.push(b"=")?;
            self.value(value, 'v', 0)?;
        }
        self.push(b")")
    }

    fn string(&mut self, bytes: &[u8], verb: char, value: &Any) -> Printed {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(bytes),
            'v' | 's' => self.pad(self.truncated(bytes)),
            'x' => self.hex(bytes, false),
            'X' => self.hex(bytes, true),
            'q' => self.quoted(bytes),
            _ => self.bad_verb(verb, value),
        }
    }

    fn truncated<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(precision) = self.flags.precision else { return bytes };
        let mut end = 0;
        for _ in 0..precision {
            if end >= bytes.len() {
                break;
            }
            end += decode(&bytes[end..]).1;
        }
        &bytes[..end]
    }

    fn quoted(&mut self, bytes: &[u8]) -> Printed {
        let bytes = self.truncated(bytes);
        // `%#v` clears the flag `#`, so that it quotes with double quotes.
        if self.flags.sharp && can_backquote(bytes) {
            return self.pad(&[b"`", bytes, b"`"].concat());
        }
        self.pad(quote(bytes, self.flags.plus).as_bytes())
    }

    fn hex(&mut self, bytes: &[u8], upper: bool) -> Printed {
        let bytes = &bytes[..self.flags.precision.map_or(bytes.len(), |precision| precision.min(bytes.len()))];
        if bytes.is_empty() {
            return self.padding(self.flags.width.unwrap_or(0));
        }
        let prefix = match (self.flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut text = String::with_capacity(bytes.len() * 3);
        for (i, byte) in bytes.iter().enumerate() {
            if self.flags.space && i > 0 {
                text.push(' ');
            }
            if i == 0 || self.flags.space {
                text.push_str(prefix);
            }
            text.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(text.as_bytes())
    }

    fn integer(&mut self, magnitude: u64, negative: bool, signed: bool, verb: char, value: &Any) -> Printed {
        let raw = if negative { magnitude.wrapping_neg() } else { magnitude };
        match verb {
            'v' if self.flags.sharp_v && !signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                let done = self.digits(magnitude, negative, 16, 'v', false);
                self.flags.sharp = sharp;
                done
            }
            'v' | 'd' => self.digits(magnitude, negative, 10, verb, false),
            'b' => self.digits(magnitude, negative, 2, verb, false),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb, false),
            'x' => self.digits(magnitude, negative, 16, verb, false),
            'X' => self.digits(magnitude, negative, 16, verb, true),
            'c' => self.pad(to_char(raw).encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(quote_char(to_char(raw), self.flags.plus).as_bytes()),
            'U' => self.unicode(raw),
            _ => self.bad_verb(verb, value),
        }
    }

    fn digits(&mut self, magnitude: u64, negative: bool, base: u32, verb: char, upper: bool) -> Printed {
        let flags = self.flags;
        let signed = negative || flags.plus || flags.space;
        let precision = match flags.precision {
            Some(0) if magnitude == 0 => {
                let zero = std::mem::replace(&mut self.flags.zero, false);
                let done = self.padding(flags.width.unwrap_or(0));
                self.flags.zero = zero;
                return done;
            }
            Some(precision) => precision,
            None if flags.zero && !flags.minus => {
                flags.width.map_or(0, |width| width.saturating_sub(usize::from(signed)))
            }
            None => 0,
        };
        let digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if upper => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        if precision > LIMIT {
            return Err(PrintError::TooLong);
        }
        let mut text = String::new();
        text.push_str(match (negative, flags.plus, flags.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        });
        if verb == 'O' {
            text.push_str("0o");
        }
        let zeros = precision.saturating_sub(digits.len());
        if flags.sharp {
            match base {
                2 => text.push_str("0b"),
                8 if zeros == 0 && !digits.starts_with('0') => text.push('0'),
                16 => text.push_str(if upper { "0X" } else { "0x" }),
                _ => {}
            }
        }
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(&digits);
        self.pad_spaces(text.as_bytes())
    }

    fn unicode(&mut self, number: u64) -> Printed {
        let precision = self.flags.precision.unwrap_or(4).max(4);
        let digits = format!("{number:X}");
        let mut text = format!("U+{}{digits}", "0".repeat(precision.saturating_sub(digits.len())));
        if let Some(c) =
            u32::try_from(number).ok().and_then(char::from_u32).filter(|c| self.flags.sharp && is_print(*c))
        {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_spaces(text.as_bytes())
    }

    fn float(&mut self, number: f64, verb: char) -> Printed {
        let flags = self.flags;
        let (verb, default) = match verb {
            'v' => ('g', None),
            'f' | 'F' => ('f', Some(6)),
            'e' | 'E' => (verb, Some(6)),
            _ => (verb, None),
        };
        let precision = flags.precision.or(default);
        let mut text = format_float(number, verb, precision);
        if !text.starts_with(['+', '-']) {
            text.insert(0, '+');
        }
        if flags.space && !flags.plus && text.starts_with('+') {
            text.replace_range(..1, " ");
        }
        if !number.is_finite() {
            let shown = if number.is_nan() && !flags.space && !flags.plus { &text[1..] } else { &text };
            // Without a flag the sign of +Inf stays.
            return self.pad_spaces(shown.as_bytes());
        }
        if flags.sharp && verb != 'b' {
            text = with_point(&text, verb, precision);
        }
        if flags.plus || !text.starts_with('+') {
            let missing = flags.width.unwrap_or(0).saturating_sub(text.len());
            if flags.zero && !flags.minus && missing > 0 {
                self.push(&text.as_bytes()[..1])?;
                self.padding(missing)?;
                return self.push(&text.as_bytes()[1..]);
            }
            return self.pad(text.as_bytes());
        }
        self.pad(&text.as_bytes()[1..])
    }
}

fn to_char(number: u64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn count_chars(bytes: &[u8]) -> usize {
    let mut count = 0;
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = &rest[decode(rest).1..];
        count += 1;
    }
    count
}

/// The flag `#`: a decimal point always, and the trailing zeros that `%g` leaves out. `text` starts with its sign.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let marks: &[char] = if matches!(verb, 'x' | 'X') { &['p', 'P'] } else { &['p', 'P', 'e', 'E'] };
    let (number, tail) = text.split_at(text.find(marks).unwrap_or(text.len()));
    let mut wanted = if matches!(verb, 'g' | 'G' | 'x' | 'X') { precision.unwrap_or(6) as i64 } else { 0 };
    let significant = number[1..].chars().filter(|c| *c != '.').skip_while(|c| *c == '0').count();
    wanted -= significant as i64;
    let mut out = number.to_owned();
    if !number.contains('.') {
        if &number[1..] == "0" {
            wanted -= 1;
        }
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', usize::try_from(wanted).unwrap_or(0)));
    out + tail
}
