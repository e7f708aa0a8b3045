//! `'…'.format([…])`: cel-go's `strings` extension, in the locale `en_US`.

use super::convert;
use super::strings::quote;
use crate::cel::Failure;
use crate::cel::eval::Budget;
use crate::cel::types::Type;
use crate::cel::value::{Data, Val};

/// The most digits after the point that are printed.
const MAX_PRECISION: usize = 1_000;
/// Values nested deeper are not printed.
const DEPTH: usize = 64;

/// A part of a pattern.
enum Part<'a> {
    Text(&'a str),
    /// A verb, and the digits that it asks for
    Clause(char, Option<usize>),
}

/// Splits a pattern at its clauses, of which there must be no more than arguments.
fn parts(pattern: &str, args: usize) -> Result<Vec<Part<'_>>, Failure> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    let mut clauses = 0;
    while let Some(at) = rest.find('%') {
        let (text, clause) = rest.split_at(at);
        parts.push(Part::Text(text));
        let clause = clause.get(1..).unwrap_or_default();
        if let Some(after) = clause.strip_prefix('%') {
            parts.push(Part::Text("%"));
            rest = after;
            continue;
        }
        if clause.is_empty() {
            return Err(Failure::new("unexpected end of string"));
        }
        if clauses >= args {
            return Err(Failure::Other(format!("index {clauses} out of range")));
        }
        clauses += 1;
        let refuse = |why: String| Failure::Other(format!("could not parse formatting clause: {why}"));
        let (precision, clause) = precision(clause).map_err(refuse)?;
        let mut chars = clause.chars();
        match chars.next() {
            Some(verb @ ('s' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o')) => parts.push(Part::Clause(verb, precision)),
            verb => {
                let verb = verb.map(String::from).unwrap_or_default();
                return Err(refuse(format!("unrecognized formatting clause \"{verb}\"")));
            }
        }
        rest = chars.as_str();
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// `.2` at the start of a clause, and what follows.
fn precision(clause: &str) -> Result<(Option<usize>, &str), String> {
    let Some(digits) = clause.strip_prefix('.') else { return Ok((None, clause)) };
    let refuse = |why: &str| format!("error while parsing precision: {why}");
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let end = end.ok_or_else(|| refuse("could not find end of precision specifier"))?;
    let (digits, rest) = digits.split_at(end);
    let precision = digits.parse::<usize>().map_err(|_| {
        let reason = if digits.is_empty() { "invalid syntax" } else { "value out of range" };
        refuse(&format!("error while converting precision to integer: strconv.Atoi: parsing {digits:?}: {reason}"))
    })?;
    Ok((Some(precision.min(MAX_PRECISION)), rest))
}

/// Fills the clauses of a pattern with values.
pub fn interpolate(budget: &Budget, pattern: &str, args: &[Val]) -> Result<String, Failure> {
    budget.charge_text(pattern.len())?;
    let mut out = String::new();
    let mut next = args.iter();
    for part in parts(pattern, args.len())? {
        match (part, &mut next) {
            (Part::Text(text), _) => out.push_str(text),
            (Part::Clause(verb, precision), next) => {
                let Some(arg) = next.next() else { continue };
                let text = clause(budget, verb, precision, arg)?;
                budget.charge_text(text.len())?;
                out.push_str(&text);
            }
        }
    }
    Ok(out)
}

/// Checks a pattern that is written out against the types of a list of arguments that is, too; an error says of which
/// argument it is.
pub fn check(pattern: &str, args: &[Type]) -> Result<(), (Option<usize>, String)> {
    let mut clauses = 0;
    for part in parts(pattern, args.len()).map_err(|failure| (None, failure.to_string()))? {
        let Part::Clause(verb, _) = part else { continue };
        if let Some(arg) = args.get(clauses)
            && !takes(verb, arg)
        {
            return Err((Some(clauses), refusal(verb, arg.name())));
        }
        clauses += 1;
    }
    let (wanted, given) = (clauses, args.len());
    if given > wanted {
        let message = format!("too many arguments supplied to string.format (expected {wanted}, got {given})");
        return Err((None, message));
    }
    Ok(())
}

/// Whether a verb may be able to print a type.
fn takes(verb: char, arg: &Type) -> bool {
    match (verb, arg) {
        (_, Type::Dyn) => true,
        ('s', Type::Optional(_) | Type::Object(_) | Type::Struct(_)) => false,
        ('s', _) => true,
        ('f' | 'e', Type::Double | Type::String) => true,
        ('d' | 'o' | 'b' | 'x' | 'X', Type::Int | Type::Uint) => true,
        ('b', Type::Bool) => true,
        ('x' | 'X', Type::String | Type::Bytes) => true,
        _ => false,
    }
}

fn refusal(verb: char, given: &str) -> String {
    let wanted = match verb {
        'd' => "decimal clause can only be used on integers",
        'f' => "fixed-point clause can only be used on doubles",
        'e' => "scientific clause can only be used on doubles",
        'o' => "octal clause can only be used on integers",
        'b' => "only integers and bools can be formatted as binary",
        'x' | 'X' => "only integers, byte buffers, and strings can be formatted as hex",
        _ => {
            "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and \
             timestamps"
        }
    };
    format!("error during formatting: {wanted}, was given {given}")
}

fn clause(budget: &Budget, verb: char, precision: Option<usize>, arg: &Val) -> Result<String, Failure> {
    const DIGITS: usize = 6;
    Ok(match (verb, &arg.data) {
        ('s', _) => print(budget, arg, DEPTH)?,
        ('d', Data::Int(value)) => value.to_string(),
        ('d', Data::Uint(value)) => value.to_string(),
        ('f', Data::Double(value)) => fixed(*value, precision.unwrap_or(DIGITS)),
        // These are numbers, too, for the printer behind cel-go.
        ('f' | 'e', Data::String(text)) if matches!(&**text, "NaN" | "Infinity" | "-Infinity") => {
            let value = text.parse().map_err(|_| Failure::NoSuchOverload)?;
            if verb == 'f' { fixed(value, DIGITS) } else { scientific(value, DIGITS) }
        }
        // In cel-go the precision is the width, and the digits are always six.
        ('e', Data::Double(value)) => format!("{:>1$}", scientific(*value, DIGITS), precision.unwrap_or(DIGITS)),
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
        _ => return Err(Failure::Other(refusal(verb, arg.type_name()))),
    })
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        return Some("NaN");
    }
    value.is_infinite().then_some(if value > 0.0 { "∞" } else { "-∞" })
}

fn fixed(value: f64, precision: usize) -> String {
    special(value).map_or_else(|| group(&format!("{value:.precision$}")), str::to_owned)
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
    if let Some(special) = special(value) {
        return special.to_owned();
    }
    let text = format!("{value:.precision$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let (sign, digits) = exponent.strip_prefix('-').map_or(("", exponent), |digits| ("⁻", digits));
    // The locale prints a power of ten.
    format!("{mantissa}×10{sign}{}", superscript(&format!("{digits:0>2}")))
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
        _ => convert::string(value).map_err(|failure| match failure {
            Failure::NoSuchOverload => Failure::Other(refusal('s', value.type_name())),
            failure => failure,
        }),
    }
}

/// A value inside a list or map: as a CEL literal.
fn element(budget: &Budget, value: &Val, depth: usize) -> Result<String, Failure> {
    let text = match &value.data {
        Data::Double(value) if !value.is_finite() => {
            return Ok(quote(&convert::string(&Val::new(Data::Double(*value)))?));
        }
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
