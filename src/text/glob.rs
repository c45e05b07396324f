//! Matches patterns in which `*` stands for any run of characters. It is pure.

/// Tells whether a text is a pattern, and not simply itself.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

/// Returns whether a text fits a pattern. Each part is taken where it first occurs: that leaves
/// most for the rest.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text, expected) in [
            ("eu-*", "eu-west-1", true),
            ("eu-*", "us-east-1", false),
            ("*", "", true),
            ("*-1", "eu-west-1", true),
            ("*-1", "eu-west-12", false),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("dev", "dev", true),
            ("dev", "dev2", false),
            ("", "", true),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
        assert!(is_pattern("eu-*") && !is_pattern("eu-west-1"));
    }
}
