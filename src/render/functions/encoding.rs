//! Base64, base32, and checksums.

use sha1::Digest;

use super::args::Args;
use super::strings::text;
use super::{Failure, Host, Row, Type};
use crate::render::any::Any;

pub(super) const ROWS: &[Row] = &[
    Row::new("b64enc", &[Type::String], |_, args| text(base64(args.text(0)?.as_bytes()))),
    Row::new("b64dec", &[Type::String], b64dec),
    Row::new("b32enc", &[Type::String], |_, args| text(base32(args.text(0)?.as_bytes()))),
    Row::new("b32dec", &[Type::String], b32dec),
    Row::new("sha1sum", &[Type::String], |_, args| text(hex(&sha1::Sha1::digest(args.text(0)?.as_bytes())))),
    Row::new("sha256sum", &[Type::String], |_, args| text(hex(&sha2::Sha256::digest(args.text(0)?.as_bytes())))),
    Row::new("sha512sum", &[Type::String], |_, args| text(hex(&sha2::Sha512::digest(args.text(0)?.as_bytes())))),
    Row::new("adler32sum", &[Type::String], |_, args| text(adler32(args.text(0)?.as_bytes()).to_string())),
];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Standard base64 with padding.
pub(in crate::render) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, &b| bits << 8 | u32::from(b)) << (8 * (3 - group.len()));
        for index in 0..4 {
            let digit = BASE64[(bits >> (18 - 6 * index)) as usize & 63];
            out.push(if index <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// `base64.StdEncoding.DecodeString`: line breaks are skipped; the error is the offset that Go names.
pub(super) fn unbase64(bytes: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let mut at = 0;
    let skip = |mut at: usize| {
        while matches!(bytes.get(at), Some(b'\n' | b'\r')) {
            at += 1;
        }
        at
    };
    loop {
        let (mut bits, mut digits) = (0_u32, 0);
        while digits < 4 {
            let Some(&byte) = bytes.get(at) else {
                return if digits == 0 { Ok(out) } else { Err(at - digits) };
            };
            at += 1;
            if let Some(digit) = BASE64.iter().position(|&known| known == byte) {
                bits = bits << 6 | digit as u32;
                digits += 1;
                continue;
            }
            match (byte, digits) {
                (b'\n' | b'\r', _) => continue,
                (b'=', 2) => {
                    at = skip(at);
                    match bytes.get(at) {
                        Some(b'=') => at += 1,
                        Some(_) => return Err(at - 1),
                        None => return Err(bytes.len()),
                    }
                }
                (b'=', 3) => {}
                _ => return Err(at - 1),
            }
            at = skip(at);
            if at < bytes.len() {
                return Err(at);
            }
            let [_, a, b, _] = (bits << (6 * (4 - digits))).to_be_bytes();
            out.extend_from_slice(&[a, b][..digits - 1]);
            return Ok(out);
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
}

fn b64dec(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    match unbase64(args.text(0)?.as_bytes()) {
        Ok(bytes) => text(bytes),
        Err(offset) => text(format!("illegal base64 data at input byte {offset}")),
    }
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let bits = group.iter().fold(0_u64, |bits, &b| bits << 8 | u64::from(b)) << (8 * (5 - group.len()));
        for index in 0..8 {
            let digit = BASE32[(bits >> (35 - 5 * index)) as usize & 31];
            out.push(if index * 5 < group.len() * 8 { char::from(digit) } else { '=' });
        }
    }
    out
}

fn b32dec(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    match unbase32(args.text(0)?.as_bytes()) {
        Ok(bytes) => text(bytes),
        Err(offset) => text(format!("illegal base32 data at input byte {offset}")),
    }
}

/// `base32.StdEncoding.DecodeString`: line breaks are skipped, and not counted in the offset of an error.
fn unbase32(bytes: &[u8]) -> Result<Vec<u8>, usize> {
    let bytes: Vec<u8> = bytes.iter().copied().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let mut out = Vec::with_capacity(bytes.len() / 8 * 5);
    let mut at = 0;
    while at < bytes.len() {
        let (mut bits, mut digits, mut ended) = (0_u64, 0, false);
        while digits < 8 {
            let Some(&byte) = bytes.get(at) else {
                return Err(at - digits);
            };
            at += 1;
            let rest = &bytes[at..];
            if byte == b'=' && digits >= 2 && rest.len() < 8 {
                if rest.len() + digits < 7 {
                    return Err(bytes.len());
                }
                if let Some(wrong) = rest.iter().take(7 - digits).position(|&b| b != b'=') {
                    return Err(at + wrong - 1);
                }
                if matches!(digits, 3 | 6) {
                    return Err(at - 1);
                }
                ended = true;
                break;
            }
            let digit = BASE32.iter().position(|&known| known == byte).ok_or(at - 1)?;
            bits = bits << 5 | digit as u64;
            digits += 1;
        }
        let bits = bits << (5 * (8 - digits));
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + digits * 5 / 8]);
        if ended {
            break;
        }
    }
    Ok(out)
}

/// RFC 1950's checksum.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1_u32, 0_u32);
    // 5,552 is the most that cannot overflow.
    for chunk in bytes.chunks(5_552) {
        for &byte in chunk {
            a += u32::from(byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_round_trips_and_refuses_as_go() {
        for size in 0..20_u8 {
            let bytes: Vec<u8> = (0..size).map(|b| b.wrapping_mul(37)).collect();
            assert_eq!(unbase64(base64(&bytes).as_bytes()).unwrap(), bytes);
            assert_eq!(unbase32(base32(&bytes).as_bytes()).unwrap(), bytes);
        }
        for (text, offset) in
            [("a", 0), ("ab", 0), ("ab=", 3), ("ab=c", 2), ("!", 0), ("YQ==x", 4), ("YWJj\nY", 5), ("=", 0)]
        {
            assert_eq!(unbase64(text.as_bytes()), Err(offset), "{text}");
        }
        assert_eq!(unbase64(b"YW\nI=\n").unwrap(), b"ab");
    }
}
