//! The grammar of `Sprintf`'s formats: flags, widths, precisions and explicit argument indexes.

use super::{Flags, Printed, Printer};
use crate::render::any::Any;
use crate::render::strconv::decode;

impl Printer {
    /// Prints operands by a format.
    pub(super) fn format(&mut self, format: &[u8], args: &[Any]) -> Printed {
        let mut at = 0;
        let mut next = Arguments { args, index: 0, reordered: false, good: true };
        while at < format.len() {
            next.good = true;
            let text = format[at..].iter().position(|b| *b == b'%').unwrap_or(format.len() - at);
            self.push(&format[at..at + text])?;
            at += text;
            if at >= format.len() {
                break;
            }
            at += 1;
            self.flags = Flags::default();
            while let Some(flag) = format.get(at) {
                match flag {
                    b'#' => self.flags.sharp = true,
                    b'0' => self.flags.zero = true,
                    b'+' => self.flags.plus = true,
                    b'-' => self.flags.minus = true,
                    b' ' => self.flags.space = true,
                    _ => break,
                }
                at += 1;
            }
            let mut after_index = next.explicit(format, &mut at);
            if format.get(at) == Some(&b'*') {
                at += 1;
                match next.integer() {
                    Some(width) => {
                        self.flags.width = Some(width.unsigned_abs() as usize);
                        if width < 0 {
                            self.flags.minus = true;
                            self.flags.zero = false;
                        }
                    }
                    None => self.push(b"%!(BADWIDTH)")?,
                }
                after_index = false;
            } else {
                self.flags.width = number(format, &mut at);
                if after_index && self.flags.width.is_some() {
                    next.good = false;
                }
            }
            if format.get(at) == Some(&b'.') && at + 1 < format.len() {
                at += 1;
                if after_index {
                    next.good = false;
                }
                after_index = next.explicit(format, &mut at);
                if format.get(at) == Some(&b'*') {
                    at += 1;
                    match next.integer() {
                        Some(precision) if precision >= 0 => self.flags.precision = Some(precision as usize),
                        _ => self.push(b"%!(BADPREC)")?,
                    }
                    after_index = false;
                } else {
                    self.flags.precision = Some(number(format, &mut at).unwrap_or(0));
                }
            }
            if !after_index {
                next.explicit(format, &mut at);
            }
            if at >= format.len() {
                self.push(b"%!(NOVERB)")?;
                break;
            }
            let (verb, length) = decode(&format[at..]);
            let verb = verb.unwrap_or('\u{fffd}');
            at += length;
            let mut complaint = |problem: &[u8]| {
                self.push(b"%!")?;
                self.push_char(verb)?;
                self.push(problem)
            };
            if verb == '%' {
                self.push(b"%")?;
            } else if !next.good {
                complaint(b"(BADINDEX)")?;
            } else if let Some(arg) = args.get(next.index) {
                if matches!(verb, 'v' | 'w') {
                    self.flags.sharp_v = std::mem::replace(&mut self.flags.sharp, false);
                    // `%+v` names the fields of structs, and shows no sign.
                    self.flags.plus = false;
                }
                next.index += 1;
                self.arg(arg, verb)?;
            } else {
                complaint(b"(MISSING)")?;
            }
        }
        if !next.reordered && next.index < args.len() {
            self.extra(&args[next.index..])?;
        }
        Ok(())
    }

    fn extra(&mut self, args: &[Any]) -> Printed {
        self.flags = Flags::default();
        self.push(b"%!(EXTRA ")?;
        for (i, arg) in args.iter().enumerate() {
            if i > 0 {
                self.push(b", ")?;
            }
            if !matches!(arg, Any::Nil) {
                self.push(arg.type_name().as_bytes())?;
                self.push(b"=")?;
            }
            self.arg(arg, 'v')?;
        }
        self.push(b")")
    }
}

/// The operands of a format and which of them is next.
struct Arguments<'a> {
    args: &'a [Any],
    index: usize,
    /// Whether an explicit index was given: then nobody counts what is left over.
    reordered: bool,
    good: bool,
}

impl Arguments<'_> {
    /// Reads an index such as `[2]`, if one is here; whether a number was found.
    fn explicit(&mut self, format: &[u8], at: &mut usize) -> bool {
        let Some(rest) = format.get(*at..).filter(|rest| rest.first() == Some(&b'[')) else { return false };
        self.reordered = true;
        let Some(close) = rest.iter().position(|b| *b == b']').filter(|_| rest.len() >= 3) else {
            self.good = false;
            *at += 1;
            return false;
        };
        let mut end = 1;
        let index = number(&rest[..close], &mut end).filter(|_| end == close);
        *at += close + 1;
        match index {
            Some(index) if (1..=self.args.len()).contains(&index) => {
                self.index = index - 1;
                true
            }
            _ => {
                self.good = false;
                index.is_some()
            }
        }
    }

    /// The next operand as a width or a precision.
    fn integer(&mut self) -> Option<i64> {
        let arg = self.args.get(self.index)?;
        self.index += 1;
        let value = match arg {
            Any::Int(value) | Any::Int64(value) => *value,
            Any::Uint8(value) => (*value).into(),
            Any::Uint64(value) => i64::try_from(*value).ok()?,
            _ => return None,
        };
        (-1_000_000..=1_000_000).contains(&value).then_some(value)
    }
}

/// Reads a decimal number, if one is here. One beyond a million swallows the rest of the format, as in Go.
fn number(format: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = None;
    while let Some(digit) = format.get(*at).filter(|b| b.is_ascii_digit()) {
        let so_far = value.unwrap_or(0);
        if so_far > 1_000_000 {
            *at = format.len();
            return None;
        }
        value = Some(so_far * 10 + usize::from(digit - b'0'));
        *at += 1;
    }
    value
}
