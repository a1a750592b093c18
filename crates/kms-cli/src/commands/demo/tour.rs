//! The steps of the demo: shown as a person would type them, run by this program.

use std::process::Output;

use crate::{
    env_vars,
    error::{CliError, ResultExt as _},
    ui::Ui,
};

use super::server::{Credentials, own_program};

const PROGRAM: [&str; 3] = ["sh", "-c", "echo \"$GREETING from $DATABASE_URL\""];

/// A command, and what its output must contain.
struct Step {
    says: &'static str,
    arguments: Vec<&'static str>,
    expects: &'static str,
}

/// Walks through all steps; the first that fails ends it.
pub(super) fn walk(ui: Ui, credentials: &Credentials) -> Result<(), CliError> {
    let mut environment = Environment::default();
    say(ui, "Tell the commands where the server is and who is asking")?;
    environment.export(ui, env_vars::API_URL.names[1], &credentials.url)?;
    environment.export(ui, env_vars::PROJECT_ID.names[1], &credentials.project.id)?;
    let identity = &credentials.machine_identity;
    environment.export(ui, env_vars::UNIVERSAL_AUTH_CLIENT_ID.names[1], &identity.client_id)?;
    environment.export(
        ui,
        env_vars::UNIVERSAL_AUTH_CLIENT_SECRET.names[1],
        &identity.client_secret,
    )?;
    log_in(ui, &mut environment)?;
    for step in steps() {
        say(ui, step.says)?;
        ui.line(&format!("$ {}", shown(&step.arguments)))?;
        let output = environment.run(&step.arguments)?;
        ui.raw(&output.stdout)?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !text.contains(step.expects) {
            let shown = shown(&step.arguments);
            return Err(CliError::failed(format!("`{shown}` did not print what it should")));
        }
    }
    Ok(())
}

fn steps() -> Vec<Step> {
    let mut run = vec!["run", "--env=dev", "--"];
    run.extend(PROGRAM);
    vec![
        Step {
            says: "Keep two secrets",
            arguments: vec![
                "secrets",
                "set",
                "--env=dev",
                "GREETING=hello",
                "DATABASE_URL=postgres://demo",
            ],
            expects: "GREETING",
        },
        Step {
            says: "See all of them",
            arguments: vec!["secrets", "--env=dev", "--recursive"],
            expects: "postgres://demo",
        },
        Step {
            says: "Read one",
            arguments: vec!["secrets", "get", "GREETING", "--env=dev", "--plain"],
            expects: "hello\n",
        },
        Step {
            says: "Run a program with them",
            arguments: run,
            expects: "hello from postgres://demo\n",
        },
        Step {
            says: "Export them",
            arguments: vec!["export", "--env=dev", "--format=dotenv"],
            expects: "GREETING=",
        },
    ]
}

fn log_in(ui: Ui, environment: &mut Environment) -> Result<(), CliError> {
    let arguments = ["login", "--method=universal-auth", "--plain", "--silent"];
    let name = env_vars::TOKEN.names[1];
    say(ui, "Log in; the token is all that it prints")?;
    ui.line(&format!("$ export {name}=$({})", shown(&arguments)))?;
    let output = environment.run(&arguments)?;
    let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    environment.0.push((name, token));
    Ok(())
}

/// Says how to use the server that keeps running.
pub(super) fn farewell(ui: Ui, credentials: &Credentials) -> Result<(), CliError> {
    let user = &credentials.user;
    say(ui, "The server keeps running, until Ctrl-C")?;
    ui.line(&format!("URL       {}", credentials.url))?;
    ui.line(&format!("E-mail    {}", user.email))?;
    ui.line(&format!("Password  {}", user.password))?;
    ui.line("The machine identity is the one exported above.")
}

/// What the exported variables are for the steps that follow.
#[derive(Default)]
struct Environment(Vec<(&'static str, String)>);

impl Environment {
    fn export(&mut self, ui: Ui, name: &'static str, value: &str) -> Result<(), CliError> {
        self.0.push((name, value.to_owned()));
        ui.line(&format!("$ export {name}={}", quoted(value)))
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, CliError> {
        let mut command = own_program()?;
        command.args(arguments);
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
        let shown = shown(arguments);
        let output = command.output().context(format!("could not run `{shown}`"))?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(CliError::failed(said).context(format!("`{shown}` failed")))
    }
}

fn say(ui: Ui, text: &str) -> Result<(), CliError> {
    ui.line(&format!("\n# {text}"))
}

fn shown(arguments: &[&str]) -> String {
    let words = arguments.iter().map(|argument| quoted(argument));
    format!("kms {}", words.collect::<Vec<_>>().join(" "))
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_a_shell_reads_them() {
        assert_eq!(
            shown(&["run", "--", "sh", "-c", "echo \"$A\""]),
            "kms run -- sh -c 'echo \"$A\"'"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
