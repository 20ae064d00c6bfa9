//! `finderscope serve`: collect and keep.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use finderscope_server::collector::Collector;
use finderscope_server::config::{Age, Config, HttpListen, Listen, Size};
use finderscope_server::contact::Contact;
use finderscope_server::http::{self, Guard};
use finderscope_server::token;
use finderscope_transport::endpoint::Endpoint;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// How long readers may take for the rest of what they asked for.
const HTTP_ENDS_WITHIN: Duration = Duration::from_secs(2);

/// Receive sFlow, NetFlow and IPFIX, keep every flow, and answer status
///
/// Without a configuration it listens on UDP ports 6343, 2055 and 4739, any protocol on any of them. SIGTERM and Ctrl-C
/// seal everything that came and end; SIGHUP reads the configuration anew.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  finderscope serve\n  finderscope serve --listen udp://:2055 --data /srv/flows\n  \
                        finderscope serve --config /etc/finderscope.toml --check"
)]
pub struct Args {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Endpoint to listen on, instead of the configured ones; may be given several times
    #[arg(long, value_name = "URL")]
    pub listen: Vec<Endpoint>,
    /// Where status, metrics and REST are: ADDR:PORT, or `off`
    #[arg(long, value_name = "ADDR")]
    pub http: Option<HttpListen>,
    /// The folder to keep everything in
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How long to keep rows: 12h, 30d, 8w, 2y; for ever where nothing is said
    #[arg(long, value_name = "AGE")]
    pub keep: Option<Age>,
    /// How large the store may be; beyond it the oldest hours are removed: 500GB
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<Size>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub check: bool,
}

impl Args {
    /// The file's configuration, with what the command line says instead.
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        if !self.listen.is_empty() {
            config.listen = self.listen.iter().cloned().map(Listen).collect();
        }
        if let Some(http) = self.http {
            config.http.listen = http;
        }
        if self.data.is_some() {
            config.data.clone_from(&self.data);
        }
        config.store.keep = self.keep.or(config.store.keep);
        config.store.max_size = self.max_size.or(config.store.max_size);
        config.check()?;
        Ok(config)
    }
}

/// Runs until a signal.
pub fn run(args: &Args, out: &mut impl std::io::Write) -> anyhow::Result<Exit> {
    let config = args.config()?;
    if args.check {
        return check(&config, out);
    }
    log_to_stderr();
    // One thread is enough: what is hot runs on threads of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let ended = runtime.block_on(serve(args, config));
    // Whatever somebody asked for that is still at work: nobody is there any more to whom it could be told.
    runtime.shutdown_background();
    ended
}

async fn serve(args: &Args, config: Config) -> anyhow::Result<Exit> {
    // Before anything starts: a signal that comes early must not end the process half-way.
    let mut signals = Signals::new().context("cannot watch for signals")?;
    let http = match config.http.listen.0 {
        Some(address) => {
            let listener = tokio::net::TcpListener::bind(address).await;
            Some(listener.with_context(|| format!("cannot listen on http://{address}"))?)
        }
        None => None,
    };
    let starting = config.clone();
    let collector = tokio::task::spawn_blocking(move || Collector::start(&starting)).await??;
    let mut contact = None;
    let (stop_http, http_stopped) = tokio::sync::oneshot::channel::<()>();
    let http = match http {
        Some(listener) => {
            let address = listener.local_addr().context("http")?;
            collector.set_http(address);
            let stopped = async {
                let _ = http_stopped.await; // an error is the sender's end, which is the same
            };
            let data = config.data_folder()?;
            contact = Contact::leave(&data, address).inspect_err(|error| cannot_be_found(&data, error)).ok();
            let guard = Guard::new(&config.http, address).with_token(token::read_or_make(&data)?, token::path(&data));
            Some(tokio::spawn(http::serve(listener, guard, collector.board().clone(), stopped)))
        }
        None => None,
    };
    announce(&collector, &config);
    let mut current = config;
    loop {
        match signals.next().await {
            Request::Stop => break,
            Request::Reload => reload(args, &mut current, &collector),
        }
    }
    drop(contact);
    crate::say(format_args!("stopping: reading what is left and sealing it"));
    tokio::task::spawn_blocking(move || collector.stop()).await?;
    drop(stop_http);
    if let Some(http) = http {
        match tokio::time::timeout(HTTP_ENDS_WITHIN, http).await {
            Ok(ended) => ended?.context("http")?,
            // Somebody does not read what it asked for. The connection ends with the process.
            Err(_) => crate::say(format_args!("a connection did not end by itself")),
        }
    }
    crate::say(format_args!("stopped"));
    Ok(Exit::Done)
}

