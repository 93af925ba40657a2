//! The program as an operator meets it: built, started and judged by what it prints and by how it ends.

mod clients;
mod invitations;
mod keys;
mod logouts;
mod logs;
mod metadata;
mod migrate;
mod providers;
mod registration_tokens;
mod serve;
mod settings;
mod trace;
mod users;
mod users_import;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder that the program runs in, with nothing but what the test puts there.
pub struct Place {
    folder: TempDir,
}

/// How a run of the program ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

const PASSWORD: &str = "correct horse battery staple";

impl Place {
    pub fn new() -> Self {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    pub fn with(settings: &str) -> Self {
        let place = Place::new();
        place.write("signet.toml", settings);
        place
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// No variable of the caller's shell changes what is tested; hashing is as cheap as it may be.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("SIGNET_PASSWORDS_MEMORY_KIB", "19456").env("SIGNET_PASSWORDS_ITERATIONS", "2");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        end(self.command(arguments).spawn().unwrap())
    }

    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        end(self.command(arguments).envs(variables.iter().copied()).spawn().unwrap())
    }

    pub fn tell(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A program that refuses its arguments reads nothing.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        end(child)
    }

    /// What a command answers to a script.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// `arguments`, with anna's account made first.
    pub fn with_anna() -> Self {
        let place = Place::new();
        let create = ["users", "create", "--email", "anna@example.com", "--username", "anna", "--password-stdin"];
        place.tell(&create, PASSWORD.as_bytes()).succeeded();
        place
    }

    pub fn serve(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8080"]);
        Server::start(command.envs(variables.iter().copied()))
    }
}

fn end(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!((self.code, &*self.err), (0, ""), "{}", self.out);
        self.out
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.succeeded()).unwrap()
    }

    /// One plain line, nothing on the standard output, and the exit code.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        assert_eq!((self.code, &*self.out), (code, ""), "{}", self.err);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        self.err.trim_end().to_owned()
    }
}

/// A running server; it is stopped when the test forgets it.
pub struct Server {
    child: Child,
    /// What it printed before its first answer.
    pub greeting: String,
    pub address: SocketAddr,
    out: BufReader<ChildStdout>,
    log: String,
    lines: Receiver<String>,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let lines = follow(child.stderr.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("database") {
            assert_ne!(out.read_line(&mut greeting).unwrap(), 0, "it ended: {:?}", lines.iter().collect::<Vec<_>>());
        }
        let address = value(&greeting, "address").parse().unwrap();
        let mut server = Server { child, greeting, address, out, log: String::new(), lines };
        server.answers();
        server
    }

    /// The greeting is written at once and before the first answer, so all of it is there after one.
    fn answers(&mut self) {
        assert!(self.get("/health/ready").starts_with("HTTP/1.1 200"));
        self.greeting.push_str(&String::from_utf8_lossy(self.out.buffer()));
    }

    /// The value of a line of the greeting.
    pub fn said(&self, name: &str) -> String {
        value(&self.greeting, name)
    }

    /// The one-time link, if there is one.
    pub fn link(&self) -> Option<&str> {
        self.greeting.lines().find(|line| line.contains("/setup?token="))
    }

    /// Head and body.
    pub fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    pub fn send(&self, request: &str) -> String {
        let mut tcp = TcpStream::connect(self.address).unwrap();
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Stops it as a supervisor does; the exit code and the log.
    pub fn stop(mut self) -> (i32, String) {
        self.signal("TERM");
        self.ended()
    }

    pub fn ended(&mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        self.log.extend(self.lines.iter());
        (code, std::mem::take(&mut self.log))
    }

    /// Waits until the log says it.
    pub fn logs(&mut self, text: &str) {
        while !self.log.contains(text) {
            self.log.push_str(&self.lines.recv().unwrap());
        }
    }

    /// A request whose body is awaited: the server has begun to answer it, and gets the rest when the test likes.
    pub fn half_a_request(&self) -> TcpStream {
        let mut tcp = TcpStream::connect(self.address).unwrap();
        let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\nExpect: 100-continue";
        tcp.write_all(format!("POST /oauth2/token HTTP/1.1\r\nHost: a\r\n{form}\r\n\r\n").as_bytes()).unwrap();
        let mut go_on = [0; 25];
        tcp.read_exact(&mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        tcp
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pipe must be emptied while the server runs, or it would wait.
fn follow(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let _ = sender.send(line.unwrap() + "\n");
        }
    });
    lines
}

#[track_caller]
fn value(greeting: &str, name: &str) -> String {
    let line = greeting.lines().find_map(|line| line.trim().strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {greeting}")).trim().to_owned()
}
