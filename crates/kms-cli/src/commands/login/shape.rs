//! How a person logs in: chosen by what was given, in the order that is documented on the page of
//! the command.

use super::browser::Way;
use crate::error::CliError;

/// How a person logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// All three parts were given.
    Direct,
    /// Whatever was not given is asked for.
    Interactive,
    /// The default.
    Browser,
}

/// Where one of the three parts of a direct login comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Flag,
    /// A flag that is there and says nothing, as an unset variable of a script makes it.
    EmptyFlag,
    Environment,
    Nowhere,
}

/// The three parts of a direct login, by the names of their flags.
pub(super) type Parts = [(&'static str, Source); 3];

/// Chooses. A way through the browser that a flag asks for needs none of the parts.
pub(super) fn shape(
    interactive: bool,
    way: Option<Way>,
    parts: &Parts,
    terminal: bool,
) -> Result<Shape, CliError> {
    let is_there = |source| matches!(source, Source::Flag | Source::Environment);
    let by_flag = |source| matches!(source, Source::Flag | Source::EmptyFlag);
    let without_answers = way == Some(Way::Device);
    if (interactive || way.is_some()) && !terminal && !without_answers {
        return Err(CliError::needs_person("there is no terminal to ask on"));
    }
    if interactive {
        return Ok(Shape::Interactive);
    }
    if way.is_some() {
        return Ok(Shape::Browser);
    }
    if parts.iter().all(|(_, source)| is_there(*source)) {
        return Ok(Shape::Direct);
    }
    let flags = parts.iter().any(|(_, source)| by_flag(*source));
    let any = parts.iter().any(|(_, source)| is_there(*source));
    if flags || (any && !terminal) {
        let missing = parts.iter().filter(|(_, source)| !is_there(*source));
        return Err(missing_parts(missing.map(|(flag, _)| *flag)));
    }
    if !terminal {
        return Err(CliError::needs_person(
            "logging in needs a browser or a terminal, and there is neither",
        ));
    }
    Ok(Shape::Browser)
}

/// Names what would have made it a direct login.
pub(super) fn missing_parts<'a>(flags: impl Iterator<Item = &'a str>) -> CliError {
    let flags: Vec<_> = flags.map(|flag| format!("`{flag}`")).collect();
    let verb = if flags.len() == 1 { "is" } else { "are" };
    CliError::usage(format!("{} {verb} missing for a direct login", flags.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    /// `f` flag, `x` empty flag, `e` environment, `-` nowhere.
    fn parts(text: &str) -> Parts {
        let sources: Vec<_> = text
            .chars()
            .map(|c| match c {
                'f' => Source::Flag,
                'x' => Source::EmptyFlag,
                'e' => Source::Environment,
                _ => Source::Nowhere,
            })
            .collect();
        [("--email", sources[0]), ("--password", sources[1]), ("--organization-id", sources[2])]
    }

    #[test]
    fn any_mix_of_all_three_is_a_direct_login() {
        for text in ["fff", "eee", "fee", "efe", "ffe"] {
            for terminal in [true, false] {
                assert_eq!(
                    shape(false, None, &parts(text), terminal).unwrap(),
                    Shape::Direct,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_flag_without_the_others_names_what_is_missing() {
        for (text, missing) in [
            ("f--", "`--password` and `--organization-id` are missing"),
            ("fe-", "`--organization-id` is missing"),
            ("-f-", "`--email` and `--organization-id` are missing"),
            ("xxx", "`--email` and `--password` and `--organization-id` are missing"),
            ("eex", "`--organization-id` is missing"),
        ] {
            for terminal in [true, false] {
                let error = shape(false, None, &parts(text), terminal).unwrap_err();
                assert_eq!(error.kind, Kind::Usage, "{text}");
                assert!(error.chain().next().unwrap().starts_with(missing), "{text}: {error:?}");
            }
        }
    }

    #[test]
    fn parts_of_the_environment_alone_leave_a_terminal_its_default() {
        for text in ["---", "e--", "-e-", "--e", "ee-"] {
            assert_eq!(shape(false, None, &parts(text), true).unwrap(), Shape::Browser, "{text}");
        }
        assert_eq!(shape(false, None, &parts("e--"), false).unwrap_err().kind, Kind::Usage);
        assert_eq!(shape(false, None, &parts("---"), false).unwrap_err().kind, Kind::NeedsPerson);
    }

    #[test]
    fn being_asked_wins_and_needs_a_terminal() {
        for text in ["---", "fff", "f-e"] {
            assert_eq!(shape(true, None, &parts(text), true).unwrap(), Shape::Interactive);
            assert_eq!(shape(true, None, &parts(text), false).unwrap_err().kind, Kind::NeedsPerson);
        }
    }

    #[test]
    fn only_a_code_on_another_device_needs_no_terminal() {
        for text in ["---", "--f", "eee"] {
            for way in [Way::Device, Way::Paste] {
                assert_eq!(shape(false, Some(way), &parts(text), true).unwrap(), Shape::Browser);
            }
            let shape = |way| shape(false, Some(way), &parts(text), false);
            assert_eq!(shape(Way::Device).unwrap(), Shape::Browser);
            assert_eq!(shape(Way::Paste).unwrap_err().kind, Kind::NeedsPerson);
        }
    }
}
