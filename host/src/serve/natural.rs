//! The order in which people expect names: `img2` before `img10`.

use std::cmp::Ordering;

/// Compares two names: numbers by value, letters without regard to case, and only then exactly.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    loosely(left, right).then_with(|| left.cmp(right))
}

fn loosely(mut left: &str, mut right: &str) -> Ordering {
    loop {
        let (Some(first), Some(second)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len());
        };
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (one, other);
            (one, left) = number(left);
            (other, right) = number(right);
            // Without leading zeros, the longer number is the greater.
            one.len().cmp(&other.len()).then_with(|| one.cmp(other))
        } else {
            left = left.get(first.len_utf8()..).unwrap_or_default();
            right = right.get(second.len_utf8()..).unwrap_or_default();
            first.to_lowercase().cmp(second.to_lowercase())
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits at the start without leading zeros, and what follows.
fn number(text: &str) -> (&str, &str) {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_people_expect() {
        let mut names = [
            "img10", "Img2", "img2", "img1", "img01", "a", "B", "", "img", "img2b", "10", "9", "é",
        ];
        names.sort_by(|left, right| compare(left, right));
        assert_eq!(
            names,
            [
                "", "9", "10", "a", "B", "img", "img01", "img1", "Img2", "img2", "img2b", "img10",
                "é"
            ]
        );
    }

    proptest! {
        #[test]
        fn it_is_an_order(a in "[a-bA-B0-2]{0,5}", b in "[a-bA-B0-2]{0,5}", c in "[a-bA-B0-2]{0,5}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b).is_eq(), a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
