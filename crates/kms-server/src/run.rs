//! One server from start to stop.

mod backup;
mod first;
mod listen;

use std::{process::ExitCode, sync::Arc, time::Duration};

use kms_core::{
    Core,
    mail::{Mailer, NoMail},
    outbound::{Outbound, OutboundPolicy},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    AppState, ServerArgs, Service, Settings, StartError,
    config::{self, Data, ServerCommand},
    logging,
    mail::{Outbox, PrintMail},
    metrics,
    output::say,
    serve,
};

use self::{
    first::Welcome,
    listen::{listen, public_url},
};

/// How often the limits forget who has not been seen for long.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// Open files that are asked for at most; some systems name a number beyond reason.
const MOST_FILES: u64 = 65_536;

/// What a development server may call beside the public internet.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

/// How long mail that waits for the mail server is waited for at the end.
const MAIL_WITHIN: Duration = Duration::from_secs(5);

/// Runs a server until it is told to stop, or does what is asked for in its place. Everything it says goes to stderr.
pub fn run(args: &ServerArgs) -> ExitCode {
    allow_many_connections();
    // What the server writes is nobody else's: database, keys, credentials.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let started = logging::start(args.log_format(), args.log_level.as_deref()).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.map_err(|error| StartError::Process(Box::new(error)))
    });
    let ran = started.and_then(|runtime| {
        runtime.block_on(async {
            match &args.command {
                None => until_stopped(args).await,
                Some(ServerCommand::Backup(args)) => backup::back_up(args).await,
            }
        })
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Takes as many open files as the system gives: each connection is one.
fn allow_many_connections() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE)
        && now < MOST_FILES
    {
        // With fewer, connections wait for each other; that is no reason not to start.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most.min(MOST_FILES), most);
    }
}

async fn until_stopped(args: &ServerArgs) -> Result<(), StartError> {
    let process = |error| StartError::Process(Box::new(error));
    let mut terminate = signal(SignalKind::terminate()).map_err(process)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(process)?;
    let running = Running::start(args).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => {}
        // Whoever asks again does not want to wait.
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn report(error: &StartError) {
    say(format!("error: {error}"));
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        say(format!("Caused by: {cause}"));
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        say(format!("hint: {hint}"));
    }
}

/// A server that answers.
pub struct Running {
    url: String,
    service: Service,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    helpers: Vec<JoinHandle<()>>,
    /// What may still be on its way to the mail server.
    outbox: Option<Outbox>,
    /// Kept until the end: a throw-away directory is removed with it.
    data: Option<Data>,
}

impl Running {
    /// Starts what the flags describe and says where it is.
    pub async fn start(args: &ServerArgs) -> Result<Self, StartError> {
        let tls = config::acceptor(args)?;
        let listeners = listen(args).await?;
        let address = listeners.first().and_then(|listener| listener.local_addr().ok());
        let url = public_url(args, address.unwrap_or(args.listen), tls.is_some());
        let outbox = config::outbox(args)?;
        let (core, data) =
            Data::open(args, mailer(args, outbox.as_ref()), outbound(args, &listeners)).await?;
        let settings = Settings {
            public_url: url.clone(),
            trusted_proxies: args.trusted_proxies.clone(),
            rate_limits: args.rate_limits(),
            metrics: args.metrics_listen.is_some(),
            no_hand_over: args.no_hand_over,
        };
        let welcome = Welcome::prepare(args, &core, &data, &url).await?;
        let mut running = Self::serve(core, settings, listeners, tls);
        running.serve_metrics(args).await?;
        running.data = Some(data);
        running.outbox = outbox;
        welcome.tell(args)?;
        say(format!("kms server: ready at {url}"));
        Ok(running)
    }

    /// Serves an instance that is open already, on listeners that are bound already.
    pub fn serve(
        core: Core,
        settings: Settings,
        listeners: Vec<TcpListener>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        Self::serve_with(Service::new(AppState::new(core, settings)), listeners, tls)
    }

    /// Serves a service that is put together already.
    pub fn serve_with(
        service: Service,
        listeners: Vec<TcpListener>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let url = service.app().settings.public_url.clone();
        let serving = tokio::spawn(serve::serve(listeners, tls, service.clone(), stopped));
        let tidying = tokio::spawn(tidy(service.app().clone()));
        Self { url, service, stop, serving, helpers: vec![tidying], outbox: None, data: None }
    }

    /// Where clients find it, without a final slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What answers the requests.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The product that is served.
    pub fn core(&self) -> &Core {
        &self.service.app().core
    }

    /// Stops accepting, finishes what was accepted, closes the database.
    pub async fn stop(self) {
        let Self { service, stop, serving, helpers, outbox, data, .. } = self;
        let _ = stop.send(true);
        // Answers without an end would hold up the others.
        service.app().core.end_watches();
        let _ = serving.await;
        // Changes whose client went away are still being made.
        let _ = tokio::time::timeout(serve::FINISH_WITHIN, service.finished()).await;
        if let Some(outbox) = outbox {
            outbox.finish(MAIL_WITHIN).await;
        }
        service.app().core.close().await;
        for helper in helpers {
            helper.abort();
        }
        drop(data);
    }

    async fn serve_metrics(&mut self, args: &ServerArgs) -> Result<(), StartError> {
        let Some(address) = args.metrics_listen else { return Ok(()) };
        let page = metrics::install().map_err(|error| StartError::Process(Box::new(error)))?;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| StartError::Listen { address, source })?;
        let serving = serve::serve(vec![listener], None, page, self.stop.subscribe());
        self.helpers.push(tokio::spawn(serving));
        Ok(())
    }
}

/// How mail is sent: by the mail server, onto the terminal, or not at all.
fn mailer(args: &ServerArgs, outbox: Option<&Outbox>) -> Arc<dyn Mailer> {
    match outbox {
        Some(outbox) => Arc::new(outbox.clone()),
        None if args.print_mail || args.dev => Arc::new(PrintMail),
        None => Arc::new(NoMail),
    }
}

/// What may be called to verify logins. A development server may call this machine; nobody's calls
/// reach a listener of ours.
fn outbound(args: &ServerArgs, listeners: &[TcpListener]) -> Outbound {
    let mut allow = args.outbound_allow.clone();
    if args.dev {
        allow.extend(LOOPBACK.iter().filter_map(|net| net.parse().ok()));
    }
    let own = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    let own_listeners = own.chain(args.metrics_listen).collect();
    Outbound::new(OutboundPolicy { allow, own_listeners })
}

async fn tidy(app: AppState) {
    loop {
        tokio::time::sleep(TIDY_EVERY).await;
        app.limiter.tidy();
        if let Err(error) = app.core.sweep().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the sweep failed");
        }
    }
}
