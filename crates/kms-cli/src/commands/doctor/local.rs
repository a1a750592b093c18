//! What this machine says by itself.

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path};

use nix::unistd::Uid;

use super::report::Check;
use crate::{
    Context,
    env_vars::{self, Variable},
    project_file::{self, ProjectFile},
    selection::shell_word,
};

pub(super) fn checks(context: &Context) -> Vec<Check> {
    vec![configuration(context), project_file(context), domain(context), proxy(context)]
}

/// Whether the user's files are there and nobody else's.
fn configuration(context: &Context) -> Check {
    const NAME: &str = "configuration";
    let profiles = &context.settings.profiles;
    let folder = match profiles.folder() {
        Ok(folder) => folder,
        Err(error) => return Check::error(NAME, error),
    };
    let path = folder.display();
    let metadata = match fs::symlink_metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Check::ok(NAME, format!("`{path}` is not there yet; the first login makes it"));
        }
        Err(error) => {
            let check = Check::failed(NAME, format!("`{path}` can't be looked at: {error}"));
            return check.next("name a directory of your own: `export KMS_CONFIG_DIR=DIRECTORY`");
        }
    };
    if !metadata.is_dir() {
        return Check::failed(NAME, format!("`{path}` is no directory"))
            .next(format!("move it away: `mv {0} {0}.old`", word(folder)));
    }
    if metadata.uid() != Uid::effective().as_raw() {
        let owner = metadata.uid();
        return Check::failed(NAME, format!("`{path}` belongs to the user {owner}, not to you"))
            .next(format!("make it yours: `sudo chown -R \"$(id -u)\" {}`", word(folder)));
    }
    if metadata.mode() & 0o022 != 0 {
        return Check::failed(NAME, format!("others may write to `{path}`"))
            .next(format!("take that right away: `chmod 700 {}`", word(folder)));
    }
    let config = match profiles.config() {
        Ok(config) => config,
        Err(error) => {
            let file = word(&folder.join("config.json"));
            return Check::error(NAME, error)
                .or_next(format!("to begin anew, which forgets your logins: `rm {file}`"));
        }
    };
    if metadata.mode() & 0o077 != 0 {
        return Check::warning(NAME, format!("others may look into `{path}`"))
            .next(format!("keep them out: `chmod 700 {}`", word(folder)));
    }
    let logins = config.profiles.len();
    let plural = if logins == 1 { "" } else { "s" };
    Check::ok(NAME, format!("`{path}` is yours alone; {logins} login{plural}"))
}

/// The project file, and what it chooses.
fn project_file(context: &Context) -> Check {
    const NAME: &str = "project file";
    match context.settings.project_file() {
        Err(error) => Check::error(NAME, error)
            .or_next("correct that field; `kms help init` tells how to write the file anew"),
        Ok(None) => Check::ok(
            NAME,
            format!("no `{}` here or in a folder above", project_file::NAMES.join("` or `")),
        )
        .next("to tie this folder to a project: `kms init`"),
        Ok(Some(file)) => {
            Check::ok(NAME, format!("`{}` chooses {}", file.path.display(), choices(file, context)))
        }
    }
}

fn choices(file: &ProjectFile, context: &Context) -> String {
    let mut chosen = Vec::new();
    let mut add = |what: &str, value: Option<String>| {
        chosen.extend(value.map(|value| format!("the {what} `{value}`")));
    };
    add("project", file.project.clone());
    let folder = context.settings.project_folder();
    add("environment", folder.ok().and_then(|folder| file.environment(&folder)));
    add("organization", file.organization.map(|id| id.to_string()));
    add("server", file.domain.clone());
    add("login", file.profile.clone());
    if !file.sources.is_empty() {
        chosen.push(format!("{} sources", file.sources.len()));
    }
    if chosen.is_empty() { "nothing".to_owned() } else { chosen.join(", ") }
}

/// Which server is called, and why.
fn domain(context: &Context) -> Check {
    const NAME: &str = "domain";
    let settings = &context.settings;
    let origin = &settings.origin.value;
    let why = match (&settings.origin.by, settings.chosen()) {
        (Some(by), _) => format!("as `{by}` says"),
        (None, Ok(Some(chosen))) if chosen.profile.domain == *origin => {
            format!("the server of the login `{}`: {}", chosen.profile.name, chosen.by)
        }
        (None, Err(_)) => "as nothing that can be followed names another".to_owned(),
        (None, Ok(_)) => "the default, as nothing names another".to_owned(),
    };
    if let Err(error @ kms_client::Error::InsecureOrigin { .. }) = settings.probing_client() {
        return Check::error(NAME, error);
    }
    Check::ok(NAME, format!("`{origin}`, {why}"))
}

/// The proxy that counts; of variables only their names are shown, as values may hold passwords.
fn proxy(context: &Context) -> Check {
    const NAME: &str = "proxy";
    let env = &context.settings.env;
    let set = |variable: &Variable| env.get(variable).map(|(_, name)| format!("`{name}`"));
    let variables = [&env_vars::HTTPS_PROXY, &env_vars::HTTP_PROXY, &env_vars::ALL_PROXY];
    let set_ones: Vec<String> = variables.into_iter().filter_map(set).collect();
    let used = settings_proxy(context);
    let except = set(&env_vars::NO_PROXY).map_or_else(String::new, |name| format!(", {name}"));
    match (used, set_ones.is_empty()) {
        (Some(proxy), _) => {
            let by = set_ones.join(", ");
            Check::ok(NAME, format!("calls go through `{proxy}` (set: {by}{except})"))
        }
        (None, true) => Check::ok(NAME, "none is set"),
        (None, false) => Check::ok(
            NAME,
            format!(
                "none for this server, although there is {}{except}: this machine, the other \
                 scheme or `NO_PROXY`",
                set_ones.join(", ")
            ),
        ),
    }
}

fn settings_proxy(context: &Context) -> Option<String> {
    context.settings.probing_client().ok()?.proxy().map(str::to_owned)
}

fn word(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}
