//! Splits a data key into parts of which some suffice (Shamir), as sops 3.13.3 does.
//!
//! Each byte of the key has a polynomial of its own over GF(2⁸) modulo x⁸+x⁴+x³+x+1. A part is the polynomials' values at one
//! place, then the place itself: 1 for the first part. No branch and no table depends on a secret.

use std::hint::black_box;

use zeroize::Zeroizing;

use crate::secret::{DataKey, KeyShare};

const KEY_LEN: usize = 32;

/// The most parts there can be: the field's places but zero, where the secret is.
pub const MOST_PARTS: usize = 255;

/// Why a key cannot be split as asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// One part would be the key itself.
    #[error("threshold must be at least 2")]
    ThresholdTooLow,
    /// Nobody could gather so many.
    #[error("threshold is {threshold}, but there are only {parts} parts")]
    TooFewParts {
        /// The parts there are.
        parts: usize,
        /// The parts that were to suffice.
        threshold: usize,
    },
    /// There are no more places.
    #[error("{0} parts: more than 255")]
    TooManyParts(usize),
}

/// Why parts do not make a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// One part says nothing.
    #[error("fewer than two parts")]
    TooFew,
    /// A part of a data key has 33 bytes.
    #[error("a part has {0} bytes instead of 33")]
    Length(usize),
    /// A part claims to be the secret itself.
    #[error("a part is from place zero")]
    PlaceZero,
    /// The same part twice.
    #[error("two parts are from place {0}")]
    Duplicate(u8),
}

/// Splits `key` into `parts`, of which any `threshold` make it again.
pub fn split(key: &DataKey, parts: usize, threshold: usize) -> Result<Vec<KeyShare>, SplitError> {
    if threshold < 2 {
        return Err(SplitError::ThresholdTooLow);
    }
    if parts < threshold {
        return Err(SplitError::TooFewParts { parts, threshold });
    }
    let Ok(last) = u8::try_from(parts) else {
        return Err(SplitError::TooManyParts(parts));
    };
    let mut higher = Zeroizing::new(vec![0; KEY_LEN * (threshold - 1)]);
    aws_lc_rs::rand::fill(&mut higher).expect("the system's randomness does not fail");
    Ok((1..=last).map(|place| part(key, &higher, place)).collect())
}

/// Makes the key again. Parts of another key, or too few of them, make another key.
pub fn combine(parts: &[KeyShare]) -> Result<DataKey, CombineError> {
    if parts.len() < 2 {
        return Err(CombineError::TooFew);
    }
    let places = places(parts)?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    for (i, part) in parts.iter().enumerate() {
        let weight = weight_at_zero(&places, i);
        for (byte, value) in key.iter_mut().zip(part.expose_secret()) {
            *byte ^= multiply(*value, weight);
        }
    }
    Ok(DataKey::from_slice(key.as_slice()).expect("32 bytes are a key"))
}

/// The polynomials' values at `place`; `higher` holds their coefficients but the constant ones, which are the key.
fn part(key: &DataKey, higher: &[u8], place: u8) -> KeyShare {
    let degree = higher.len() / KEY_LEN;
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LEN + 1));
    for (constant, coefficients) in key.expose_secret().iter().zip(higher.chunks_exact(degree)) {
        let above = coefficients
            .iter()
            .fold(0, |sum, coefficient| multiply(sum, place) ^ coefficient);
        bytes.push(multiply(above, place) ^ constant);
    }
    bytes.push(place);
    KeyShare::from(bytes)
}

/// Where each part is from. Places are no secret.
fn places(parts: &[KeyShare]) -> Result<Vec<u8>, CombineError> {
    let mut places = Vec::new();
    for part in parts {
        let [values @ .., place] = part.expose_secret() else {
            return Err(CombineError::Length(0));
        };
        if values.len() != KEY_LEN {
            return Err(CombineError::Length(values.len() + 1));
        }
        if *place == 0 {
            return Err(CombineError::PlaceZero);
        }
        if places.contains(place) {
            return Err(CombineError::Duplicate(*place));
        }
        places.push(*place);
    }
    Ok(places)
}

/// The Lagrange basis polynomial of place `i`, at zero.
fn weight_at_zero(places: &[u8], i: usize) -> u8 {
    let others = places.iter().enumerate().filter(|(j, _)| *j != i);
    others.fold(1, |weight, (_, other)| {
        multiply(weight, multiply(*other, inverse(other ^ places[i])))
    })
}

fn multiply(mut a: u8, b: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= a & mask(b >> bit);
        a = (a << 1) ^ (0x1b & mask(a >> 7));
    }
    product
}

/// All ones if the lowest bit is set. The compiler is kept from making a branch of it.
fn mask(bit: u8) -> u8 {
    black_box(0u8.wrapping_sub(bit & 1))
}

/// a²⁵⁴, which is 1/a: there are 255 elements but zero.
fn inverse(a: u8) -> u8 {
    let mut square = a;
    let mut product = 1;
    for _ in 0..7 {
        square = multiply(square, square);
        product = multiply(product, square);
    }
    product
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share(bytes: &[u8]) -> KeyShare {
        KeyShare::from(Zeroizing::new(bytes.to_vec()))
    }

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197, 4.2 and 4.4.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert_eq!(multiply(0x57, 0x13), 0xfe);
        for a in 1..=255 {
            assert_eq!(multiply(a, inverse(a)), 1, "{a}");
        }
    }

    #[test]
    fn limits_are_said() {
        let key = DataKey::generate();
        let split = |parts, threshold| split(&key, parts, threshold).map(|parts| parts.len());
        assert_eq!(split(2, 1), Err(SplitError::ThresholdTooLow));
        assert_eq!(
            split(2, 3),
            Err(SplitError::TooFewParts {
                parts: 2,
                threshold: 3
            })
        );
        assert_eq!(split(256, 2), Err(SplitError::TooManyParts(256)));
        assert_eq!(split(255, 255), Ok(255));
    }

    #[test]
    fn what_is_no_part_is_refused() {
        let whole = |place: u8| share(&[[7; 32].as_slice(), &[place]].concat());
        for (parts, error) in [
            (vec![], CombineError::TooFew),
            (vec![whole(1)], CombineError::TooFew),
            (vec![whole(1), whole(1)], CombineError::Duplicate(1)),
            (vec![whole(1), whole(0)], CombineError::PlaceZero),
            (vec![whole(1), share(&[])], CombineError::Length(0)),
            (vec![whole(1), share(&[9; 32])], CombineError::Length(32)),
        ] {
            assert_eq!(combine(&parts).map(drop), Err(error));
        }
    }

    proptest! {
        #[test]
        fn any_threshold_of_parts_makes_the_key(
            key: [u8; 32],
            (count, threshold, chosen) in (2usize..20).prop_flat_map(|count| (2..=count).prop_flat_map(move |threshold| {
                (Just(count), Just(threshold), proptest::sample::subsequence((0..count).collect::<Vec<_>>(), threshold))
            })),
        ) {
            let key = DataKey::from_slice(&key).expect("32 bytes");
            let parts = split(&key, count, threshold).expect("within the limits");
            let some: Vec<_> = chosen.iter().map(|i| share(parts[*i].expose_secret())).collect();
            let made = |parts: &[KeyShare]| *combine(parts).expect("parts").expose_secret();
            prop_assert_eq!(&made(&some), key.expose_secret());
            prop_assert_eq!(&made(&parts), key.expose_secret());
            if threshold > 2 {
                // One in 2²⁵⁶ of these is the key after all.
                prop_assert_ne!(&made(&some[1..]), key.expose_secret());
            }
        }
    }
}
