//! `signet serve`: from settings to a server that answers, and back in good order.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use clap::Args;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{failure::Failure, logging, output};
use crate::{
    app::{App, open::Surroundings},
    config::{Config, ConfigError},
    flows::{
        declared, mail, nodes, readers, set_up,
        start::{self, Schema},
        upstream,
    },
    http::{
        self,
        listener::{self, Limits},
        tls::Tls,
    },
    jobs,
};

#[derive(Debug, Default, Args)]
pub struct Serve {
    /// Refuse to start on a database that lacks migrations, instead of applying them
    #[arg(long)]
    no_migrate: bool,
}

impl Serve {
    /// Until a signal ends it.
    ///
    /// # Errors
    /// Why it cannot start.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        logging::for_server(&config.log);
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        declared::check(&config)?;
        upstream::declared::check(&config)?;
        let tls = certificate(&config)?;
        // From here on a signal is answered, even one that comes before the first request.
        let signals =
            Signals::new().map_err(|error| Failure::failed(format!("signals cannot be received: {error}")))?;
        let around = Surroundings::real(&config);
        let schema = if self.no_migrate { Schema::Leave } else { Schema::Update };
        let app = start::open(config, around, schema).await?;
        start::reconcile(&app).await?;
        nodes::join(&app).await?;
        let tcp = bind(app.config.server.listen.address()).await?;
        announce(&app, &tcp).await?;
        if mail::has_outbox(&app) && logging::is_for_people(&app.config.log) {
            app.mailer.show_on(output::tell);
        }
        nodes::follow(&app);
        readers::follow(&app);
        jobs::start(&app);
        if let Some(tls) = &tls {
            follow(tls.clone());
        }
        serve(&app, tcp, tls, signals).await;
        Ok(())
    }
}

/// The certificate of the settings; `None` is plain http.
///
/// # Errors
/// When the files are no certificate and key, or not of each other.
pub fn certificate(config: &Config) -> Result<Option<Tls>, ConfigError> {
    let Some(files) = &config.tls else { return Ok(None) };
    let remedy = "set tls.certificate and tls.key to PEM files that belong together";
    let tls = Tls::new(&files.certificate, &files.key);
    tls.map(Some).map_err(|error| config.problem("tls.certificate", error.to_string(), remedy).into())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "stop what listens there, or set another with --listen or SIGNET_LISTEN",
            ErrorKind::AddrNotAvailable => "this machine has no such address; set one of its own, or 0.0.0.0 for all",
            ErrorKind::PermissionDenied => "ports below 1024 need a right of their own; set another, or grant it",
            _ => "set another address with --listen or SIGNET_LISTEN",
        };
        Failure::failed(format!("cannot listen on {address}: {error}; {remedy}"))
    })
}

/// On the standard output, before the first request is answered: whoever waits for readiness finds the link there.
async fn announce(app: &App, tcp: &TcpListener) -> Result<(), Failure> {
    let address = tcp.local_addr().unwrap_or(app.config.server.listen.address());
    let link = if set_up::is_needed(app).await? { Some(set_up::link(app, set_up::Older::Stay).await?) } else { None };
    let database = app.config.database.url.masked();
    tracing::info!(%address, issuer = app.issuer(), database, version = env!("CARGO_PKG_VERSION"), "listening");
    if output::print(&greeting(app, address, link.as_deref())).is_err() {
        tracing::warn!("the standard output cannot be written; `signet admin recover` prints a set-up link");
    }
    Ok(())
}

fn greeting(app: &App, address: SocketAddr, link: Option<&str>) -> String {
    let about = output::pairs([
        ("  address", address.to_string()),
        ("  issuer", app.issuer().to_owned()),
        ("  data", app.config.data_dir().display().to_string()),
        ("  database", app.config.database.url.masked()),
    ]);
    let next = match link {
        Some(link) => format!(
            "\nNobody administers this server yet. Open this link, once and within {} hours, to become its administrator:\n\
             {link}\n",
            set_up::LIFE / 3600
        ),
        None => String::new(),
    };
    format!("Signet {} is listening\n{about}{next}", env!("CARGO_PKG_VERSION"))
}

/// Until the first signal and what it leaves to do; until the second at the latest.
async fn serve(app: &App, tcp: TcpListener, tls: Option<Tls>, mut signals: Signals) {
    let (stop, stopping) = oneshot::channel();
    let shutdown = async move {
        let _ = stopping.await;
    };
    // A task of its own: the thread that waits here is no worker.
    let mut serving = tokio::spawn(listener::serve(tcp, http::service(app), tls, Limits::default(), shutdown));
    let hurry = async move {
        signals.next().await;
        tracing::info!("stopping: requests in flight may finish; a second signal stops at once");
        let _ = stop.send(());
        signals.next().await;
    };
    tokio::select! {
        ended = &mut serving => if let Err(error) = ended {
            tracing::error!(%error, "the listener ended by a defect");
        },
        () = hurry => {
            tracing::warn!("stopped at once; requests in flight are cut off");
            serving.abort();
        }
    }
    if timeout(Duration::from_secs(5), farewell(app)).await.is_err() {
        tracing::warn!("the last trace events could not be written in time");
    }
    tracing::info!("stopped");
}

/// What the other servers, and whoever looks later, should know.
async fn farewell(app: &App) {
    app.recorder.flush().await;
    app.attempts.flush().await;
    for done in [nodes::leave(app).await, readers::flush(app).await] {
        if let Err(error) = done {
            tracing::warn!(%error, "the last news could not be written");
        }
    }
}

/// Takes up a renewed certificate while serving.
fn follow(tls: Tls) {
    tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(30)).await;
            let tls = tls.clone();
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(true)) => tracing::info!("new connections use the renewed certificate"),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the certificate cannot be read again; the old one stays in use")
                }
                Ok(Ok(false)) | Err(_) => {}
            }
        }
    });
}

/// What ends a server: SIGTERM from its supervisor, SIGINT from a keyboard.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
