//! Random primes for keys: an arithmetic progression is sieved, and what is left put to the Miller-Rabin test.

use std::sync::OnceLock;

use num_bigint::BigUint;

use crate::render::functions::Host;

/// How many terms of a progression are sieved at once: some ten times what a prime of 2048 bits is away.
const WINDOW: usize = 1 << 13;

/// The sieve's primes are below this many times the bits of what is sought, where one more costs what it saves.
const PRIMES_PER_BIT: u64 = 128;

/// No prime of the sieve is larger.
const LARGEST: usize = 1 << 18;

/// A random number of so many bytes.
pub(super) fn random(host: &mut dyn Host, bytes: u64) -> BigUint {
    let mut buffer = vec![0; bytes as usize];
    host.random(&mut buffer);
    BigUint::from_bytes_be(&buffer)
}

/// A random prime of so many bits, the first two of which are set: the product of two has twice the bits.
pub(super) fn prime(host: &mut dyn Host, bits: u64) -> BigUint {
    search(host, (BigUint::from(3_u8) << (bits - 2)) + 1_u8, &BigUint::from(2_u8), bits)
}

/// A random prime of so many bits that is one more than a multiple of an odd prime, as DSA needs it.
pub(super) fn prime_above_multiple(host: &mut dyn Host, bits: u64, factor: &BigUint) -> BigUint {
    let step = factor << 1;
    let half = BigUint::from(1_u8) << (bits - 1);
    let lowest = &half - &half % &step + &step + 1_u8;
    search(host, lowest, &step, bits)
}

/// A prime of so many bits among `lowest`, `lowest + step` and so on, which have no factor in common: the first from
/// a random term on, and around.
fn search(host: &mut dyn Host, lowest: BigUint, step: &BigUint, bits: u64) -> BigUint {
    let terms = ((BigUint::from(1_u8) << bits) - &lowest) / step;
    // With so much more than is asked for, the remainder is as good as even.
    let mut start = &lowest + random(host, bits / 8 + 8) % terms * step;
    loop {
        for index in sieve(&start, step, bits) {
            let candidate = &start + step * index;
            if candidate.bits() == bits && is_prime(host, &candidate) {
                return candidate;
            }
        }
        start += step * WINDOW;
        if start.bits() > bits {
            start.clone_from(&lowest);
        }
    }
}

/// Which terms of a window of a progression have no small factor.
fn sieve(start: &BigUint, step: &BigUint, bits: u64) -> impl Iterator<Item = usize> {
    let mut composite = vec![false; WINDOW];
    let primes = small_primes();
    let used = primes.partition_point(|&prime| prime < bits * PRIMES_PER_BIT);
    // Three of them fit in a word: one division of a large number serves them all.
    for group in primes.get(..used).unwrap_or_default().chunks(3) {
        let product: u64 = group.iter().product();
        let (start, step) = (remainder(start, product), remainder(step, product));
        for &prime in group {
            let Some(inverse) = inverse(step % prime, prime) else { continue };
            let first = (prime - start % prime) * inverse % prime;
            composite.iter_mut().skip(first as usize).step_by(prime as usize).for_each(|mark| *mark = true);
        }
    }
    composite.into_iter().enumerate().filter(|(_, composite)| !composite).map(|(index, _)| index)
}

fn remainder(number: &BigUint, divisor: u64) -> u64 {
    (number % divisor).iter_u64_digits().next().unwrap_or_default()
}

/// The inverse of a number modulo a larger prime; none of zero.
fn inverse(number: u64, prime: u64) -> Option<u64> {
    let (mut above, mut below) = ((prime as i64, 0), (number as i64, 1));
    while below.0 != 0 {
        let quotient = above.0 / below.0;
        (above, below) = (below, (above.0 - quotient * below.0, above.1 - quotient * below.1));
    }
    (above.0 == 1).then(|| above.1.rem_euclid(prime as i64) as u64)
}

/// The odd primes below [`LARGEST`].
fn small_primes() -> &'static [u64] {
    static PRIMES: OnceLock<Vec<u64>> = OnceLock::new();
    PRIMES.get_or_init(|| {
        let mut composite = vec![false; LARGEST];
        let mut primes = Vec::new();
        for number in (3..LARGEST).step_by(2) {
            if !composite.get(number).is_some_and(|&composite| composite) {
                primes.push(number as u64);
                composite.iter_mut().skip(number * number).step_by(2 * number).for_each(|mark| *mark = true);
            }
        }
        primes
    })
}

/// The Miller-Rabin test of a random odd number of at least 256 bits. The rounds are those of Go's `crypto/rsa`: large
/// random composites pass far less often than a quarter of the time (FIPS 186-5, appendix C.1).
fn is_prime(host: &mut dyn Host, number: &BigUint) -> bool {
    let one = BigUint::from(1_u8);
    let last = number - &one;
    let twos = last.trailing_zeros().unwrap_or_default();
    let odd = &last >> twos;
    let rounds = if number.bits() >= 1024 { 5 } else { 27 };
    (0..rounds).all(|_| {
        // From 2 to two less than the number.
        let base = random(host, number.bits() / 8 + 8) % (number - 3_u8) + 2_u8;
        let mut power = base.modpow(&odd, number);
        if power == one || power == last {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % number;
            power == last
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::host::Source;

    #[test]
    fn small_primes_are_all_there() {
        assert_eq!(small_primes()[..8], [3, 5, 7, 11, 13, 17, 19, 23]);
        // π(2^18), without 2.
        assert_eq!(small_primes().len(), 22_999);
    }

    #[test]
    fn the_sieve_leaves_what_no_small_prime_divides() {
        let (start, step) = (BigUint::from(1_000_003_u32), BigUint::from(22_u8));
        let left: Vec<usize> = sieve(&start, &step, 1).collect();
        let divided = |index: usize| (3..128).step_by(2).any(|d| (1_000_003 + 22 * index).is_multiple_of(d));
        assert_eq!(left, (0..WINDOW).filter(|&index| !divided(index)).collect::<Vec<_>>());
    }

    #[test]
    fn known_primes_pass_and_composites_do_not() {
        let mut host = Source::reproducible(1).host(0);
        let mersenne = |bits: u32| (BigUint::from(1_u8) << bits) - 1_u8;
        for bits in [521, 607, 1279] {
            assert!(is_prime(&mut *host, &mersenne(bits)), "2^{bits} - 1");
        }
        for composite in [mersenne(523), mersenne(1277), mersenne(521) * mersenne(607), mersenne(607).pow(2)] {
            assert!(!is_prime(&mut *host, &composite), "{composite}");
        }
    }

    #[test]
    fn primes_have_their_bits_and_come_from_the_seed() {
        let draw = |seed| prime(&mut *Source::reproducible(seed).host(0), 512);
        let found = draw(1);
        assert_eq!((found.bits(), found.bit(510)), (512, true));
        assert!(is_prime(&mut *Source::reproducible(3).host(0), &found));
        assert_eq!(found, draw(1));
        assert_ne!(found, draw(2));
    }

    #[test]
    fn primes_above_multiples_are_that() {
        let mut host = Source::reproducible(1).host(0);
        let factor = prime(&mut *host, 256);
        let found = prime_above_multiple(&mut *host, 1024, &factor);
        assert_eq!((found.bits(), &found % &factor), (1024, BigUint::from(1_u8)));
        assert!(is_prime(&mut *host, &found));
    }
}
