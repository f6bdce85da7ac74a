//! Counts money without losing anything: sums are whole numbers of one fixed fraction, rounded once at the end.
//!
//! A decimal cannot do it alone: a byte is 2^-30 of a priced GB and an hour 1/720 of a priced month, and neither has
//! a finite decimal form that fits. Both divide [`Exact::PARTS`], so every product and sum here is exact.

use std::fmt;

use rust_decimal::Decimal;

/// Currency of a price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// Chinese yuan.
    Cny,
    /// United States dollar.
    Usd,
}

impl Currency {
    /// Returns the ISO 4217 code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
            Self::Usd => "USD",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A figure that does not fit; no real price and size leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the figure is too large to be counted")]
pub struct Overflow;

/// An exact amount of money, never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(u128);

impl Exact {
    /// Bytes of a GB as every price list here means it.
    pub const GB: u128 = 1 << 30;
    /// Hours of a priced month, whatever the calendar says.
    pub const MONTH_HOURS: u128 = 720;
    /// Most decimal places of a price.
    pub const PRICE_PLACES: u32 = 8;
    /// Parts of one currency unit. The power of ten covers a price of 8 places for 10 000 requests.
    pub const PARTS: u128 = Self::GB * Self::MONTH_HOURS * 1_000_000_000_000;
    const MILLIONTH: u128 = Self::PARTS / 1_000_000;
    const CENT: u128 = Self::PARTS / 100;

    /// Multiplies a price's parts for one measured unit with how many there are.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn times(parts_per_unit: u128, units: u128) -> Result<Self, Overflow> {
        parts_per_unit.checked_mul(units).map(Self).ok_or(Overflow)
    }

    /// Adds another amount.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// Returns the amount rounded half up to 6 places.
    ///
    /// # Errors
    /// [`Overflow`] for an amount beyond the largest decimal.
    pub fn rounded(self) -> Result<Decimal, Overflow> {
        let millionths = self.0.checked_add(Self::MILLIONTH / 2).ok_or(Overflow)? / Self::MILLIONTH;
        decimal(millionths, 6)
    }

    /// Returns the amount without what is less than a cent.
    #[must_use]
    pub fn cut_to_cents(self) -> Self {
        Self(self.0 / Self::CENT * Self::CENT)
    }

    /// Returns an amount of whole cents with 2 places; what is less than a cent is cut.
    ///
    /// # Errors
    /// [`Overflow`] for an amount beyond the largest decimal.
    pub fn cents(self) -> Result<Decimal, Overflow> {
        decimal(self.0 / Self::CENT, 2)
    }

    /// Returns whether the amount is more than `percent` of `whole`.
    pub fn exceeds_share(self, percent: u128, whole: Self) -> bool {
        // Divided, not multiplied: the product might not fit. What is lost is far below a millionth.
        self.0 / percent > whole.0 / 100
    }
}

fn decimal(mantissa: u128, places: u32) -> Result<Decimal, Overflow> {
    let mantissa = i128::try_from(mantissa).map_err(|_| Overflow)?;
    Decimal::try_from_i128_with_scale(mantissa, places).map_err(|_| Overflow)
}

/// A figure that is not quite known: `low <= expected <= high`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range<T> {
    /// Least.
    pub low: T,
    /// Expected.
    pub expected: T,
    /// Most.
    pub high: T,
}

impl<T: Copy> Range<T> {
    /// Makes a range of one known figure.
    pub fn known(value: T) -> Self {
        Self { low: value, expected: value, high: value }
    }

    /// Applies `change` to all three figures.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Range<U> {
        Range { low: change(self.low), expected: change(self.expected), high: change(self.high) }
    }

    /// Applies `change` to all three figures.
    ///
    /// # Errors
    /// The first failure of `change`.
    pub fn try_map<U, E>(self, change: impl Fn(T) -> Result<U, E>) -> Result<Range<U>, E> {
        Ok(Range { low: change(self.low)?, expected: change(self.expected)?, high: change(self.high)? })
    }

    /// Joins two ranges figure by figure.
    pub fn zip<U: Copy, V>(self, other: Range<U>, join: impl Fn(T, U) -> V) -> Range<V> {
        Range {
            low: join(self.low, other.low),
            expected: join(self.expected, other.expected),
            high: join(self.high, other.high),
        }
    }
}

impl Range<Exact> {
    /// Adds another range.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        Ok(Self {
            low: self.low.plus(other.low)?,
            expected: self.expected.plus(other.expected)?,
            high: self.high.plus(other.high)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(numerator: u128, denominator: u128) -> Exact {
        Exact(Exact::PARTS / denominator * numerator)
    }

    #[test]
    fn a_half_millionth_is_rounded_up_and_less_is_not() {
        assert_eq!(parts(1, 2_000_000).rounded().unwrap().to_string(), "0.000001");
        assert_eq!(Exact(Exact::MILLIONTH / 2 - 1).rounded().unwrap().to_string(), "0.000000");
    }

    #[test]
    fn the_vendors_cut_what_is_less_than_a_cent() {
        // 0.01583 is paid as 0.01, and 0.0000046 as nothing.
        assert_eq!(parts(1_583, 100_000).cents().unwrap().to_string(), "0.01");
        assert_eq!(parts(46, 10_000_000).cents().unwrap().to_string(), "0.00");
    }

    #[test]
    fn the_fraction_holds_a_byte_an_hour_and_the_smallest_price_without_a_rest() {
        assert_eq!(Exact::PARTS % (Exact::GB * Exact::MONTH_HOURS), 0);
        assert_eq!(Exact::PARTS / (Exact::GB * Exact::MONTH_HOURS), 10_u128.pow(Exact::PRICE_PLACES + 4));
    }

    #[test]
    fn an_amount_that_does_not_fit_is_refused() {
        assert_eq!(Exact::times(u128::MAX, 2), Err(Overflow));
        assert_eq!(Exact(u128::MAX).plus(Exact(1)), Err(Overflow));
        assert_eq!(Exact(u128::MAX).rounded(), Err(Overflow));
    }
}
