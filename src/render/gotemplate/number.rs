//! Numeric constants: what a literal can be, by Go's rules for untyped constants.

use super::ast::Number;
use super::lexer::Kind;
use crate::render::strconv::{Unit, parse_float, parse_int, quote, unquote_char};

impl Number {
    /// Reads a token of kind number, complex or character constant. The error is Go's text.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        match kind {
            Kind::CharConstant => Self::character(text),
            Kind::Complex => {
                let (re, im) = complex(text)?;
                Ok(Self::from_complex(text, re, im))
            }
            _ => Self::plain(text),
        }
    }

    fn character(text: &str) -> Result<Self, String> {
        let inner = text.get(1..).unwrap_or_default();
        let (unit, tail) = unquote_char(inner, '\'').ok_or("invalid syntax")?;
        if tail != "'" {
            return Err(format!("malformed character constant: {text}"));
        }
        let code = match unit {
            Unit::Byte(byte) => byte.into(),
            Unit::Char(c) => u32::from(c),
        };
        Ok(Self {
            text: text.to_owned(),
            int: Some(code.into()),
            uint: Some(code.into()),
            float: Some(code.into()),
            complex: None,
        })
    }

    fn from_complex(text: &str, re: f64, im: f64) -> Self {
        let real = (im == 0.0).then_some(re);
        Self {
            text: text.to_owned(),
            int: real.and_then(whole),
            uint: real.and_then(whole_unsigned),
            float: real,
            complex: Some((re, im)),
        }
    }

    fn plain(text: &str) -> Result<Self, String> {
        if let Some(im) = text.strip_suffix('i').and_then(parse_float) {
            return Ok(Self::from_complex(text, 0.0, im));
        }
        let mut number = Self { text: text.to_owned(), ..Self::default() };
        if let Some(value) = parse_int(text) {
            number.int = value.try_into().ok();
            let signed = text.starts_with(['+', '-']);
            number.uint = u64::try_from(value).ok().filter(|value| !signed || *value == 0);
        }
        if let Some(value) = number.int {
            number.float = Some(value as f64);
        } else if let Some(value) = number.uint {
            number.float = Some(value as f64);
        } else if let Some(value) = parse_float(text) {
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(format!("integer overflow: {}", quote(text.as_bytes(), false)));
            }
            number.float = Some(value);
            number.int = whole(value);
            number.uint = whole_unsigned(value);
        } else {
            return Err(format!("illegal number syntax: {}", quote(text.as_bytes(), false)));
        }
        Ok(number)
    }
}

const TWO_TO_63: f64 = (1_u64 << 63) as f64;

fn whole(value: f64) -> Option<i64> {
    // -2^63 is exact, 2^63 is not an int64.
    (value.fract() == 0.0 && (-TWO_TO_63..TWO_TO_63).contains(&value)).then_some(value as i64)
}

fn whole_unsigned(value: f64) -> Option<u64> {
    (value.fract() == 0.0 && (0.0..2.0 * TWO_TO_63).contains(&value)).then_some(value as u64)
}

/// Splits `1+2i` before the sign of its imaginary part.
fn complex(text: &str) -> Result<(f64, f64), String> {
    let body = text.strip_suffix('i').unwrap_or(text);
    let is_exponent = |at: usize| {
        let hex = body.contains(['x', 'X']);
        body[..at].ends_with(if hex { ['p', 'P'] } else { ['e', 'E'] })
    };
    let split = body.char_indices().skip(1).filter(|(_, c)| matches!(c, '+' | '-')).map(|(at, _)| at);
    let at = split.into_iter().find(|at| !is_exponent(*at)).ok_or("syntax error scanning complex number")?;
    let read = |part: &str| {
        parse_float(part)
            .ok_or_else(|| format!("strconv.ParseFloat: parsing {}: invalid syntax", quote(part.as_bytes(), false)))
    };
    Ok((read(&body[..at])?, read(&body[at..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_is_everything_that_can_hold_it() {
        let number = Number::parse("1e3", Kind::Number).unwrap();
        assert_eq!((number.int, number.uint, number.float), (Some(1000), Some(1000), Some(1000.0)));
        let number = Number::parse("-1", Kind::Number).unwrap();
        assert_eq!((number.int, number.uint), (Some(-1), None));
        let number = Number::parse("18446744073709551615", Kind::Number).unwrap();
        assert_eq!((number.int, number.uint), (None, Some(u64::MAX)));
        assert_eq!(Number::parse("'é'", Kind::CharConstant).unwrap().int, Some(233));
        assert_eq!(Number::parse("1e2-3i", Kind::Complex).unwrap().complex, Some((100.0, -3.0)));
        assert_eq!(Number::parse("0i", Kind::Number).unwrap().int, Some(0));
    }

    #[test]
    fn malformed_constants_have_gos_words() {
        for (text, kind, expected) in [
            ("08", Kind::Number, "integer overflow: \"08\""),
            ("0x", Kind::Number, "illegal number syntax: \"0x\""),
            ("123456789012345678901", Kind::Number, "integer overflow: \"123456789012345678901\""),
            ("'ab'", Kind::CharConstant, "malformed character constant: 'ab'"),
            ("''", Kind::CharConstant, "invalid syntax"),
        ] {
            assert_eq!(Number::parse(text, kind).unwrap_err(), expected);
        }
    }
}
