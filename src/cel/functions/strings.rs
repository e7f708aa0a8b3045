//! Text: the standard library's functions, and cel-go's `strings` extension, version 2.
//!
//! Positions count characters, as cel-go's do.

use super::interpolate::interpolate;
use super::{Row, int, text};
use crate::cel::Failure;
use crate::cel::eval::Budget;
use crate::cel::value::{Data, Val};

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::member("contains", &["(string, string) -> bool"], |budget, args| {
        let (whole, part) = (text(&args[0])?, text(&args[1])?);
        budget.charge_text(whole.len())?;
        Ok(whole.contains(part).into())
    }),
    Row::member("startsWith", &["(string, string) -> bool"], |_, args| {
        Ok(text(&args[0])?.starts_with(text(&args[1])?).into())
    }),
    Row::member("endsWith", &["(string, string) -> bool"], |_, args| {
        Ok(text(&args[0])?.ends_with(text(&args[1])?).into())
    }),
    Row::member("charAt", &["(string, int) -> string"], |budget, args| {
        let (text, at) = (characters(budget, &args[0])?, int(&args[1])?);
        match usize::try_from(at).ok().filter(|at| *at <= text.len()) {
            Some(at) => Ok(text.get(at).map(char::to_string).unwrap_or_default().into()),
            None => Err(out_of_range(at)),
        }
    }),
    Row::member("indexOf", &["(string, string) -> int"], |budget, args| find(budget, args, 0)),
    Row::member("indexOf", &["(string, string, int) -> int"], |budget, args| find(budget, args, int(&args[2])?)),
    Row::member("lastIndexOf", &["(string, string) -> int"], |budget, args| find_last(budget, args, None)),
    Row::member("lastIndexOf", &["(string, string, int) -> int"], |budget, args| {
        find_last(budget, args, Some(int(&args[2])?))
    }),
    Row::member("lowerAscii", &["(string) -> string"], |budget, args| {
        let text = text(&args[0])?;
        budget.charge_text(text.len())?;
        Ok(text.to_ascii_lowercase().into())
    }),
    Row::member("upperAscii", &["(string) -> string"], |budget, args| {
        let text = text(&args[0])?;
        budget.charge_text(text.len())?;
        Ok(text.to_ascii_uppercase().into())
    }),
    Row::member("replace", &["(string, string, string) -> string"], |budget, args| replace(budget, args, -1)),
    Row::member("replace", &["(string, string, string, int) -> string"], |budget, args| {
        replace(budget, args, int(&args[3])?)
    }),
    Row::member("split", &["(string, string) -> list(string)"], |budget, args| split(budget, args, -1)),
    Row::member("split", &["(string, string, int) -> list(string)"], |budget, args| {
        split(budget, args, int(&args[2])?)
    }),
    Row::member("substring", &["(string, int) -> string"], |budget, args| {
        let (text, start) = (characters(budget, &args[0])?, int(&args[1])?);
        let rest = usize::try_from(start).ok().and_then(|start| text.get(start..));
        Ok(rest.ok_or_else(|| out_of_range(start))?.iter().collect::<String>().into())
    }),
    Row::member("substring", &["(string, int, int) -> string"], |budget, args| {
        let (text, start, end) = (characters(budget, &args[0])?, int(&args[1])?, int(&args[2])?);
        if start > end {
            return Err(Failure::Other(format!("invalid substring range. start: {start}, end: {end}")));
        }
        let bound = |at: i64| usize::try_from(at).ok().filter(|at| *at <= text.len()).ok_or_else(|| out_of_range(at));
        let (start, end) = (bound(start)?, bound(end)?);
        Ok(text.get(start..end).unwrap_or_default().iter().collect::<String>().into())
    }),
    // Go trims what Unicode calls white space, as Rust does.
    Row::member("trim", &["(string) -> string"], |_, args| Ok(text(&args[0])?.trim().into())),
    Row::member("join", &["(list(string)) -> string"], |budget, args| join(budget, &args[0], "")),
    Row::member("join", &["(list(string), string) -> string"], |budget, args| join(budget, &args[0], text(&args[1])?)),
    Row::global("strings.quote", &["(string) -> string"], |budget, args| {
        let text = text(&args[0])?;
        budget.charge_text(text.len())?;
        Ok(quote(text).into())
    }),
    Row::member("format", &["(string, list(dyn)) -> string"], |budget, args| {
        let (pattern, args) = (text(&args[0])?, args[1].items().ok_or(Failure::NoSuchOverload)?);
        Ok(interpolate(budget, pattern, &args)?.into())
    }),
];

