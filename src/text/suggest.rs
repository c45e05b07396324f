//! Suggests the known word that is nearest to what was typed ("did you mean"). It is pure.

/// Returns the known word that was probably meant: one that differs only in case, or by one or two
/// letters.
pub(crate) fn nearest_word<'a>(
    typed_word: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower_word = typed_word.trim().to_lowercase();
    let slips = (lower_word.chars().count() / 3).max(1);
    let mut best = None;
    let mut least = slips.min(lower_word.chars().count().saturating_sub(1));
    for word in words {
        let distance = strsim::osa_distance(&lower_word, &word.to_lowercase());
        // If several words are equally near, the first one counts.
        if distance < least || distance == least && best.is_none() {
            least = distance;
            best = Some(word);
        }
    }
    best
}

/// Returns the first names as a list for a message: `a, b and 3 more`.
pub(crate) fn list_names(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    const SHOWN: usize = 8;
    let mut text = String::new();
    let mut count = 0;
    for name in names {
        count += 1;
        if count > SHOWN {
            continue;
        }
        if count > 1 {
            text.push_str(", ");
        }
        text.push_str(name.as_ref());
    }
    if count > SHOWN {
        return format!("{text} and {} more", count - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_other_words_are_not() {
        let known = ["dev", "prod", "eu-central-1", "eu-west-1", "pgadmin"];
        for (typed, meant) in [
            ("Dev", Some("dev")),
            ("dve", Some("dev")),
            ("prd", Some("prod")),
            ("eu-centrall-1", Some("eu-central-1")),
            ("eucentral1", Some("eu-central-1")),
            ("pgAdmin4", Some("pgadmin")),
            ("staging", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest_word(typed, known), meant, "{typed}");
        }
    }

    #[test]
    fn many_names_are_cut() {
        assert_eq!(list_names(["a", "b"]), "a, b");
        assert_eq!(list_names(["n"; 10]), "n, n, n, n, n, n, n, n and 2 more");
    }
}
