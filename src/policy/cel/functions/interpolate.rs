//! `'…'.format([…])`: cel-go's `strings` extension, in the locale `en_US`.

use super::convert;
use super::strings::quote;
use crate::policy::cel::Failure;
use crate::policy::cel::eval::Budget;
use crate::policy::cel::value::{Data, Val};

/// The most digits after the point that a clause may ask for.
const MAX_PRECISION: usize = 100;
/// Values nested deeper are not printed.
const DEPTH: usize = 64;

/// Fills the clauses of a pattern with values.
pub fn interpolate(budget: &Budget, pattern: &str, args: &[Val]) -> Result<String, Failure> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = args.iter().enumerate();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let precision = precision(&mut chars)?;
        let Some(verb) = chars.next() else { return Err(Failure::new("unexpected end of string")) };
        let Some((i, arg)) = next.next() else {
            return Err(Failure::Other(format!("index {} out of range", args.len())));
        };
        let text = clause(budget, verb, precision, arg).map_err(|failure| match failure {
            Failure::NoSuchOverload => Failure::Other(format!(
                "error during formatting: %{verb} cannot take argument {i} of type {}",
                arg.type_name()
            )),
            failure => failure,
        })?;
        budget.charge_text(text.len())?;
        out.push_str(&text);
    }
    budget.charge_text(out.len())?;
    Ok(out)
}

fn precision(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<usize, Failure> {
    if chars.next_if_eq(&'.').is_none() {
        return Ok(6);
    }
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    match digits.parse() {
        Ok(precision) if precision <= MAX_PRECISION => Ok(precision),
        _ => Err(Failure::new("error while parsing precision")),
    }
}

fn clause(budget: &Budget, verb: char, precision: usize, arg: &Val) -> Result<String, Failure> {
    Ok(match (verb, &arg.data) {
        ('s', _) => print(budget, arg, DEPTH)?,
        ('d', Data::Int(value)) => value.to_string(),
        ('d', Data::Uint(value)) => value.to_string(),
        ('f', Data::Double(value)) => group(&format!("{value:.precision$}")),
        ('e', Data::Double(value)) => scientific(*value, precision),
        ('b', Data::Int(value)) => signed(*value, |n| format!("{n:b}")),
        ('b', Data::Uint(value)) => format!("{value:b}"),
        ('b', Data::Bool(value)) => u8::from(*value).to_string(),
        ('o', Data::Int(value)) => signed(*value, |n| format!("{n:o}")),
        ('o', Data::Uint(value)) => format!("{value:o}"),
        ('x', Data::Int(value)) => signed(*value, |n| format!("{n:x}")),
        ('X', Data::Int(value)) => signed(*value, |n| format!("{n:X}")),
        ('x', Data::Uint(value)) => format!("{value:x}"),
        ('X', Data::Uint(value)) => format!("{value:X}"),
        ('x' | 'X', Data::String(text)) => hex(text.as_bytes(), verb),
        ('x' | 'X', Data::Bytes(bytes)) => hex(bytes, verb),
        ('d' | 'f' | 'e' | 'b' | 'o' | 'x' | 'X', _) => return Err(Failure::NoSuchOverload),
        _ => return Err(Failure::Other(format!("unrecognized formatting clause \"{verb}\""))),
    })
}

fn signed(value: i64, print: impl Fn(u64) -> String) -> String {
    let digits = print(value.unsigned_abs());
    if value < 0 { format!("-{digits}") } else { digits }
}

fn hex(bytes: &[u8], verb: char) -> String {
    bytes.iter().map(|byte| if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") }).collect()
}

/// Thousands separated by commas, as `en_US` prints fixed-point numbers.
fn group(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    // The locale prints a power of ten.
    format!(
        "{mantissa}\u{202f}×\u{202f}10{}{}",
        if sign == '-' { "⁻" } else { "" },
        superscript(&format!("{digits:0>2}"))
    )
}

fn superscript(digits: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    digits.chars().filter_map(|c| c.to_digit(10)).filter_map(|d| DIGITS.get(d as usize)).collect()
}

fn print(budget: &Budget, value: &Val, depth: usize) -> Result<String, Failure> {
    budget.charge(1)?;
    let deeper = depth.checked_sub(1).ok_or_else(|| Failure::new("the value is nested too deeply to print"))?;
    match &value.data {
        Data::Null => Ok("null".into()),
        Data::Type(name) => Ok((*name).into()),
        Data::List(list) => {
            let items = list.iter(None).map(|item| element(budget, &item, deeper)).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        Data::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.entries(None) {
                entries.push(format!("{}:{}", element(budget, &key, deeper)?, element(budget, &value, deeper)?));
            }
            entries.sort();
            Ok(format!("{{{}}}", entries.join(", ")))
        }
        _ => convert::string(value),
    }
}

/// A value inside a list or map: as a CEL literal.
fn element(budget: &Budget, value: &Val, depth: usize) -> Result<String, Failure> {
    let text = match &value.data {
        Data::Double(value) => return Ok(format!("{value:.6}")),
        _ => print(budget, value, depth)?,
    };
    Ok(match &value.data {
        Data::String(_) => quote(&text),
        Data::Bytes(_) => format!("b{}", quote(&text)),
        Data::Timestamp(_) => format!("timestamp({})", quote(&text)),
        Data::Duration(_) => format!("duration({})", quote(&text)),
        _ => text,
    })
}
