//! Private keys: made, read from PEM, written as sprig writes them, and signing.

use num_bigint::BigUint;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rsa::rand_core::{self, CryptoRng, RngCore};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::Digest;
use sha2::{Sha256, Sha384};

use super::der::{Reader, bit_string, element, integer, oid, pem, sequence, tag, unpem};
use super::primes::{prime, prime_above_multiple, random};
use crate::render::functions::Host;

/// A private key.
pub(super) enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Dsa(Dsa),
}

/// A key for DSA, which Go makes and writes, but refuses in certificates.
pub(super) struct Dsa {
    p: BigUint,
    q: BigUint,
    g: BigUint,
    y: BigUint,
    x: BigUint,
}

// Object identifiers, encoded.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// What PKCS #1 puts before a SHA-256 hash.
const SHA256_INFO: &[u8] = &[0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];

/// The host's randomness for the crates that make keys.
struct Randomness<'h>(&'h mut dyn Host);

impl RngCore for Randomness<'_> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Randomness<'_> {}

impl PrivateKey {
    /// A key of `genPrivateKey`'s type; `None` for one that sprig does not know.
    pub(super) fn generate(host: &mut dyn Host, kind: &[u8]) -> Option<Result<Self, String>> {
        Some(match kind {
            b"" | b"rsa" => Self::rsa(host, 4096),
            b"dsa" => Ok(Self::Dsa(Dsa::generate(host))),
            b"ecdsa" => Ok(Self::P256(p256::ecdsa::SigningKey::random(&mut Randomness(host)))),
            b"ed25519" => {
                let mut seed = [0; 32];
                host.random(&mut seed);
                Ok(Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed))))
            }
            _ => return None,
        })
    }

    /// An RSA key of so many bits.
    pub(super) fn rsa(host: &mut dyn Host, bits: u64) -> Result<Self, String> {
        let mut make = || {
            let [p, q] = [(); 2].map(|()| rsa::BigUint::from_bytes_be(&prime(host, bits / 2).to_bytes_be()));
            RsaPrivateKey::from_p_q(p, q, rsa::BigUint::from(65_537_u32))
        };
        // The exponent divides one less than a prime once in some ten thousand times.
        let key = make().or_else(|_| make()).map_err(|error| error.to_string())?;
        Ok(Self::Rsa(Box::new(key)))
    }

    /// What it takes to make a key of `genPrivateKey`'s type, in the units of [`Host::spend`].
    pub(super) fn work(kind: &[u8]) -> u64 {
        match kind {
            b"" | b"rsa" => 16,
            b"dsa" => 8,
            _ => 1,
        }
    }

    /// What a signature takes, in the units of [`Host::spend`]: that of RSA grows with the cube of the size.
    pub(super) fn signing_work(&self) -> u64 {
        match self {
            Self::Rsa(key) => 1 + (key.size() as u64 * 8 / 4096).pow(3),
            _ => 1,
        }
    }

    /// sprig's `parsePrivateKeyPEM`
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let (label, der) = unpem(text).ok_or("no PEM data in input")?;
        if label == "PRIVATE KEY" {
            return pkcs8(&der).ok_or_else(|| "decoding PEM as PKCS#8: the key cannot be read".into());
        }
        let Some(kind) = label.strip_suffix(" PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {label}"));
        };
        let read = match kind {
            "RSA" => pkcs1(&der),
            "EC" => sec1(&der, None),
            "DSA" => Dsa::read(&der).map(Self::Dsa),
            _ => return Err(format!("invalid private key type {kind}")),
        };
        read.ok_or_else(|| format!("parsing {kind} private key from PEM: the key cannot be read"))
    }

    /// The PEM that sprig writes: each algorithm's own form, PKCS #8 for Ed25519.
    pub(super) fn to_pem(&self) -> String {
        match self {
            Self::Rsa(key) => pem("RSA PRIVATE KEY", &pkcs1_of(key)),
            Self::P256(key) => pem("EC PRIVATE KEY", &sec1_of(&key.to_bytes(), P256, &self.public_point())),
            Self::P384(key) => pem("EC PRIVATE KEY", &sec1_of(&key.to_bytes(), P384, &self.public_point())),
            Self::Dsa(key) => pem("DSA PRIVATE KEY", &key.write()),
            Self::Ed25519(key) => {
                let seed = element(tag::OCTET_STRING, &key.to_bytes());
                let der = sequence(&[integer(&[]), sequence(&[oid(ED25519)]), element(tag::OCTET_STRING, &seed)]);
                pem("PRIVATE KEY", &der)
            }
        }
    }

    fn public_point(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.verifying_key().as_affine().to_encoded_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.verifying_key().as_affine().to_encoded_point(false).as_bytes().to_vec(),
            _ => Vec::new(),
        }
    }

    /// The public key's algorithm and bits, for `SubjectPublicKeyInfo`; `None` for DSA.
    pub(super) fn public(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        Some(match self {
            Self::Rsa(key) => (
                sequence(&[oid(RSA), element(tag::NULL, &[])]),
                sequence(&[integer(&key.n().to_bytes_be()), integer(&key.e().to_bytes_be())]),
            ),
            Self::P256(_) => (sequence(&[oid(EC), oid(P256)]), self.public_point()),
            Self::P384(_) => (sequence(&[oid(EC), oid(P384)]), self.public_point()),
            Self::Ed25519(key) => (sequence(&[oid(ED25519)]), key.verifying_key().to_bytes().to_vec()),
            Self::Dsa(_) => return None,
        })
    }

    /// The algorithm that the key signs with, encoded; `None` for DSA.
    pub(super) fn signature_algorithm(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Rsa(_) => sequence(&[oid(SHA256_WITH_RSA), element(tag::NULL, &[])]),
            Self::P256(_) => sequence(&[oid(ECDSA_SHA256)]),
            Self::P384(_) => sequence(&[oid(ECDSA_SHA384)]),
            Self::Ed25519(_) => sequence(&[oid(ED25519)]),
            Self::Dsa(_) => return None,
        })
    }

    /// Signs; the same key and message give the same signature.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        use p256::ecdsa::signature::Signer;
        use p256::ecdsa::signature::hazmat::PrehashSigner;
        Ok(match self {
            Self::Rsa(key) => {
                let info = [SHA256_INFO, &Sha256::digest(message)].concat();
                key.sign(Pkcs1v15Sign::new_unprefixed(), &info).map_err(|error| error.to_string())?
            }
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.sign_prehash(&Sha256::digest(message)).map_err(|error| error.to_string())?;
                signature.to_der().as_bytes().to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature =
                    key.sign_prehash(&Sha384::digest(message)).map_err(|error| error.to_string())?;
                signature.to_der().as_bytes().to_vec()
            }
            Self::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Self::Dsa(_) => return Err("x509: certificate private key does not implement crypto.Signer".into()),
        })
    }
}

