//! The operator's mail server on loopback: what came, in what protection, and how it takes it.
use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use mail_parser::{Message, MessageParser, MimeHeaders};
use openssl::{
    pkey::PKey,
    ssl::{Ssl, SslAcceptor, SslMethod},
    x509::X509,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_openssl::SslStream;

use super::authority::AUTHORITY;

pub const USERNAME: &str = "signet";
pub const PASSWORD: &str = "correct horse battery staple";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    Starttls,
    /// From the first byte.
    Tls,
    Nothing,
    /// Says more after "go ahead" than it should, before the handshake.
    Injecting,
}

/// When in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Recipient,
    Data,
    /// The mail is all there.
    End,
}

/// What it does with one mail.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    Takes,
    Says(Stage, &'static str),
    Hangs(Stage),
    Drops(Stage),
    /// Keeps the mail, and is gone before it says so.
    Forgets,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Came {
    pub from: String,
    pub to: Vec<String>,
    pub raw: String,
    pub encrypted: bool,
    /// By which name, if any.
    pub by: Option<String>,
}

impl Came {
    pub fn message(&self) -> Message<'_> {
        MessageParser::default().parse(self.raw.as_bytes()).expect("a message")
    }

    pub fn subject(&self) -> String {
        self.message().subject().expect("a subject").to_string()
    }

    pub fn text(&self) -> String {
        self.message().body_text(0).expect("a text part").into_owned()
    }

    pub fn html(&self) -> String {
        let message = self.message();
        let part = message.html_part(0).expect("an HTML part");
        assert_eq!(part.content_type().and_then(|kind| kind.subtype()), Some("html"));
        part.text_contents().unwrap().to_string()
    }

    /// The lines before the body, unfolded.
    pub fn headers(&self) -> Vec<String> {
        let head = self.raw.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
        head.lines().map(str::to_string).collect()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let prefix = format!("{}:", name.to_lowercase());
        let all: Vec<_> = self.headers().into_iter().filter(|line| line.to_lowercase().starts_with(&prefix)).collect();
        assert!(all.len() < 2, "{all:?}");
        all.first().map(|line| line[prefix.len()..].trim().to_string())
    }
}

#[derive(Default)]
struct Seen {
    came: Mutex<Vec<Came>>,
    turns: Mutex<VecDeque<Turn>>,
    /// Every line that came unprotected.
    in_clear: Mutex<Vec<String>>,
    greetings: Mutex<Vec<String>>,
}

pub struct Smtp {
    pub port: u16,
    seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Smtp {
    /// Takes one mail after the other as `turns` say; then it takes them all.
    pub async fn start(guard: Guard, turns: &[Turn]) -> Self {
        Self::at(0, guard, turns).await
    }

    pub async fn at(port: u16, guard: Guard, turns: &[Turn]) -> Self {
        let tcp = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let seen = Arc::new(Seen { turns: Mutex::new(turns.iter().copied().collect()), ..Seen::default() });
        let kept = seen.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                let seen = kept.clone();
                tokio::spawn(async move {
                    // The other side may go when it likes.
                    let _ = serve(stream, guard, seen).await;
                });
            }
        });
        Smtp { port, seen, accepting }
    }

    /// The settings of a server that sends its mails here.
    pub fn settings(&self, tls: &'static str) -> Vec<(&'static str, String)> {
        vec![
            ("mail.host", "localhost".into()),
            ("mail.port", self.port.to_string()),
            ("mail.tls", tls.into()),
            ("mail.username", USERNAME.into()),
            ("mail.password_file", "smtp-password".into()),
            ("outbound.root_certificates", "authority.pem".into()),
        ]
    }

    pub fn came(&self) -> Vec<Came> {
        self.seen.came.lock().unwrap().clone()
    }

    /// The only mail that came.
    #[track_caller]
    pub fn only(&self) -> Came {
        let came = self.came();
        assert_eq!(came.len(), 1, "{came:?}");
        came[0].clone()
    }

    /// Whether every turn has begun.
    pub fn has_begun(&self) -> bool {
        self.seen.turns.lock().unwrap().is_empty()
    }

    /// Whoever listens on the network has read this.
    pub fn in_clear(&self) -> Vec<String> {
        self.seen.in_clear.lock().unwrap().clone()
    }

    /// By what names we were greeted.
    pub fn greetings(&self) -> Vec<String> {
        self.seen.greetings.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, guard: Guard, seen: Arc<Seen>) -> io::Result<()> {
    if guard == Guard::Tls {
        return talk(&mut encrypted(stream).await?, guard, true, true, &seen).await.map(drop);
    }
    if talk(&mut stream, guard, false, true, &seen).await? {
        talk(&mut encrypted(stream).await?, guard, true, false, &seen).await?;
    }
    Ok(())
}

async fn encrypted(stream: TcpStream) -> io::Result<SslStream<TcpStream>> {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&X509::from_pem(&AUTHORITY.server_certificate).unwrap()).unwrap();
    acceptor.set_private_key(&PKey::private_key_from_pem(&AUTHORITY.server_key).unwrap()).unwrap();
    let mut stream = SslStream::new(Ssl::new(acceptor.build().context()).unwrap(), stream).unwrap();
    Pin::new(&mut stream).accept().await.map_err(io::Error::other)?;
    Ok(stream)
}

