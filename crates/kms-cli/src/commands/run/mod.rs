//! `kms run`.
//!
//! [`prepare`] gathers what the program gets, [`watch`] notices when that changes. A program that
//! nobody has to stay beside takes the place of this process; the others are supervised.

mod prepare;
mod watch;

use std::{ffi::OsString, path::PathBuf, pin::pin, process::ExitCode, time::Duration};

use crate::{
    Context,
    error::CliError,
    mask::{Mask, SHORTEST},
    mount::{Mount, MountFormat, Wish},
    process::{self, EnvironmentError, ExecError, Inherit, Program},
    selection::{PlaceArgs, ReadArgs, shell_word},
    supervise::Supervisor,
    update::{self, Feed},
};
use prepare::{Prepared, Source};
use watch::Watcher;

/// What `run` reports for failures of its own, as `env` and `timeout` do.
const OWN_FAILURE: u8 = 125;

/// Start a program with secrets in its environment
///
/// The program takes the place of `kms`: its exit status and its reaction to signals are its own.
/// With `--watch`, `--mask` or `--mount`, `kms` stays beside it and passes both on. Own failures end
/// with 125, a program that cannot be started with 126, a missing one with 127.
#[derive(clap::Args, Debug)]
#[command(override_usage = "kms run [OPTIONS] -- PROGRAM [ARGUMENT]...\n       \
                            kms run [OPTIONS] --command LINE")]
pub struct Args {
    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    read: ReadArgs,

    /// Start this line with `$SHELL -c`, or `sh -c`
    #[arg(long, short, value_name = "LINE", conflicts_with = "program")]
    command: Option<OsString>,

    /// Start the program anew when what it was given changes
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    #[arg(default_missing_value = "true", hide_possible_values = true)]
    watch: Option<bool>,

    /// Seconds between two looks, where the server does not tell of changes [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    watch_interval: Option<u32>,

    /// Replace values by `*****` in what the program prints
    #[arg(long)]
    mask: bool,

    /// Hand secrets over in files in place of variables: PATH becomes a directory with a file for
    /// each, or, if it has an extension, one pipe with all of them
    #[arg(long, value_name = "PATH")]
    mount: Option<PathBuf>,

    /// How the pipe of `--mount` is written [default: by the extension, else dotenv]
    #[arg(long, value_name = "FORMAT", requires = "mount")]
    mount_format: Option<MountFormat>,

    /// How often the pipe of `--mount` can be read [default: as often as wanted]
    #[arg(long, value_name = "COUNT", requires = "mount")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    mount_max_reads: Option<u32>,

    /// Hand over none of the own environment but `PATH`, `HOME`, `TERM` and the like
    #[arg(long)]
    no_inherit: bool,

    /// With `--no-inherit`: hand over this variable too, or all whose names begin so (`AWS_*`); a
    /// comma list, may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "no_inherit")]
    inherit: Vec<String>,

    /// File with variables, as dotenv or YAML; secrets win over them; may be repeated
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,

    /// Hand over no secrets but those that variables refer to (`kms://PROJECT/ENV/NAME`)
    #[arg(long)]
    references_only: bool,

    /// Hand over a secret of this name although it decides what code programs load, or although
    /// it describes terminal and session; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_dangerous_name: Vec<String>,

    /// The program and its arguments, which no shell reads
    #[arg(value_name = "PROGRAM", trailing_var_arg = true, required_unless_present = "command")]
    program: Vec<OsString>,
}

impl Args {
    fn watches(&self) -> bool {
        self.watch == Some(true)
    }

    fn is_supervised(&self) -> bool {
        self.watches() || self.mask || self.mount.is_some()
    }

    fn inherit(&self) -> Inherit {
        if self.no_inherit { Inherit::Only(self.inherit.clone()) } else { Inherit::All }
    }

    fn wish(&self) -> Result<Option<Wish>, CliError> {
        let wish = self.mount.as_deref().map(|path| {
            Wish::new(path, self.mount_format, self.mount_max_reads).map_err(CliError::usage)
        });
        wish.transpose()
    }

    fn program(&self) -> Program {
        if let Some(line) = &self.command {
            return Program::Shell(line.clone());
        }
        let mut words = self.program.iter().cloned();
        Program::Direct { program: words.next().unwrap_or_default(), arguments: words.collect() }
    }
}

/// Comes back only if the program could not be started, or was supervised and ended.
pub(crate) async fn run(args: Args, context: &Context) -> Result<ExitCode, CliError> {
    if args.watch_interval.is_some() && !args.watches() {
        return Err(CliError::usage("`--watch-interval` has no meaning without `--watch`"));
    }
    let wish = args.wish()?;
    let ours = |error: CliError| error.with_exit_code(OWN_FAILURE);
    let source = Source::new(&args, wish.as_ref(), context).await.map_err(ours)?;
    let prepared = source.prepare().await.map_err(ours)?;
    say(&prepared, context);
    update::notice(Feed::IsLeftAlone, context);
    let program = args.program();
    if args.is_supervised() {
        let status = supervise(&args, &source, prepared, wish.as_ref(), context).await;
        return status.map(ExitCode::from);
    }
    Err(process::exec(&program, &prepared.environment, std::env::var_os("SHELL")).into())
}