impl Dsa {
    /// L2048N256, as sprig asks for.
    fn generate(host: &mut dyn Host) -> Self {
        let one = BigUint::from(1_u8);
        let q = prime(host, 256);
        let p = prime_above_multiple(host, 2048, &q);
        let exponent = (&p - &one) / &q;
        let g =
            (2_u8..).map(|base| BigUint::from(base).modpow(&exponent, &p)).find(|g| *g != one).unwrap_or(one.clone());
        // Eight bytes more than q has: the remainder is as good as even.
        let x = random(host, 40) % (&q - &one) + &one;
        let y = g.modpow(&x, &p);
        Self { p, q, g, y, x }
    }

    fn write(&self) -> Vec<u8> {
        let numbers = [&self.p, &self.q, &self.g, &self.y, &self.x].map(|number| integer(&number.to_bytes_be()));
        sequence(&[vec![integer(&[])], numbers.to_vec()].concat())
    }

    fn read(der: &[u8]) -> Option<Self> {
        let mut fields = Reader(der).inside(tag::SEQUENCE)?;
        fields.expect(tag::INTEGER)?;
        let mut number = || fields.expect(tag::INTEGER).map(BigUint::from_bytes_be);
        Some(Self { p: number()?, q: number()?, g: number()?, y: number()?, x: number()? })
    }
}

fn pkcs1_of(key: &RsaPrivateKey) -> Vec<u8> {
    let mut numbers = vec![key.n().clone(), key.e().clone(), key.d().clone()];
    numbers.extend(key.primes().iter().cloned());
    let one = rsa::BigUint::from(1_u8);
    numbers.extend(key.primes().iter().map(|prime| key.d() % (prime - &one)));
    numbers.extend(key.qinv().and_then(|qinv| qinv.to_biguint()));
    let numbers = numbers.iter().map(|number| integer(&number.to_bytes_be()));
    sequence(&[integer(&[])].into_iter().chain(numbers).collect::<Vec<_>>())
}

