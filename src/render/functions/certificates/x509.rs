//! X.509 certificates as Go's `x509.CreateCertificate` makes them from sprig's template.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::der::{Reader, bit_string, element, integer, oid, sequence, tag};
use super::keys::PrivateKey;
use crate::render::functions::layout;
use crate::render::functions::time::Time;
use crate::render::strconv::quote;

/// What a certificate says.
pub(super) struct Template {
    pub common_name: Vec<u8>,
    pub ips: Vec<IpAddr>,
    pub dns_names: Vec<Vec<u8>>,
    pub serial: [u8; 16],
    pub not_before: Time,
    pub not_after: Time,
    pub is_ca: bool,
}

/// Who signs another's certificate.
pub(super) struct Issuer {
    /// The encoded name
    subject: Vec<u8>,
    key_id: Vec<u8>,
    public_key: Vec<u8>,
}

impl Issuer {
    /// Reads a certificate.
    pub(super) fn parse(der: &[u8]) -> Result<Self, String> {
        Self::read(der).ok_or_else(|| "x509: malformed certificate".into())
    }

    fn read(der: &[u8]) -> Option<Self> {
        let mut fields = Reader(der).inside(tag::SEQUENCE)?.inside(tag::SEQUENCE)?;
        if fields.peek() == Some(tag::CONTEXT) {
            fields.next()?;
        }
        fields.expect(tag::INTEGER)?;
        fields.expect(tag::SEQUENCE)?;
        fields.expect(tag::SEQUENCE)?;
        fields.expect(tag::SEQUENCE)?;
        let (_, _, subject) = fields.next()?;
        let (_, _, public_key) = fields.next()?;
        let mut key_id = Vec::new();
        while let Some((found, content, _)) = fields.next() {
            if found != tag::CONTEXT | 3 {
                continue;
            }
            let mut extensions = Reader(content).inside(tag::SEQUENCE)?;
            while let Some(mut extension) = extensions.inside(tag::SEQUENCE) {
                if extension.expect(tag::OID)? == SUBJECT_KEY_ID {
                    if extension.peek() == Some(tag::BOOLEAN) {
                        extension.next()?;
                    }
                    key_id = Reader(extension.expect(tag::OCTET_STRING)?).expect(tag::OCTET_STRING)?.to_vec();
                }
            }
        }
        Some(Self { subject: subject.to_vec(), key_id, public_key: public_key.to_vec() })
    }
}

// Object identifiers, encoded.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 14];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

/// Makes a certificate for a key, signed by another (or itself, without an issuer).
pub(super) fn create(
    template: &Template,
    key: &PrivateKey,
    issuer: Option<&Issuer>,
    signer: &PrivateKey,
) -> Result<Vec<u8>, String> {
    let algorithm =
        signer.signature_algorithm().ok_or("x509: certificate private key does not implement crypto.Signer")?;
    let (key_algorithm, public_key) = key.public().ok_or("x509: unsupported public key type: *dsa.PublicKey")?;
    let subject = name(&template.common_name)?;
    let public_key_info = |algorithm: Vec<u8>, bits: &[u8]| sequence(&[algorithm, bit_string(bits)]);
    if let Some(issuer) = issuer {
        let signers = signer.public().map(|(algorithm, bits)| public_key_info(algorithm, &bits));
        if signers.as_ref() != Some(&issuer.public_key) {
            return Err("x509: provided PrivateKey doesn't match parent's PublicKey".into());
        }
    }
    let issuer_name = issuer.map_or_else(|| subject.clone(), |issuer| issuer.subject.clone());
    let authority = issuer.filter(|issuer| issuer.subject != subject).map(|issuer| &*issuer.key_id);
    let contents = sequence(&[
        element(tag::CONTEXT, &integer(&[2])),
        integer(&template.serial),
        algorithm.clone(),
        issuer_name,
        sequence(&[moment(&template.not_before), moment(&template.not_after)]),
        subject,
        public_key_info(key_algorithm, &public_key),
        element(tag::CONTEXT | 3, &extensions(template, &public_key, authority.unwrap_or_default())?),
    ]);
    let signature = signer.sign(&contents)?;
    Ok(sequence(&[contents, algorithm, bit_string(&signature)]))
}

/// A name that is a common name alone, or nothing.
fn name(common_name: &[u8]) -> Result<Vec<u8>, String> {
    if common_name.is_empty() {
        return Ok(sequence(&[]));
    }
    if std::str::from_utf8(common_name).is_err() {
        return Err("asn1: string not valid UTF-8".into());
    }
    let printable = |b: &u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(b);
    let kind = if common_name.iter().all(printable) { tag::PRINTABLE_STRING } else { tag::UTF8_STRING };
    let attribute = sequence(&[oid(COMMON_NAME), element(kind, common_name)]);
    Ok(sequence(&[element(tag::SET, &attribute)]))
}

/// Until 2049 with two digits of the year.
fn moment(time: &Time) -> Vec<u8> {
    if (1950..2050).contains(&time.date().year) {
        element(tag::UTC_TIME, layout::format(time, "060102150405Z").as_bytes())
    } else {
        element(tag::GENERALIZED_TIME, layout::format(time, "20060102150405Z").as_bytes())
    }
}

fn extensions(template: &Template, public_key: &[u8], authority: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut add = |id: &[u8], critical: bool, value: Vec<u8>| {
        let mut fields = vec![oid(id)];
        if critical {
            fields.push(element(tag::BOOLEAN, &[0xff]));
        }
        fields.push(element(tag::OCTET_STRING, &value));
        out.push(sequence(&fields));
    };
    // Digital signatures, key encipherment, and for an authority the signing of certificates.
    let usage = if template.is_ca { [2, 0b1010_0100] } else { [5, 0b1010_0000] };
    add(KEY_USAGE, true, element(tag::BIT_STRING, &usage));
    add(EXTENDED_KEY_USAGE, false, sequence(&[oid(SERVER_AUTH), oid(CLIENT_AUTH)]));
    let constraints = if template.is_ca { vec![element(tag::BOOLEAN, &[0xff])] } else { Vec::new() };
    add(BASIC_CONSTRAINTS, true, sequence(&constraints));
    if template.is_ca {
        // RFC 7093, method 1.
        add(SUBJECT_KEY_ID, false, element(tag::OCTET_STRING, &Sha256::digest(public_key)[..20]));
    }
    if !authority.is_empty() {
        add(AUTHORITY_KEY_ID, false, sequence(&[element(tag::CONTEXT_SIMPLE, authority)]));
    }
    let mut names = Vec::new();
    for name in &template.dns_names {
        if !name.is_ascii() {
            return Err(format!("x509: {} cannot be encoded as an IA5String", quote(name, false)));
        }
        names.push(element(tag::CONTEXT_SIMPLE | 2, name));
    }
    for ip in &template.ips {
        let bytes = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| ip.octets().to_vec(), |ip| ip.octets().to_vec()),
        };
        names.push(element(tag::CONTEXT_SIMPLE | 7, &bytes));
    }
    if !names.is_empty() {
        add(SUBJECT_ALT_NAME, template.common_name.is_empty(), sequence(&names));
    }
    Ok(sequence(&out))
}
