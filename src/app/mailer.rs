//! Hands mails over to the operator's SMTP server (RFC 5321): the only user of lettre. Who has no server has an outbox.
//!
//! One connection is for one mail: then an attempt that took too long can be dropped, and nothing of it meets the next.

use std::{
    error::Error as _,
    fmt,
    net::IpAddr,
    sync::OnceLock,
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters, TlsVersion},
        extension::ClientId,
        response::Response,
    },
};
use tokio::{net::TcpStream, sync::OnceCell, time::timeout};

use super::by_line::ByLine;
use crate::config::{Config, MailTls, Sender, error::printable};

/// How long the farewell to a server may take that has taken the mail.
const FAREWELL: Duration = Duration::from_secs(1);
/// Of what a server answers, so much is kept.
const MOST_WORDS: usize = 200;

pub struct Mailer {
    /// None: there is no server.
    smtp: Option<Smtp>,
    /// Where a local server shows what it would send.
    terminal: OnceLock<fn(&str)>,
}

/// The operator's server, and what we say of ourselves.
struct Smtp {
    host: String,
    port: u16,
    tls: MailTls,
    roots: Vec<Certificate>,
    /// Made at the first mail: reading the system's certificates takes a while.
    parameters: OnceCell<TlsParameters>,
    credentials: Option<Credentials>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    /// The host of the issuer.
    domain: String,
    patience: Duration,
}

/// A mail with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The same at each attempt, so that mail programs know a repeat.
    pub id: String,
    pub at: i64,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Why a server did not take a mail, in words without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It will not have this mail.
    #[error("{0}")]
    Refused(String),
    /// It could not be reached, spoken to or trusted, or wants to be asked again.
    #[error("{0}")]
    Later(String),
}

impl Mailer {
    /// # Errors
    /// When a setting cannot be used after all.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Mailer { smtp: Smtp::new(config)?, terminal: OnceLock::new() })
    }

    /// Whether there is a server for mails.
    pub fn has_server(&self) -> bool {
        self.smtp.is_some()
    }

    /// Hands a mail over; what the server said.
    ///
    /// # Errors
    /// Why it has not got it, or may not have.
    pub async fn hand_over(&self, mail: &Written) -> Result<String, NotTaken> {
        match &self.smtp {
            Some(smtp) => smtp.hand_over(mail).await,
            None => Err(NotTaken::Later("no mail server is set (mail.host)".to_owned())),
        }
    }

    /// From now on what lands in the outbox is shown there. The first stays.
    pub fn show_on(&self, terminal: fn(&str)) {
        let _ = self.terminal.set(terminal);
    }

    /// Shows what landed in the outbox, if somebody looks.
    pub fn show(&self, lines: &str) {
        if let Some(terminal) = self.terminal.get() {
            terminal(lines);
        }
    }
}

impl Smtp {
    fn new(config: &Config) -> anyhow::Result<Option<Self>> {
        let mail = &config.mail;
        let Some(host) = &mail.host else { return Ok(None) };
        let pem: Vec<_> = config.outbound.root_certificates.iter().flat_map(|roots| blocks(&roots.pem)).collect();
        let roots = pem.iter().map(|pem| Certificate::from_pem(pem.as_bytes())).collect::<Result<_, _>>()?;
        let credentials = mail.username.clone().zip(mail.password.as_ref());
        Ok(Some(Smtp {
            // Literal IPv6 addresses have brackets in URLs only.
            host: host.as_str().trim_matches(['[', ']']).to_owned(),
            port: u16::try_from(mail.port)?,
            tls: mail.tls,
            roots,
            parameters: OnceCell::new(),
            credentials: credentials.map(|(name, password)| Credentials::new(name, password.reveal().to_owned())),
            from: mailbox(&mail.from, Some(&config.branding.name))?,
            reply_to: mail.reply_to.as_ref().map(|to| mailbox(to, None)).transpose()?,
            domain: config.server.issuer.url().host_str().unwrap_or("localhost").to_owned(),
            patience: mail.timeout.duration(),
        }))
    }

    async fn hand_over(&self, mail: &Written) -> Result<String, NotTaken> {
        let message = self.message(mail).map_err(|error| NotTaken::Refused(scrubbed(&error.to_string())))?;
        let late = || NotTaken::Later(format!("no whole answer within {} seconds", self.patience.as_secs()));
        let work = async {
            let mut line = self.connect().await?;
            let taken = line.send(message.envelope(), &message.formatted()).await.map_err(|error| of_mail(&error));
            Ok((line, taken))
        };
        let (mut line, taken) = timeout(self.patience, work).await.map_err(|_| late())??;
        // Taken or not, that is decided; who is impolite now loses nothing.
        let _ = timeout(FAREWELL, line.quit()).await;
        taken.map(|answer| in_words(&answer))
    }

