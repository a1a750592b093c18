//! Secrets in files for as long as a program runs (`run --mount`).
//!
//! A directory is a symbolic link to one in memory that is its owner's alone; a pipe holds nothing
//! until somebody reads it. Before the first byte is written somebody stands by who removes
//! everything when this process is gone, however it went ([`keeper`], attack R5).

mod folder;
mod keeper;
mod pipe;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use kms_api::secrets::Secret;

use crate::{
    Context,
    error::{CliError, ResultExt as _},
};
use folder::Folder;
use pipe::Pipe;

pub(crate) use keeper::{Keep, REMOVE, wait_and_remove};

/// How a pipe is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MountFormat {
    /// `NAME='value'` lines
    Dotenv,
    /// One object, names to values
    Json,
    /// One map; every value is a string
    Yaml,
}

/// What is wanted.
#[derive(Debug)]
pub(crate) struct Wish {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Folder,
    Pipe { format: MountFormat, reads: Option<u32> },
}

impl Wish {
    /// A directory, unless the path has an extension or something is said that only a pipe has.
    pub(crate) fn new(
        path: &Path,
        format: Option<MountFormat>,
        reads: Option<u32>,
    ) -> Result<Self, &'static str> {
        let text = path.to_string_lossy();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name else { return Err("`--mount` names no file") };
        let path = PathBuf::from(text.trim_end_matches('/'));
        let (is_folder, has_extension) = (text.ends_with('/'), name.contains('.'));
        let is_pipe = format.is_some() || reads.is_some();
        if is_folder && is_pipe {
            return Err("`--mount-format` and `--mount-max-reads` are for a pipe, not a directory");
        }
        if is_folder || (!has_extension && !is_pipe) {
            return Ok(Self { path, kind: Kind::Folder });
        }
        let by_name = match name.rsplit('.').next().unwrap_or_default() {
            "json" => MountFormat::Json,
            "yaml" | "yml" => MountFormat::Yaml,
            _ => MountFormat::Dotenv,
        };
        Ok(Self { path, kind: Kind::Pipe { format: format.unwrap_or(by_name), reads } })
    }
}

/// Secrets that lie in files; they are removed when this is dropped.
pub(crate) enum Mount {
    Folder(Folder),
    Pipe(Pipe),
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mount")
    }
}

impl Mount {
    /// Makes the files. Nothing may be at the path yet.
    pub(crate) fn make(
        wish: &Wish,
        secrets: &[Secret],
        context: &Context,
    ) -> Result<Self, CliError> {
        let doing = || format!("could not mount secrets at `{}`", wish.path.display());
        if fs::symlink_metadata(&wish.path).is_ok() {
            return Err(CliError::failed("there is something at that path already"))
                .context(doing())
                .map_err(|error| error.hint("name a path that is free; its parent must exist"));
        }
        let made = match wish.kind {
            Kind::Folder => Folder::make(&wish.path, secrets, context).map(Self::Folder),
            Kind::Pipe { format, reads } => {
                Pipe::make(&wish.path, format, reads, secrets).map(Self::Pipe)
            }
        };
        made.map_err(|error| error.context(doing()))
    }

    /// Holds these from now on.
    pub(crate) fn update(&mut self, secrets: &[Secret]) -> Result<(), CliError> {
        match self {
            Self::Folder(folder) => folder.write(secrets),
            Self::Pipe(pipe) => pipe.write(secrets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str, format: Option<MountFormat>, reads: Option<u32>) -> String {
        match Wish::new(Path::new(path), format, reads) {
            Ok(wish) => format!("{:?}", wish.kind),
            Err(text) => text.to_owned(),
        }
    }

    #[test]
    fn the_path_says_what_it_becomes() {
        for path in ["/run/secrets", "secrets/", "a.d/", "a.b/secrets"] {
            assert_eq!(kind(path, None, None), "Folder", "{path}");
        }
        let pipe = |format| format!("Pipe {{ format: {format}, reads: None }}");
        assert_eq!(kind(".env", None, None), pipe("Dotenv"));
        assert_eq!(kind("secrets.json", None, None), pipe("Json"));
        assert_eq!(kind("a/b.yml", None, None), pipe("Yaml"));
        assert_eq!(kind("secrets", Some(MountFormat::Json), None), pipe("Json"));
        assert_eq!(kind("x", None, Some(1)), "Pipe { format: Dotenv, reads: Some(1) }");
        assert!(kind("x/", None, Some(1)).contains("for a pipe"));
        assert!(kind("/", None, None).contains("no file"));
    }
}