fn pkcs1(der: &[u8]) -> Option<PrivateKey> {
    let mut fields = Reader(der).inside(tag::SEQUENCE)?;
    fields.expect(tag::INTEGER)?;
    let mut number = || fields.expect(tag::INTEGER).map(rsa::BigUint::from_bytes_be);
    let (n, e, d, p, q) = (number()?, number()?, number()?, number()?, number()?);
    // Larger ones than any real key would take long to compute with.
    if n.bits() > 16_384 {
        return None;
    }
    let mut key = RsaPrivateKey::from_components(n, e, d, vec![p, q]).ok()?;
    key.precompute().ok()?;
    Some(PrivateKey::Rsa(Box::new(key)))
}

fn sec1_of(secret: &[u8], curve: &[u8], point: &[u8]) -> Vec<u8> {
    sequence(&[
        integer(&[1]),
        element(tag::OCTET_STRING, secret),
        element(tag::CONTEXT, &oid(curve)),
        element(tag::CONTEXT | 1, &bit_string(point)),
    ])
}

fn sec1(der: &[u8], curve: Option<&[u8]>) -> Option<PrivateKey> {
    let mut fields = Reader(der).inside(tag::SEQUENCE)?;
    fields.expect(tag::INTEGER)?;
    let secret = fields.expect(tag::OCTET_STRING)?;
    let curve = match curve {
        Some(curve) => curve,
        None => fields.inside(tag::CONTEXT)?.expect(tag::OID)?,
    };
    match curve {
        P256 => p256::ecdsa::SigningKey::from_slice(secret).ok().map(PrivateKey::P256),
        P384 => p384::ecdsa::SigningKey::from_slice(secret).ok().map(PrivateKey::P384),
        _ => None,
    }
}

fn pkcs8(der: &[u8]) -> Option<PrivateKey> {
    let mut fields = Reader(der).inside(tag::SEQUENCE)?;
    fields.expect(tag::INTEGER)?;
    let mut algorithm = fields.inside(tag::SEQUENCE)?;
    let secret = fields.expect(tag::OCTET_STRING)?;
    match algorithm.expect(tag::OID)? {
        RSA => pkcs1(secret),
        EC => sec1(secret, Some(algorithm.expect(tag::OID)?)),
        ED25519 => {
            let seed: &[u8; 32] = Reader(secret).expect(tag::OCTET_STRING)?.try_into().ok()?;
            Some(PrivateKey::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::host::Source;

    fn generate(seed: u64, kind: &str) -> PrivateKey {
        PrivateKey::generate(&mut *Source::reproducible(seed).host(0), kind.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn keys_come_from_the_seed_and_round_trip() {
        let rsa = |seed| PrivateKey::rsa(&mut *Source::reproducible(seed).host(0), 2048).unwrap();
        let pems = |seed| {
            let others = ["dsa", "ecdsa", "ed25519"].map(|kind| generate(seed, kind));
            others.into_iter().chain([rsa(seed)]).map(|key| key.to_pem()).collect::<Vec<_>>()
        };
        let made = pems(1);
        for (pem, other) in made.iter().zip(pems(2)) {
            assert_eq!(PrivateKey::parse(pem.as_bytes()).unwrap().to_pem(), *pem);
            assert_ne!(*pem, other);
        }
        assert_eq!(pems(1), made);
    }

    #[test]
    fn rsa_keys_have_all_their_bits() {
        let PrivateKey::Rsa(key) = generate(1, "rsa") else { panic!("RSA") };
        assert_eq!(key.n().bits(), 4096);
        assert_eq!(key.validate(), Ok(()));
    }

    #[test]
    fn dsa_keys_are_consistent() {
        let PrivateKey::Dsa(Dsa { p, q, g, y, x }) = generate(1, "dsa") else { panic!("DSA") };
        let one = BigUint::from(1_u8);
        assert_eq!((p.bits(), q.bits(), &p % &q), (2048, 256, one.clone()));
        assert_eq!(g.modpow(&q, &p), one);
        assert_eq!((g.modpow(&x, &p), x < q), (y, true));
    }
}
