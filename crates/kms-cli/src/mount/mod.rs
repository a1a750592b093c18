//! Secrets in files for as long as a program runs (`run --mount`).
//!
//! A directory is a symbolic link to one in memory that is its owner's alone; a pipe holds nothing
//! until somebody reads it. Before the first byte is written somebody stands by who removes
//! everything when this process is gone, however it went ([`keeper`], attack R5).

mod folder;
mod keeper;
mod pipe;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use kms_api::secrets::Secret;
use secrecy::zeroize::Zeroizing;

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

    /// Gets secrets ready. Refuses what these files cannot hold, before anything is touched.
    pub(crate) fn ready(&self, secrets: Vec<Secret>) -> Result<Ready, CliError> {
        let text = match self.kind {
            Kind::Folder => folder::check(&secrets).map(|()| Zeroizing::default()),
            Kind::Pipe { format, .. } => pipe::text(format, &secrets),
        };
        let text = text.map_err(|error| error.context(self.doing()))?;
        Ok(Ready { secrets, text })
    }

    fn doing(&self) -> String {
        format!("could not mount secrets at `{}`", self.path.display())
    }
}

/// Secrets that a mount can hold.
pub(crate) struct Ready {
    pub(crate) secrets: Vec<Secret>,
    /// What a pipe gives its readers; empty for a directory.
    text: Zeroizing<String>,
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
    pub(crate) fn make(wish: &Wish, ready: &Ready, context: &Context) -> Result<Self, CliError> {
        if fs::symlink_metadata(&wish.path).is_ok() {
            return Err(CliError::failed("there is something at that path already"))
                .context(wish.doing())
                .map_err(|error| error.hint("name a path that is free; its parent must exist"));
        }
        let made = match wish.kind {
            Kind::Folder => Folder::make(&wish.path, &ready.secrets, context).map(Self::Folder),
            Kind::Pipe { reads, .. } => Pipe::make(&wish.path, reads, &ready.text).map(Self::Pipe),
        };
        made.map_err(|error| CliError::from(error).context(wish.doing()))
    }

    /// Holds these from now on.
    pub(crate) fn update(&mut self, ready: &Ready) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.write(&ready.secrets),
            Self::Pipe(pipe) => {
                pipe.write(&ready.text);
                Ok(())
            }
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