fn out_of_range(at: i64) -> Failure {
    Failure::Other(format!("index out of range: {at}"))
}

fn characters(budget: &Budget, value: &Val) -> Result<Vec<char>, Failure> {
    let text = text(value)?;
    budget.charge_text(text.len())?;
    Ok(text.chars().collect())
}

fn find(budget: &Budget, args: &[Val], from: i64) -> Result<Val, Failure> {
    let (whole, part) = (text(&args[0])?, text(&args[1])?);
    budget.charge_text(whole.len())?;
    if part.is_empty() {
        return Ok(from.into());
    }
    let start = usize::try_from(from).map_err(|_| out_of_range(from))?;
    let Some((start, _)) = whole.char_indices().nth(start) else { return Ok((-1).into()) };
    let found = whole.get(start..).and_then(|rest| rest.find(part));
    Ok(found.map_or(-1, |at| whole.get(..start + at).map_or(-1, |before| before.chars().count() as i64)).into())
}

fn find_last(budget: &Budget, args: &[Val], until: Option<i64>) -> Result<Val, Failure> {
    let (whole, part) = (text(&args[0])?, text(&args[1])?);
    budget.charge_text(whole.len())?;
    let length = whole.chars().count();
    if part.is_empty() {
        return Ok(until.unwrap_or(length as i64).into());
    }
    let last = match until {
        None => length,
        Some(until) => match usize::try_from(until).map_err(|_| out_of_range(until))? {
            until if until >= length => return Ok((-1).into()),
            until => until,
        },
    };
    // The part may begin at `last` at the latest, so what can hold it ends that many characters further.
    let end = last.saturating_add(part.chars().count());
    let end = whole.char_indices().nth(end).map_or(whole.len(), |(at, _)| at);
    let found = whole.get(..end).and_then(|head| head.rfind(part));
    Ok(found.and_then(|at| whole.get(..at)).map_or(-1, |before| before.chars().count() as i64).into())
}

fn replace(budget: &Budget, args: &[Val], limit: i64) -> Result<Val, Failure> {
    let (whole, old, new) = (text(&args[0])?, text(&args[1])?, text(&args[2])?);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let times = whole.matches(old).count().min(limit);
    budget.charge_text(whole.len().saturating_add(times.saturating_mul(new.len())))?;
    Ok(whole.replacen(old, new, limit).into())
}

fn split(budget: &Budget, args: &[Val], limit: i64) -> Result<Val, Failure> {
    let (whole, separator) = (text(&args[0])?, text(&args[1])?);
    budget.charge(whole.len())?;
    let parts: Vec<Val> = match (usize::try_from(limit), separator.is_empty()) {
        (Ok(0), _) => Vec::new(),
        // Go cuts between characters, without empty ends.
        (Ok(limit), true) => {
            let cut = whole.char_indices().nth(limit - 1).map_or(whole.len(), |(at, _)| at);
            let (head, tail) = whole.split_at(cut);
            head.chars().map(|c| c.to_string().into()).chain((!tail.is_empty()).then(|| tail.into())).collect()
        }
        (Err(_), true) => whole.chars().map(|c| c.to_string().into()).collect(),
        (Ok(limit), false) => whole.splitn(limit, separator).map(Val::from).collect(),
        (Err(_), false) => whole.split(separator).map(Val::from).collect(),
    };
    Ok(Val::list(parts, args[0].origin.as_ref()))
}

fn join(budget: &Budget, list: &Val, separator: &str) -> Result<Val, Failure> {
    let items = list.items().ok_or(Failure::NoSuchOverload)?;
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        let Data::String(text) = &item.data else { return Err(Failure::NoSuchOverload) };
        budget.charge_text(separator.len() + text.len())?;
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
    }
    Ok(out.into())
}

/// The text in double quotes, with CEL's escapes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
