//! SINK of the security cases: an address that the server must never reach, and notices if it is.
use std::net::TcpListener;

pub struct Sink(TcpListener);

impl Sink {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Sink(listener)
    }

    pub fn url(&self) -> String {
        format!("https://{}/trap", self.0.local_addr().unwrap())
    }

    #[track_caller]
    pub fn is_untouched(&self) {
        assert!(self.0.accept().is_err(), "somebody fetched {}", self.url());
    }
}
