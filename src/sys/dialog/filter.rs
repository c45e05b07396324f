//! Finds which choices of a list a typed text leaves. It is pure.

use super::DialogChoice;

/// Tells whether a choice has each of the words, in upper or lower case, anywhere.
pub(super) fn matches_filter(typed_text: &str, choice: &DialogChoice) -> bool {
    if choice.is_always_shown {
        return true;
    }
    let text = format!("{} {}", choice.name, choice.detail).to_lowercase();
    let lower_text = typed_text.to_lowercase();
    lower_text
        .split_whitespace()
        .all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_typed_word_has_to_be_there() {
        let choice = DialogChoice {
            name: "Orders-EU".to_owned(),
            detail: "DSQL cluster eu-west-1".to_owned(),
            ..DialogChoice::default()
        };
        for typed in ["", " ", "orders", "dsql ORDERS", "west eu-"] {
            assert!(matches_filter(typed, &choice), "{typed}");
        }
        for typed in ["us-", "orders us-", "ordersdsql"] {
            assert!(!matches_filter(typed, &choice), "{typed}");
        }
        let permanent = DialogChoice {
            is_always_shown: true,
            ..choice
        };
        assert!(matches_filter("us-", &permanent));
    }
}