    /// Until the server would take a mail. What goes wrong until then is no mail's fault.
    async fn connect(&self) -> Result<AsyncSmtpConnection, NotTaken> {
        let hello = self.hello();
        let of_server =
            |stage: &'static str| move |error: Error| NotTaken::Later(format!("{stage}: {}", words(&error)));
        let server = (self.host.as_str(), self.port);
        if self.tls == MailTls::Tls {
            let tls = self.parameters().await?;
            let line = AsyncSmtpConnection::connect_tokio1(server, None, &hello, Some(tls), None).await;
            return self.signed_in(line.map_err(of_server("connection"))?).await;
        }
        let stream = TcpStream::connect(server).await;
        let stream = stream.map_err(|error| NotTaken::Later(scrubbed(&format!("connection: {error}"))))?;
        let stream = Box::new(ByLine::new(stream));
        let mut line =
            AsyncSmtpConnection::connect_with_transport(stream, &hello).await.map_err(of_server("connection"))?;
        if self.tls == MailTls::Starttls {
            if !line.can_starttls() {
                return Err(NotTaken::Later(
                    "the server does not offer STARTTLS, and nothing is sent in clear".to_owned(),
                ));
            }
            line.starttls(self.parameters().await?, &hello).await.map_err(of_server("STARTTLS"))?;
        }
        self.signed_in(line).await
    }

    /// RFC 5321 §4.1.3.
    fn hello(&self) -> ClientId {
        match self.domain.trim_matches(['[', ']']).parse() {
            Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
            Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
            Err(_) => ClientId::Domain(self.domain.clone()),
        }
    }

    async fn signed_in(&self, mut line: AsyncSmtpConnection) -> Result<AsyncSmtpConnection, NotTaken> {
        if let Some(credentials) = &self.credentials {
            let done = line.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await;
            // The code alone: a careless server could say back what it was told.
            done.map_err(|error| match error.status() {
                Some(code) => NotTaken::Later(format!("signing in: {code}; check mail.username and mail.password")),
                None => NotTaken::Later(format!("signing in: {}", kind(&error))),
            })?;
        }
        Ok(line)
    }

    async fn parameters(&self) -> Result<TlsParameters, NotTaken> {
        let made = self.parameters.get_or_try_init(|| async {
            let (host, roots) = (self.host.clone(), self.roots.clone());
            let made = tokio::task::spawn_blocking(move || {
                let builder = TlsParameters::builder(host).set_min_tls_version(TlsVersion::Tlsv12);
                roots
                    .into_iter()
                    .fold(builder, lettre::transport::smtp::client::TlsParametersBuilder::add_root_certificate)
                    .build_native()
            });
            match made.await {
                Ok(made) => made.map_err(|error| NotTaken::Later(format!("TLS: {}", words(&error)))),
                Err(error) => Err(NotTaken::Later(scrubbed(&error.to_string()))),
            }
        });
        made.await.cloned()
    }

    /// RFC 5322, RFC 2046 §5.1.4, RFC 3834 §5: both forms of the words, and a sign for robots not to answer.
    fn message(&self, mail: &Written) -> anyhow::Result<Message> {
        let to: Address = mail.to.parse()?;
        let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(mail.at)?);
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .date(at)
            .message_id(Some(format!("<{}@{}>", mail.id, self.domain)))
            .raw_header(automatic);
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(reply_to.clone());
        }
        let part = |kind, body: &str| SinglePart::builder().header(kind).body(body.to_owned());
        let parts = MultiPart::alternative()
            .boundary(format!("{}.parts", mail.id))
            .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
            .singlepart(part(ContentType::TEXT_HTML, &mail.html));
        Ok(message.multipart(parts)?)
    }
}

impl AsyncTokioStream for ByLine<TcpStream> {
    fn peer_addr(&self) -> std::io::Result<std::net::SocketAddr> {
        self.get_ref().peer_addr()
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.smtp.as_ref().map(|smtp| (&smtp.host, smtp.port));
        f.debug_struct("Mailer").field("server", &server).finish_non_exhaustive()
    }
}

fn mailbox(of: &Sender, otherwise: Option<&str>) -> anyhow::Result<Mailbox> {
    let name = of.name.as_deref().or(otherwise).map(one_line);
    Ok(Mailbox::new(name, of.address.parse()?))
}

/// Each certificate of a PEM file by itself.
fn blocks(pem: &[u8]) -> Vec<String> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(pem);
    text.split_inclusive(END).filter(|block| block.ends_with(END)).map(str::to_owned).collect()
}

/// What could end a header, or hide in one, is a space.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// The server's answer to the mail itself.
fn of_mail(error: &Error) -> NotTaken {
    // The client's own errors are of this mail too: an address that this server cannot write to (RFC 6531).
    if error.is_permanent() || error.is_client() {
        NotTaken::Refused(words(error))
    } else {
        NotTaken::Later(words(error))
    }
}

fn in_words(answer: &Response) -> String {
    scrubbed(&format!("{} {}", answer.code(), answer.first_line().unwrap_or_default()))
}

/// A code and what the server says of it, or what broke.
fn words(error: &Error) -> String {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    match error.status() {
        Some(code) => scrubbed(&format!("{code} {cause}")),
        None => scrubbed(&format!("{}: {cause}", kind(error))),
    }
}

fn kind(error: &Error) -> &'static str {
    match () {
        () if error.is_timeout() => "no answer in time",
        () if error.is_tls() => "TLS failed",
        () if error.is_client() => "the server lacks what is needed",
        () if error.is_response() => "the server's answer makes no sense",
        () => "the connection failed",
    }
}

/// A server may say anything, the recipient and our links among it.
fn scrubbed(said: &str) -> String {
    let harmless = |word: &str| word.len() <= 40 && !word.contains(['@', '/']);
    let words = said.split_whitespace().map(|word| if harmless(word) { word } else { "…" });
    let line = printable(&words.collect::<Vec<_>>().join(" "));
    line.chars().take(MOST_WORDS).collect()
}