/// Until the end, or until TLS is to begin: then true.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    guard: Guard,
    encrypted: bool,
    greet: bool,
    seen: &Seen,
) -> io::Result<bool> {
    // Nobody says more than asked, so nothing is lost with this buffer when TLS begins.
    let mut line = BufReader::new(stream);
    let (mut by, mut from, mut to) = (None, String::new(), Vec::new());
    let mut turn = Turn::Takes;
    if greet {
        say(&mut line, "220 mail.example ESMTP").await?;
    }
    loop {
        let mut command = String::new();
        if line.read_line(&mut command).await? == 0 {
            return Ok(false);
        }
        let command = command.trim_end();
        if !encrypted {
            seen.in_clear.lock().unwrap().push(command.to_string());
        }
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        match verb.to_uppercase().as_str() {
            "EHLO" => {
                seen.greetings.lock().unwrap().push(rest.to_string());
                let offers = matches!(guard, Guard::Starttls | Guard::Injecting) && !encrypted;
                let starttls = if offers { "250-STARTTLS\r\n" } else { "" };
                say(&mut line, &format!("250-mail.example\r\n{starttls}250-AUTH LOGIN PLAIN\r\n250 SIZE 1000000"))
                    .await?;
            }
            "STARTTLS" => {
                let more = if guard == Guard::Injecting { "\r\n250-mail.example\r\n250 AUTH PLAIN" } else { "" };
                say(&mut line, &format!("220 go ahead{more}")).await?;
                return Ok(true);
            }
            "AUTH" => {
                by = signed_in(&mut line, rest).await?;
                say(&mut line, if by.is_some() { "235 welcome" } else { "535 5.7.8 not you" }).await?;
            }
            "MAIL" => {
                turn = seen.turns.lock().unwrap().pop_front().unwrap_or(Turn::Takes);
                (from, to) = (inside(rest), Vec::new());
                say(&mut line, "250 ok").await?;
            }
            "RCPT" => {
                to.push(inside(rest));
                if !goes_on(&mut line, turn, Stage::Recipient, "250 ok").await? {
                    return Ok(false);
                }
            }
            "DATA" => {
                if !goes_on(&mut line, turn, Stage::Data, "354 go on").await? {
                    return Ok(false);
                }
                if matches!(turn, Turn::Says(Stage::Data, _)) {
                    continue;
                }
                let raw = data(&mut line).await?;
                let came = Came { from: from.clone(), to: to.clone(), raw, encrypted, by: by.clone() };
                if matches!(turn, Turn::Takes | Turn::Forgets) {
                    seen.came.lock().unwrap().push(came);
                }
                if matches!(turn, Turn::Forgets) || !goes_on(&mut line, turn, Stage::End, "250 2.0.0 taken").await? {
                    return Ok(false);
                }
            }
            "QUIT" => {
                say(&mut line, "221 bye").await?;
                return Ok(false);
            }
            _ => say(&mut line, "502 what?").await?,
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(line: &mut BufReader<S>, what: &str) -> io::Result<()> {
    line.get_mut().write_all(format!("{what}\r\n").as_bytes()).await?;
    line.get_mut().flush().await
}

/// Answers as the turn has it; false when the connection ends.
async fn goes_on<S: AsyncRead + AsyncWrite + Unpin>(
    line: &mut BufReader<S>,
    turn: Turn,
    stage: Stage,
    well: &str,
) -> io::Result<bool> {
    match turn {
        Turn::Says(at, words) if at == stage => say(line, words).await?,
        Turn::Drops(at) if at == stage => return Ok(false),
        Turn::Hangs(at) if at == stage => tokio::time::sleep(Duration::from_secs(120)).await,
        _ => say(line, well).await?,
    }
    Ok(true)
}

/// RFC 4954: both mechanisms that there are, and who it was.
async fn signed_in<S: AsyncRead + AsyncWrite + Unpin>(
    line: &mut BufReader<S>,
    rest: &str,
) -> io::Result<Option<String>> {
    let decode =
        |text: &str| String::from_utf8(BASE64_STANDARD.decode(text.trim()).unwrap_or_default()).unwrap_or_default();
    let given = match rest.split_once(' ') {
        Some(("PLAIN", given)) => decode(given).split('\0').skip(1).map(str::to_string).collect::<Vec<_>>(),
        _ => {
            let mut given = Vec::new();
            for prompt in ["Username:", "Password:"] {
                say(line, &format!("334 {}", BASE64_STANDARD.encode(prompt))).await?;
                let mut answer = String::new();
                line.read_line(&mut answer).await?;
                given.push(decode(&answer));
            }
            given
        }
    };
    Ok((given == [USERNAME, PASSWORD]).then(|| USERNAME.to_string()))
}

/// Up to the line with nothing but a dot.
async fn data<S: AsyncRead + AsyncWrite + Unpin>(line: &mut BufReader<S>) -> io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut next = Vec::new();
        if (&mut *line).take(1_000_000).read_until(b'\n', &mut next).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let next = String::from_utf8(next).expect("ASCII");
        match next.as_str() {
            ".\r\n" => return Ok(raw),
            next => raw.push_str(next.strip_prefix('.').unwrap_or(next)),
        }
    }
}

/// What stands between `<` and `>`.
fn inside(rest: &str) -> String {
    rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(inside, _)| inside).to_string()
}