fn say(prepared: &Prepared, context: &Context) {
    for name in &prepared.environment.dropped {
        context.ui.warn(&format!(
            "the secret `{name}` is left out, as it describes terminal and session; to hand it \
             over, add `--allow-dangerous-name {}`",
            shell_word(name)
        ));
    }
    context
        .ui
        .notice(&format!("Injecting {} KMS secrets into your application process", prepared.count));
}

async fn supervise(
    args: &Args,
    source: &Source<'_>,
    mut prepared: Prepared,
    wish: Option<&Wish>,
    context: &Context,
) -> Result<u8, CliError> {
    let ours = |error: CliError| error.with_exit_code(OWN_FAILURE);
    let program = args.program();
    let mut mount = match (wish, &prepared.mounted) {
        (Some(wish), Some(ready)) => Some(Mount::make(wish, ready, context).map_err(ours)?),
        _ => None,
    };
    let mut supervisor = Supervisor::new(args.mask).map_err(|error| ours(error.into()))?;
    let interval = Duration::from_secs(args.watch_interval.unwrap_or(10).into());
    let mut watcher = args.watches().then(|| Watcher::start(source, interval));
    let mut former = None;
    let status = loop {
        let mask = args.mask.then(|| mask(&prepared, former.as_ref(), context));
        let shell = std::env::var_os("SHELL");
        let mut running =
            supervisor.start(&program, &prepared.environment, shell, mask.as_ref())?;
        let changed = {
            let mut changed = pin!(changed(&mut watcher, &prepared, context));
            tokio::select! {
                status = supervisor.until_ended(&mut running) => break status,
                changed = &mut changed => changed,
            }
        };
        context.ui.notice("Secrets changed: starting the program anew");
        if let Some(status) = supervisor.stop(running).await {
            break status;
        }
        former = Some(std::mem::replace(&mut prepared, changed));
        if let (Some(mount), Some(ready)) = (&mut mount, &prepared.mounted) {
            mount.update(ready).map_err(|error| ours(error.into()))?;
        }
    };
    supervisor.finish().await;
    Ok(status)
}

/// What the program is to be given next; never comes back without a watcher.
async fn changed(watcher: &mut Option<Watcher<'_>>, now: &Prepared, context: &Context) -> Prepared {
    match watcher {
        Some(watcher) => watcher.next(now, context).await,
        None => std::future::pending().await,
    }
}

/// Hides what the former program was given as well: what it printed last may still be on its way,
/// and what it left behind may be printed by the next.
fn mask(prepared: &Prepared, former: Option<&Prepared>, context: &Context) -> Mask {
    let former = former.into_iter().flat_map(Prepared::values);
    let mask = Mask::new(prepared.values().chain(former));
    if !mask.too_short.is_empty() {
        let names: Vec<String> = mask.too_short.iter().map(|name| format!("`{name}`")).collect();
        context.ui.warn(&format!(
            "values shorter than {SHORTEST} bytes are not masked: {}",
            names.join(", ")
        ));
    }
    if mask.is_plain {
        context
            .ui
            .warn("there are so many values that they are masked only as they are, not encoded");
    }
    mask
}

impl From<EnvironmentError> for CliError {
    fn from(error: EnvironmentError) -> Self {
        let hints = match &error {
            EnvironmentError::Unfit(_) => vec![
                "`kms export --format json` carries them, and `--mount DIRECTORY/` those whose \
                 name can be a file's"
                    .to_owned(),
            ],
            EnvironmentError::Dangerous(names) => {
                let flags: Vec<String> = names
                    .iter()
                    .map(|name| format!("--allow-dangerous-name {}", shell_word(name)))
                    .collect();
                vec![format!(
                    "if whoever may write these secrets may also run code here, add `{}`",
                    flags.join(" ")
                )]
            }
        };
        let mut this = Self::failed(error);
        this.hints = hints;
        this
    }
}

impl From<ExecError> for CliError {
    fn from(error: ExecError) -> Self {
        let (code, is_too_large) = (error.exit_code(), error.is_too_large());
        let oversized: Vec<String> =
            error.oversized.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
        let mut this = Self::failed(error).with_exit_code(code);
        if is_too_large && !oversized.is_empty() {
            this = this.hint(format!(
                "no program can be given a variable of more than 128 KiB: {}",
                oversized.join(", ")
            ));
        }
        if is_too_large {
            this = this
                .hint("`--mount DIRECTORY/` hands secrets over in files, which have no such limit")
                .hint("fewer are taken with `--path`, `--tags` or `--references-only`");
        }
        this
    }
}
