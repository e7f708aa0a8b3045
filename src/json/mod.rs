//! JSON as Go's `encoding/json` reads and writes it.

mod read;
mod write;

pub(crate) use read::push_utf8;
pub use read::{parse, parse_list, parse_map, parse_prefix};
pub use write::{to_json, to_json_pretty, to_json_pretty_raw, to_json_raw};

use crate::number;
use crate::source::Span;

/// Why there is no JSON, or no value. Prints what Go prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A byte that JSON does not allow there.
    #[error("invalid character {} {context}", quote_byte(*byte))]
    Character {
        /// The byte.
        byte: u8,
        /// What was being read.
        context: String,
        /// Where.
        span: Span,
    },
    /// The text ends too early.
    #[error("unexpected end of JSON input")]
    End {
        /// Where.
        span: Span,
    },
    /// Nested too deeply.
    #[error("exceeded max depth")]
    Depth {
        /// Where.
        span: Span,
    },
    /// Something else than what was asked for, or a number beyond `float64`.
    #[error("json: cannot unmarshal {found} into Go value of type {wanted}")]
    Type {
        /// What it is.
        found: String,
        /// What it should be, in Go's words.
        wanted: &'static str,
        /// Where.
        span: Span,
    },
    /// A value that JSON cannot hold: an infinity or NaN.
    #[error("json: unsupported value: {number}")]
    Unsupported {
        /// The number.
        number: String,
    },
}

impl Error {
    /// The place in the text that was read; empty at 0 when writing failed.
    pub fn span(&self) -> Span {
        match self {
            Self::Character { span, .. } | Self::End { span } | Self::Depth { span } | Self::Type { span, .. } => *span,
            Self::Unsupported { .. } => Span::default(),
        }
    }
}

/// `quoteChar`: the byte as if it were a character.
fn quote_byte(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        _ => {
            let quoted = number::quote(char::from(byte).encode_utf8(&mut [0; 4]));
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Numbers, Value};

    #[test]
    fn errors_are_those_of_go() {
        for (text, expected) in [
            ("", "unexpected end of JSON input"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("1 2", "invalid character '2' after top-level value"),
            ("nul", "invalid character ' ' in literal null (expecting 'l')"),
            ("[1", "unexpected end of JSON input"),
            ("nuxl", "invalid character 'x' in literal null (expecting 'l')"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("01", "invalid character '1' after top-level value"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1e+x", "invalid character 'x' in exponent of numeric literal"),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u12x\"", "invalid character 'x' in \\u hexadecimal character escape"),
            ("'a'", "invalid character '\\'' looking for beginning of value"),
            ("é", "invalid character 'Ã' looking for beginning of value"),
            ("1e400", "json: cannot unmarshal number 1e400 into Go value of type float64"),
        ] {
            let error = parse(text, Numbers::Floats).expect_err(text);
            assert_eq!(error.to_string(), expected, "{text}");
        }
        let error = parse_map("[1]", Numbers::Floats).expect_err("an array");
        assert_eq!(error.to_string(), "json: cannot unmarshal array into Go value of type map[string]interface {}");
        assert!(parse("[".repeat(100_000), Numbers::Exact).is_err());
    }

    #[test]
    fn strings_are_read_as_in_go() {
        let read = |text: &[u8]| parse(text, Numbers::Exact).ok().and_then(|value| value.as_str().map(str::to_owned));
        assert_eq!(read(br#""\ud83d\ude00\ud83d\ud83dx""#).as_deref(), Some("😀\u{fffd}\u{fffd}x"));
        assert_eq!(read(b"\"a\xe2\x98b\"").as_deref(), Some("a\u{fffd}\u{fffd}b"));
        assert_eq!(parse_prefix("{\"a\": 1},b=2", Numbers::Exact).map(|(_, end)| end), Ok(8));
    }

    #[test]
    fn values_are_written_as_in_go() {
        let value =
            parse("{\"b\":[1,2.50,1e21,[],{}],\"a\":\"<\u{2028}\u{7f}\\u0001&\"}", Numbers::Exact).expect("JSON");
        assert_eq!(
            to_json(&value).as_deref(),
            Ok("{\"a\":\"\\u003c\\u2028\u{7f}\\u0001\\u0026\",\"b\":[1,2.5,1e+21,[],{}]}")
        );
        assert_eq!(to_json_raw(value.get("a").expect("a")).as_deref(), Ok("\"<\\u2028\u{7f}\\u0001&\""));
        assert_eq!(
            to_json_pretty(value.get("b").expect("b")).as_deref(),
            Ok("[\n  1,\n  2.5,\n  1e+21,\n  [],\n  {}\n]")
        );
        assert!(to_json(&Value::Float(f64::NAN)).is_err());
    }
}
