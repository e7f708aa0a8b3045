//! Private keys and certificates. They are real, as sprig's are; with `--seed` they are the same every time.

mod der;
mod keys;
mod primes;
mod x509;

use std::any::Any as StdAny;
use std::net::IpAddr;
use std::rc::Rc;

use self::der::{pem, unpem};
use self::keys::PrivateKey;
use self::x509::{Issuer, Template};
use super::args::Args;
use super::encoding::unbase64;
use super::strings::text;
use super::time::Time;
use super::types::sprint;
use super::{Failure, Host, Row, Type};
use crate::render::any::{Any, List, Object, Text};
use crate::value::{Map, Value};

pub(super) const ROWS: &[Row] = &[
    Row::new("genPrivateKey", &[Type::String], gen_private_key),
    Row::new("buildCustomCert", &[Type::String, Type::String], build_custom_cert),
    Row::new("genCA", &[Type::String, Type::Int], |host, args| {
        let key = new_key(host)?;
        certify(host, authority(args)?, &key, None)
    }),
    Row::new("genCAWithKey", &[Type::String, Type::Int, Type::String], |host, args| {
        let key = given_key(args.text(2)?)?;
        certify(host, authority(args)?, &key, None)
    }),
    Row::new("genSelfSignedCert", SELF_SIGNED, |host, args| {
        let key = new_key(host)?;
        certify(host, request(args)?, &key, None)
    }),
    Row::new("genSelfSignedCertWithKey", SELF_SIGNED_WITH_KEY, |host, args| {
        let key = given_key(args.text(4)?)?;
        certify(host, request(args)?, &key, None)
    }),
    Row::new("genSignedCert", SIGNED, |host, args| {
        let key = new_key(host)?;
        let signer = signer(args)?;
        certify(host, request(args)?, &key, Some(signer))
    }),
    Row::new("genSignedCertWithKey", SIGNED_WITH_KEY, |host, args| {
        let key = given_key(args.text(5)?)?;
        let signer = signer(args)?;
        certify(host, request(args)?, &key, Some(signer))
    }),
];

const SELF_SIGNED: &[Type] = &[Type::String, Type::List, Type::List, Type::Int];
const SELF_SIGNED_WITH_KEY: &[Type] = &[Type::String, Type::List, Type::List, Type::Int, Type::String];
const SIGNED: &[Type] = &[Type::String, Type::List, Type::List, Type::Int, Type::Certificate];
const SIGNED_WITH_KEY: &[Type] = &[Type::String, Type::List, Type::List, Type::Int, Type::Certificate, Type::String];

