//! Password hashes, derived passwords, and AES (chained blocks) under a password.

use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use hmac::Mac;

use super::args::Args;
use super::encoding::{base64, unbase64};
use super::strings::text;
use super::{Failure, Host, Row, Type};
use crate::render::any::Any;

pub(super) const ROWS: &[Row] = &[
    Row::new("bcrypt", &[Type::String], |host, args| text(bcrypt_or_error(host, args.text(0)?.as_bytes())?)),
    Row::new("htpasswd", &[Type::String, Type::String], htpasswd),
    Row::new(
        "derivePassword",
        &[Type::Uint32, Type::String, Type::String, Type::String, Type::String],
        derive_password,
    ),
    Row::new("encryptAES", &[Type::String, Type::String], encrypt),
    Row::new("decryptAES", &[Type::String, Type::String], decrypt),
];

/// Two to this many rounds: `bcrypt.DefaultCost`.
const BCRYPT_COST: u32 = 10;

/// What scrypt takes, in the units of [`Host::spend`].
const SCRYPT_WORK: u64 = 4;

const BLOCK: usize = 16;

/// `bcrypt.GenerateFromPassword`, whose error sprig returns as text.
fn bcrypt_or_error(host: &mut dyn Host, password: &[u8]) -> Result<String, Failure> {
    if password.len() > 72 {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".into());
    }
    host.spend(1)?;
    let mut salt = [0; 16];
    host.random(&mut salt);
    let mut key = password.to_vec();
    // The C string's end is part of the key.
    key.push(0);
    key.truncate(72);
    let hash = bcrypt::bcrypt(BCRYPT_COST, salt, &key);
    Ok(format!("$2a${BCRYPT_COST}${}{}", bcrypt_base64(&salt), bcrypt_base64(&hash[..23])))
}

/// bcrypt's base64: its own order of digits, and no padding.
fn bcrypt_base64(bytes: &[u8]) -> String {
    let moved = |c: char| match c {
        'A' => '.',
        'B' => '/',
        'C'..='Z' => char::from(c as u8 - 2),
        'a' => 'Y',
        'b' => 'Z',
        'c'..='z' => char::from(c as u8 - 2),
        '0' => 'y',
        '1' => 'z',
        '2'..='9' => char::from(c as u8 - 2),
        '+' => '8',
        _ => '9',
    };
    base64(bytes).trim_end_matches('=').chars().map(moved).collect()
}

fn htpasswd(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let (user, password) = (args.text(0)?.as_bytes(), args.text(1)?.as_bytes());
    if user.contains(&b':') {
        return text([b"invalid username: ", user].concat());
    }
    let hash = bcrypt_or_error(host, password)?;
    text([user, b":", hash.as_bytes()].concat())
}

/// What Master Password calls its templates: each letter stands for a class of characters.
fn password_templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn password_characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The Master Password algorithm.
fn derive_password(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let kind = args.text(1)?.as_bytes();
    let Some(templates) = password_templates(kind) else {
        return text([b"cannot find password template ", kind].concat());
    };
    host.spend(SCRYPT_WORK)?;
    let (password, user, site) = (args.text(2)?.as_bytes(), args.text(3)?.as_bytes(), args.text(4)?.as_bytes());
    let length = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes();
    let failed = |error: &dyn std::fmt::Display| Failure::new(format!("failed to derive password: {error}"));
    let salt = [SEED, &length(user), user].concat();
    let params = scrypt::Params::new(15, 8, 2, 64).map_err(|error| failed(&error))?;
    let mut key = [0; 64];
    scrypt::scrypt(password, &salt, &params, &mut key).map_err(|error| failed(&error))?;
    let mut mac = <hmac::Hmac<sha2::Sha256> as Mac>::new_from_slice(&key).map_err(|error| failed(&error))?;
    let counter = (args.int(0)? as u32).to_be_bytes();
    mac.update(&[SEED, &length(site), site, &counter].concat());
    let seed = mac.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let chosen: Vec<u8> = template
        .bytes()
        .zip(&seed[1..])
        .map(|(class, byte)| {
            let characters = password_characters(class);
            characters[usize::from(*byte) % characters.len()]
        })
        .collect();
    text(chosen)
}

/// The key of a password: cut or filled with zeros to 32 bytes.
fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let used = password.len().min(32);
    key[..used].copy_from_slice(&password[..used]);
    key
}

/// In the units of [`Host::spend`]: short texts take next to nothing.
fn aes_work(bytes: &[u8]) -> u64 {
    bytes.len() as u64 >> 20
}

fn encrypt(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let (password, plain) = (args.text(0)?.as_bytes(), args.text(1)?.as_bytes());
    if plain.is_empty() {
        return text("");
    }
    host.spend(aes_work(plain))?;
    let padding = BLOCK - plain.len() % BLOCK;
    let padded = [plain, &vec![padding as u8; padding]].concat();
    let mut previous = [0; BLOCK];
    host.random(&mut previous);
    let cipher = aes::Aes256::new(&aes_key(password).into());
    let mut out = previous.to_vec();
    for block in padded.chunks(BLOCK) {
        previous.iter_mut().zip(block).for_each(|(mixed, byte)| *mixed ^= byte);
        cipher.encrypt_block((&mut previous).into());
        out.extend_from_slice(&previous);
    }
    text(base64(&out))
}

fn decrypt(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let (password, encrypted) = (args.text(0)?.as_bytes(), args.text(1)?.as_bytes());
    if encrypted.is_empty() {
        return text("");
    }
    host.spend(aes_work(encrypted))?;
    let bytes =
        unbase64(encrypted).map_err(|offset| Failure::new(format!("illegal base64 data at input byte {offset}")))?;
    let Some((iv, blocks)) = bytes.split_first_chunk::<BLOCK>() else {
        return Err(Failure::new(format!(
            "runtime error: slice bounds out of range [:{BLOCK}] with capacity {}",
            encrypted.len() / 4 * 3
        )));
    };
    if blocks.len() % BLOCK != 0 {
        return Err(Failure::new("crypto/cipher: input not full blocks"));
    }
    let cipher = aes::Aes256::new(&aes_key(password).into());
    let mut out = Vec::with_capacity(blocks.len());
    let mut previous = &iv[..];
    for block in blocks.chunks(BLOCK) {
        let mut plain = *aes::Block::from_slice(block);
        cipher.decrypt_block(&mut plain);
        out.extend(plain.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
        previous = block;
    }
    let Some(&padding) = out.last() else {
        return Err(Failure::new("runtime error: index out of range [-1]"));
    };
    // Go cuts off what the last byte says, right or wrong.
    let kept = out.len().checked_sub(usize::from(padding)).ok_or_else(|| {
        Failure::new(format!("runtime error: slice bounds out of range [:{}]", out.len() as i64 - i64::from(padding)))
    })?;
    text(&out[..kept])
}
