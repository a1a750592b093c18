//! Which names can be stored.

/// Why a name cannot be stored. Completes a sentence that begins with the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// As the compatible client refuses.
    #[error("starts with a digit")]
    Digit,
    /// Separators of references and paths.
    #[error("contains `:` or `/`")]
    Separator,
    /// White space or a control character.
    #[error("contains a blank or a control character")]
    Blank,
}

/// Checks that a name can be stored and referred to.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let first = name.chars().next().ok_or(NameError::Empty)?;
    if first.is_ascii_digit() {
        Err(NameError::Digit)
    } else if name.contains([':', '/']) {
        Err(NameError::Separator)
    } else if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Err(NameError::Blank)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_store() {
        assert_eq!(check_name(""), Err(NameError::Empty));
        assert_eq!(check_name("1A"), Err(NameError::Digit));
        assert_eq!(check_name("a/b"), Err(NameError::Separator));
        assert_eq!(check_name("a:b"), Err(NameError::Separator));
        assert_eq!(check_name("a b"), Err(NameError::Blank));
        assert_eq!(check_name("a\u{1b}[2J"), Err(NameError::Blank));
        for good in ["A", "a-b", "a.b", "_", "é", "A=B"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
    }
}
