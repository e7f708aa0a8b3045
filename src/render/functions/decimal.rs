//! Decimal numbers as shopspring/decimal computes with them: exact, but for quotients of 16 places.

use num_bigint::{BigInt, Sign};

use super::Failure;

/// Places of a quotient: shopspring's `DivisionPrecision`.
const PLACES: i64 = 16;

/// The longest number between two operations.
const MAX_BITS: u64 = 1 << 18;

/// `digits` times ten to the `exponent`.
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal that reads as this float; infinities and NaN have none.
    pub(super) fn from_float(value: f64) -> Result<Self, Failure> {
        if !value.is_finite() {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(Failure::new(format!("Cannot create a Decimal from {name}")));
        }
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Ok(Self {
            digits: format!("{whole}{fraction}").parse().unwrap_or_default(),
            exponent: exponent.parse::<i64>().unwrap_or(0) - fraction.len() as i64,
        })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.scaled(exponent) + other.scaled(exponent), exponent }
    }

    pub(super) fn sub(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.scaled(exponent) - other.scaled(exponent), exponent }
    }

    pub(super) fn mul(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }
    }

    /// Rounded half away from zero at [`PLACES`].
    pub(super) fn div(&self, other: &Self) -> Result<Self, Failure> {
        if other.digits.sign() == Sign::NoSign {
            return Err(Failure::new("decimal division by 0"));
        }
        let shift = self.exponent - other.exponent + PLACES;
        let (mut dividend, mut divisor) = (self.digits.clone(), other.digits.clone());
        if shift >= 0 {
            dividend *= ten_to(shift)
        } else {
            divisor *= ten_to(-shift)
        }
        let mut quotient = &dividend / &divisor;
        let rest: BigInt = (&dividend - &quotient * &divisor) * 2;
        if rest.magnitude() >= divisor.magnitude() {
            quotient += if (dividend.sign() == Sign::Minus) == (divisor.sign() == Sign::Minus) { 1 } else { -1 };
        }
        Ok(Self { digits: quotient, exponent: -PLACES })
    }

    /// Refuses what would take long to compute with: each factor can add three hundred digits.
    pub(super) fn checked(self) -> Result<Self, Failure> {
        if self.digits.bits() > MAX_BITS || self.exponent.unsigned_abs() > MAX_BITS {
            return Err(Failure::new("the number has too many digits"));
        }
        Ok(self)
    }

    fn scaled(&self, exponent: i64) -> BigInt {
        &self.digits * ten_to(self.exponent - exponent)
    }
}

/// Exponents come from floats and products of few of them: small enough.
fn ten_to(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: f64) -> Decimal {
        Decimal::from_float(value).unwrap()
    }

    #[test]
    fn arithmetic_is_decimal() {
        assert_eq!(decimal(0.1).add(&decimal(0.2)).to_float(), 0.3);
        assert_eq!(decimal(0.3).sub(&decimal(0.1)).to_float(), 0.2);
        assert_eq!(decimal(1.1).mul(&decimal(1.1)).to_float(), 1.21);
        assert_eq!(decimal(1.0).div(&decimal(3.0)).unwrap().to_float(), 0.333_333_333_333_333_3);
        assert_eq!(decimal(-2.0).div(&decimal(3.0)).unwrap().to_float(), -0.666_666_666_666_666_7);
        assert_eq!(decimal(1e300).div(&decimal(1e-300)).unwrap().to_float(), f64::INFINITY);
        assert!(decimal(1.0).div(&decimal(0.0)).is_err());
    }
}