/// sprig's `certificate`: two PEM texts.
struct Certificate {
    cert: Text,
    key: Text,
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        "sprig.certificate"
    }

    fn field(&self, name: &str) -> Option<Any> {
        match name {
            "Cert" => Some(Any::String(self.cert.clone())),
            "Key" => Some(Any::String(self.key.clone())),
            _ => None,
        }
    }

    fn print(&self) -> Text {
        [b"{", self.cert.as_bytes(), b" ", self.key.as_bytes(), b"}"].concat().into()
    }

    fn to_value(&self) -> Value {
        let fields = [("Cert", &self.cert), ("Key", &self.key)];
        Value::from(fields.map(|(name, text)| (name, Value::from(&*text.to_str()))).into_iter().collect::<Map>())
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// What a certificate is asked to say, but for its serial number and dates.
struct Request {
    common_name: Text,
    ips: Vec<IpAddr>,
    dns_names: Vec<Vec<u8>>,
    days: i64,
    is_ca: bool,
}

fn gen_private_key(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let kind = args.text(0)?.as_bytes();
    host.spend(PrivateKey::work(kind))?;
    match PrivateKey::generate(host, kind) {
        Some(Ok(key)) => text(key.to_pem()),
        Some(Err(error)) => text(format!("failed to generate private key: {error}")),
        None => text([b"Unknown type ", kind].concat()),
    }
}

fn new_key(host: &mut dyn Host) -> Result<PrivateKey, Failure> {
    host.spend(2)?;
    PrivateKey::rsa(host, 2048).map_err(|error| Failure::new(format!("error generating rsa key: {error}")))
}

fn given_key(pem: &Text) -> Result<PrivateKey, Failure> {
    PrivateKey::parse(pem.as_bytes()).map_err(|error| Failure::new(format!("parsing private key: {error}")))
}

fn authority(args: &[Any]) -> Result<Request, Failure> {
    Ok(Request {
        common_name: args.text(0)?.clone(),
        ips: Vec::new(),
        dns_names: Vec::new(),
        days: args.int(1)?,
        is_ca: true,
    })
}

fn request(args: &[Any]) -> Result<Request, Failure> {
    Ok(Request {
        common_name: args.text(0)?.clone(),
        ips: ips(&args.list(1)?)?,
        dns_names: dns_names(&args.list(2)?)?,
        days: args.int(3)?,
        is_ca: false,
    })
}

fn ips(list: &List) -> Result<Vec<IpAddr>, Failure> {
    let parse = |item: &Any| match item {
        Any::String(text) => {
            text.to_str().parse().map_err(|_| Failure::new(format!("error parsing ip: {}", text.to_str())))
        }
        other => Err(Failure::new(format!("error parsing ip: {} is not a string", sprint(other)?.to_str()))),
    };
    list.items.iter().map(parse).collect()
}

fn dns_names(list: &List) -> Result<Vec<Vec<u8>>, Failure> {
    let read = |item: &Any| match item {
        Any::String(text) => Ok(text.as_bytes().to_vec()),
        other => Err(Failure::new(format!(
            "error processing alternate dns name: {} is not a string",
            sprint(other)?.to_str()
        ))),
    };
    list.items.iter().map(read).collect()
}

/// The authority of the fifth argument: its certificate and its key.
fn signer(args: &[Any]) -> Result<(Issuer, PrivateKey), Failure> {
    let authority = match args.any(4)? {
        Any::Object(object) => object.as_any().downcast_ref::<Certificate>(),
        _ => None,
    };
    let authority = authority.ok_or_else(|| Failure::new("wrong type for value; expected sprig.certificate"))?;
    let (_, der) = unpem(authority.cert.as_bytes()).ok_or_else(|| Failure::new("unable to decode certificate"))?;
    let issuer = Issuer::parse(&der)
        .map_err(|error| Failure::new(format!("error parsing certificate: decodedSignerCert.Bytes: {error}")))?;
    let key = PrivateKey::parse(authority.key.as_bytes())
        .map_err(|error| Failure::new(format!("error parsing private key: {error}")))?;
    Ok((issuer, key))
}

fn certify(
    host: &mut dyn Host,
    request: Request,
    key: &PrivateKey,
    signer: Option<(Issuer, PrivateKey)>,
) -> Result<Any, Failure> {
    const DAY: i64 = 24 * 3_600 * super::duration::SECOND;
    let mut serial = [0; 16];
    host.random(&mut serial);
    let (seconds, _) = host.now();
    let not_before = Time::unix(seconds, 0);
    let template = Template {
        common_name: request.common_name.as_bytes().to_vec(),
        ips: request.ips,
        dns_names: request.dns_names,
        serial,
        not_after: not_before.plus(DAY.wrapping_mul(request.days)),
        not_before,
        is_ca: request.is_ca,
    };
    let (issuer, signing) = match &signer {
        Some((issuer, key)) => (Some(issuer), key),
        None => (None, key),
    };
    host.spend(signing.signing_work())?;
    let der = x509::create(&template, key, issuer, signing)
        .map_err(|error| Failure::new(format!("error creating certificate: {error}")))?;
    Ok(Any::Object(Rc::new(Certificate { cert: pem("CERTIFICATE", &der).into(), key: key.to_pem().into() })))
}

fn build_custom_cert(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let decoded = |index: usize, what: &str| {
        unbase64(args.text(index)?.as_bytes()).map_err(|_| Failure::new(format!("unable to decode base64 {what}")))
    };
    let cert = decoded(0, "certificate")?;
    let key = decoded(1, "private key")?;
    let (_, der) = unpem(&cert).ok_or_else(|| Failure::new("unable to decode certificate"))?;
    Issuer::parse(&der)
        .map_err(|error| Failure::new(format!("error parsing certificate: decodedCert.Bytes: {error}")))?;
    PrivateKey::parse(&key).map_err(|error| Failure::new(format!("error parsing private key: {error}")))?;
    Ok(Any::Object(Rc::new(Certificate { cert: cert.into(), key: key.into() })))
}