fn cannot_be_found(data: &Path, error: &std::io::Error) {
    crate::say(format_args!("{}: {error}; other commands will not find the server by themselves", data.display()));
}

/// Tells what runs, where, and what is not as it should be.
fn announce(collector: &Collector, config: &Config) {
    let status = collector.board().status();
    crate::say(format_args!("keeping flows in {} ({} rows so far)", status.data.display(), status.store.rows));
    for listening in collector.listening() {
        crate::say(format_args!("listening on udp://{} with {} sockets", listening.address, status.shards));
    }
    if let Some(hint) = collector.listening().iter().find_map(|listening| listening.hint.as_ref()) {
        crate::say(format_args!("{hint}"));
    }
    match status.http {
        Some(address) if config.http.open => {
            crate::say(format_args!(
                "http://{address} is open: everybody who can reach it may read packets and change the server (http.open)"
            ));
        }
        Some(address) => {
            crate::say(format_args!("status and metrics on http://{address}; try `finderscope status`"));
            let token = token::path(&status.data);
            crate::say(format_args!("packets and changes are for those who have the token in {}", token.display()));
        }
        None => {}
    }
}

/// A bad file changes nothing.
fn reload(args: &Args, current: &mut Config, collector: &Collector) {
    match args.config() {
        Ok(config) => {
            for key in collector.reload(current, &config) {
                crate::say(format_args!("reload: {key} changes at the next start"));
            }
            crate::say(format_args!("reloaded"));
            *current = config;
        }
        Err(error) => crate::say(format_args!("reload: the old configuration stays: {}", crate::with_causes(&error))),
    }
}

fn check(config: &Config, out: &mut impl std::io::Write) -> anyhow::Result<Exit> {
    writeln!(out, "data     {}", config.data_folder()?.display())?;
    writeln!(out, "shards   {}", config.shard_count())?;
    for listen in &config.listen {
        let place = finderscope_server::collector::check_listen(&listen.0)?;
        writeln!(out, "listen   {place}")?;
    }
    match config.http.listen.0 {
        Some(address) => writeln!(out, "http     {address}")?,
        None => writeln!(out, "http     off")?,
    }
    for to in &config.forward.to {
        writeln!(out, "forward  {} to {}, port {}", to.name.escape_debug(), to.address, to.port())?;
    }
    let rules = config.rules();
    if !rules.is_empty() {
        let declared: Vec<String> =
            config.declared()?.iter().map(|it| format!("{} ({})", it.column, it.kind)).collect();
        let new = if declared.is_empty() { "none".to_owned() } else { declared.join(", ") };
        writeln!(out, "map      {} elements; new columns: {new}", rules.len())?;
    }
    for warning in &config.mapped.warnings {
        crate::say(format_args!("{warning}"));
    }
    writeln!(out, "journal  at most {}", config.journal.limit)?;
    let keep = config.store.keep.map_or_else(|| "for ever".to_owned(), |age| age.to_string());
    let size = config.store.max_size.map_or_else(|| "of any size".to_owned(), |size| format!("at most {size}"));
    writeln!(out, "store    keeps rows {keep}, {size}")?;
    if config.senders.require {
        writeln!(
            out,
            "senders  only {} networks and {} exporters",
            config.senders.allow.len(),
            config.exporters.len()
        )?;
    } else {
        writeln!(
            out,
            "senders  everybody; {} networks and {} exporters are known",
            config.senders.allow.len(),
            config.exporters.len()
        )?;
    }
    Ok(Exit::Done)
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("FINDERSCOPE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(colour)
        .init();
}

enum Request {
    Stop,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop,
            _ = self.interrupt.recv() => Request::Stop,
            _ = self.hangup.recv() => Request::Reload,
        }
    }
}
