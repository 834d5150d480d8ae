//! The order in which go-yaml writes keys: numbers in names count as numbers, letters come after the rest.

use serde_json::{Map, Value};

/// The entries of a mapping in go-yaml's order, whatever order they come in.
pub(super) fn sorted(map: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut entries: Vec<_> = map
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    merge_sort(entries)
}

/// go-yaml's order need not be a total one, over which the standard library's sort may panic.
fn merge_sort<'a>(mut entries: Vec<(&'a str, &'a Value)>) -> Vec<(&'a str, &'a Value)> {
    if entries.is_sorted_by(|a, b| !is_less(b.0, a.0)) {
        return entries;
    }
    let right = merge_sort(entries.split_off(entries.len() / 2));
    let left = merge_sort(entries);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut right = right.into_iter().peekable();
    for entry in left {
        while let Some(before) = right.next_if(|other| is_less(other.0, entry.0)) {
            merged.push(before);
        }
        merged.push(entry);
    }
    merged.extend(right);
    merged
}

fn is_less(a: &str, b: &str) -> bool {
    let same = a
        .chars()
        .zip(b.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let (rest_a, rest_b) = (&a[same..], &b[same..]);
    let (Some(first_a), Some(first_b)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return rest_a.len() < rest_b.len();
    };
    match (first_a.is_alphabetic(), first_b.is_alphabetic()) {
        (true, true) => return first_a < first_b,
        (false, false) => {}
        (_, letter_b) => return letter_b,
    }
    // A zero that differs inside a number whose digits so far are not all zeros is no leading zero.
    let inside = (first_a == '0' || first_b == '0') && ends_in_number(&a[..same]);
    let (number_a, length_a) = number(rest_a, i64::from(inside));
    let (number_b, length_b) = number(rest_b, i64::from(inside));
    (number_a, length_a, first_a) < (number_b, length_b, first_b)
}

fn ends_in_number(text: &str) -> bool {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit);
    digits.into_iter().any(|digit| digit != b'0')
}

fn number(text: &str, start: i64) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((start, 0), |(value, length), digit| {
        (
            value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')),
            length + 1,
        )
    })
}
