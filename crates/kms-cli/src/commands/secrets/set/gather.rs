//! Where values come from: arguments, files, standard input, somebody's hands.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use kms_api::SecretValue;
use secrecy::ExposeSecret as _;

use super::Args;
use crate::{
    Context,
    error::CliError,
    input::{self, Assignment, InputError, Source},
    prompt,
    selection::Place,
};

const STDIN: &str = "-";

impl From<InputError> for CliError {
    fn from(error: InputError) -> Self {
        Self::usage(error)
    }
}

/// What is to be set where; asks for the value of a name that stands alone.
pub(super) async fn gather(
    args: &Args,
    place: &Place,
    path: &str,
    context: &Context,
) -> Result<Vec<Assignment>, CliError> {
    if let Some(file) = &args.file {
        return Ok(input::read_file(file)?);
    }
    // More than one word without `=` is rather a value that a shell has split than a name.
    let (name, piped) = match args.assignments.as_slice() {
        [name] if !name.contains('=') => (name, false),
        [name, dash] if !name.contains('=') && dash == STDIN => (name, true),
        assignments => return from_arguments(assignments, context),
    };
    // The word is not repeated: it may be a value (D6).
    if input::check_name(name).is_err() {
        return Err(InputError::NotAnAssignment { position: 1 }.into());
    }
    let value = if piped && !io::stdin().is_terminal() {
        piped_value()?
    } else if context.ui.interactive {
        let question = format!("Value of `{name}` in `{path}` of `{}`:", place.environment);
        let answer = prompt::guarded(prompt::secret(&question)).await?;
        prompt::forget_typed();
        answer.expose_secret().into()
    } else {
        return Err(CliError::needs_person("argument 1 has no value, and nobody can be asked")
            .hint("`NAME -` takes the value from standard input, `NAME=@FILE` from a file"));
    };
    Ok(vec![Assignment { name: name.clone(), value }])
}

/// A single line is taken without its end, as by `$(…)`; several lines are taken exactly.
fn piped_value() -> Result<SecretValue, CliError> {
    let text = input::read_text(Path::new(STDIN))?;
    if text.is_empty() {
        return Err(CliError::usage("nothing came from standard input")
            .hint("an empty value is set by `NAME=`"));
    }
    Ok(without_line_end(&text).into())
}

fn without_line_end(text: &str) -> &str {
    match text.strip_suffix('\n') {
        Some(line) if !line.contains('\n') => line.strip_suffix('\r').unwrap_or(line),
        _ => text,
    }
}

fn from_arguments(arguments: &[String], context: &Context) -> Result<Vec<Assignment>, CliError> {
    let mut assignments = Vec::with_capacity(arguments.len());
    let mut shown = false;
    for (position, argument) in arguments.iter().enumerate() {
        let (name, source) = input::parse_argument(position + 1, argument)?;
        let value = match source {
            Source::Argument(value) => {
                shown |= !value.expose().is_empty();
                value
            }
            Source::File(path) => SecretValue::from(input::read_text(&path)?.as_str()),
        };
        assignments.push(Assignment { name, value });
    }
    if shown {
        context.ui.notice(
            "A value in an argument shows in the process list and in the shell's history; \
             `NAME` alone asks for it, `NAME -`, `NAME=@FILE`, `NAME=@-` and `--file` read it",
        );
    }
    Ok(input::last_of_each(assignments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_loses_its_end_and_several_keep_theirs() {
        for (text, expected) in [
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a \n", "a "),
            ("a\nb\n", "a\nb\n"),
            ("a\n\n", "a\n\n"),
            ("\n", ""),
        ] {
            assert_eq!(without_line_end(text), expected, "{text:?}");
        }
    }
}
