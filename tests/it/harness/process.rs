//! The built program as a process: what it says is kept, and it ends with its owner.
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Debug builds on a busy machine are slow; what is slower than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Process {
    pub child: Child,
    /// Its output and its log, line by line.
    said: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        listen(child.stdout.take().unwrap(), said.clone());
        listen(child.stderr.take().unwrap(), said.clone());
        Process { child, said }
    }

    /// A server that says where it listens.
    pub async fn listening(command: &mut Command) -> Self {
        let begun = Instant::now();
        let mut process = Process::start(command);
        while process.find("  address ").is_none() {
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", process.log());
            assert!(begun.elapsed() < PATIENCE, "the server does not listen:\n{}", process.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process
    }

    pub fn log(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    pub fn find(&self, part: &str) -> Option<String> {
        self.said.lock().unwrap().iter().find(|line| line.contains(part)).cloned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("what the server said:\n{}", self.log());
        }
    }
}

/// Keeps what a stream says, line by line, until it ends.
fn listen(stream: impl Read + Send + 'static, said: Arc<Mutex<Vec<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            said.lock().unwrap().push(line);
        }
    });
}
