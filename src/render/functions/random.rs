//! Randomness, all of it from the [`Host`]: with a seed the output is reproducible.

use super::args::Args;
use super::encoding::{base64, hex};
use super::runes;
use super::strings::text;
use super::{Failure, Host, Row, Type};
use crate::render::any::Any;

pub(super) const ROWS: &[Row] = &[
    Row::new("randAlphaNum", &[Type::Int], |host, args| characters(host, args, |b| b.is_ascii_alphanumeric())),
    Row::new("randAlpha", &[Type::Int], |host, args| characters(host, args, |b| b.is_ascii_alphabetic())),
    Row::new("randNumeric", &[Type::Int], |host, args| characters(host, args, |b| b.is_ascii_digit())),
    Row::new("randAscii", &[Type::Int], |host, args| characters(host, args, |b| matches!(b, 32..=126))),
    Row::new("randBytes", &[Type::Int], rand_bytes),
    Row::new("randInt", &[Type::Int, Type::Int], rand_int),
    Row::new("shuffle", &[Type::String], shuffle),
    Row::new("uuidv4", &[], uuidv4),
];

/// A number below a limit, each as likely.
fn below(host: &mut dyn Host, limit: u64) -> u64 {
    // Numbers past the last whole multiple would favour the small ones.
    let fair = u64::MAX - u64::MAX % limit;
    loop {
        let mut bytes = [0; 8];
        host.random(&mut bytes);
        let number = u64::from_le_bytes(bytes);
        if number < fair {
            return number % limit;
        }
    }
}

fn characters(host: &mut dyn Host, args: &[Any], wanted: fn(&u8) -> bool) -> Result<Any, Failure> {
    let alphabet: Vec<u8> = (0..128).filter(wanted).collect();
    // goutils refuses a negative count, and sprig drops its error.
    let count = usize::try_from(args.int(0)?).unwrap_or(0);
    host.allocate(count)?;
    let chosen: Vec<u8> = (0..count).map(|_| alphabet[below(host, alphabet.len() as u64) as usize]).collect();
    text(chosen)
}

fn rand_bytes(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let count =
        usize::try_from(args.int(0)?).map_err(|_| Failure::new("runtime error: makeslice: len out of range"))?;
    host.allocate(count.saturating_mul(2))?;
    let mut bytes = vec![0; count];
    host.random(&mut bytes);
    text(base64(&bytes))
}

fn rand_int(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let (least, limit) = (args.int(0)?, args.int(1)?);
    match u64::try_from(limit.wrapping_sub(least)) {
        Ok(width) if width > 0 => Ok(Any::Int(least.wrapping_add(below(host, width) as i64))),
        _ => Err(Failure::new("invalid argument to Intn")),
    }
}

fn shuffle(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut letters: Vec<char> = runes::runes(args.text(0)?.as_bytes()).map(|(c, _)| c).collect();
    for index in (1..letters.len()).rev() {
        let other = below(host, index as u64 + 1) as usize;
        letters.swap(index, other);
    }
    text(String::from_iter(letters))
}

fn uuidv4(host: &mut dyn Host, _: &[Any]) -> Result<Any, Failure> {
    let mut bytes = [0; 16];
    host.random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    text([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
}
