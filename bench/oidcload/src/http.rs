//! A lean HTTP/1.1 client: one keep-alive connection, one request in flight.
//!
//! A general client library spends more CPU per exchange than a fast server does; on a machine shared with the server
//! that would measure the client. This one writes one prepared buffer and parses the answer in place.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ROOM: usize = 64 * 1024;

/// The parsed answer; it lives until the next exchange.
#[derive(Default)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    close: bool,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The beginning of the body, for a message.
    pub fn snippet(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }
}

pub struct Connection {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    pub response: Response,
    /// Connections opened so far: 1 while keep-alive holds.
    pub opened: u64,
}

impl Connection {
    pub fn new(address: String) -> Self {
        Self { address, stream: None, buffer: Vec::with_capacity(ROOM), response: Response::default(), opened: 0 }
    }

    /// Sends one request and reads the whole answer into `response`. A kept connection that the server closed
    /// meanwhile is opened again, once.
    pub async fn exchange(&mut self, request: &[u8], head: bool) -> io::Result<()> {
        if self.stream.is_some() {
            match self.attempt(request, head).await {
                Err(_) if self.buffer.is_empty() => self.stream = None,
                outcome => return outcome,
            }
        }
        self.attempt(request, head).await
    }

    async fn attempt(&mut self, request: &[u8], head: bool) -> io::Result<()> {
        self.buffer.clear();
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        stream.write_all(request).await?;
        let mut reader = Reader { stream: &mut stream, buffer: &mut self.buffer };
        let (start, framing) = reader.head(&mut self.response).await?;
        let bodiless = head || matches!(self.response.status, 204 | 304);
        let framing = if bodiless { Framing::Length(0) } else { framing };
        reader.body(start, framing, &mut self.response).await?;
        if !self.response.close {
            self.stream = Some(stream);
        }
        Ok(())
    }

    async fn connect(&mut self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        self.opened += 1;
        Ok(stream)
    }
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

struct Reader<'a> {
    stream: &'a mut TcpStream,
    buffer: &'a mut Vec<u8>,
}

impl Reader<'_> {
    /// Reads the head of the final answer: where its body starts, and how that is framed.
    async fn head(&mut self, response: &mut Response) -> io::Result<(usize, Framing)> {
        loop {
            self.more("closed before the head of the answer ended").await?;
            while let Some((length, framing)) = parse_head(self.buffer, response)? {
                if response.status / 100 != 1 {
                    return Ok((length, framing));
                }
                self.buffer.drain(..length);
            }
        }
    }

    async fn body(&mut self, start: usize, framing: Framing, response: &mut Response) -> io::Result<()> {
        response.body.clear();
        match framing {
            Framing::Length(length) => {
                while self.buffer.len() < start + length {
                    self.more("closed inside the body").await?;
                }
                response.body.extend_from_slice(&self.buffer[start..start + length]);
                Ok(())
            }
            Framing::Chunked => self.chunks(start, response).await,
            Framing::UntilClose => {
                while self.read().await? != 0 {}
                response.body.extend_from_slice(&self.buffer[start..]);
                response.close = true;
                Ok(())
            }
        }
    }

    /// Ends with the last chunk; trailers are not expected.
    async fn chunks(&mut self, mut at: usize, response: &mut Response) -> io::Result<()> {
        loop {
            match chunk(&self.buffer[at..])? {
                Some((start, size)) if self.buffer.len() >= at + start + size + 2 => {
                    response.body.extend_from_slice(&self.buffer[at + start..at + start + size]);
                    at += start + size + 2;
                    if size == 0 {
                        return Ok(());
                    }
                }
                _ => self.more("closed inside a chunk").await?,
            }
        }
    }

    async fn more(&mut self, otherwise: &str) -> io::Result<()> {
        match self.read().await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, otherwise)),
            _ => Ok(()),
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.buffer.reserve(8 * 1024);
        self.stream.read_buf(self.buffer).await
    }
}

fn bad(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.into())
}

/// Parses the head when it is complete: its length, and how the body is framed.
fn parse_head(buffer: &[u8], response: &mut Response) -> io::Result<Option<(usize, Framing)>> {
    let mut storage = [httparse::EMPTY_HEADER; 96];
    let mut parsed = httparse::Response::new(&mut storage);
    let length = match parsed.parse(buffer).map_err(|error| bad(format!("head of the answer: {error}")))? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    response.status = parsed.code.unwrap_or(0);
    response.headers.clear();
    response.close = parsed.version == Some(0);
    let mut framing = Framing::UntilClose;
    for header in parsed.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        let value = String::from_utf8_lossy(header.value).into_owned();
        match name.as_str() {
            "content-length" if !matches!(framing, Framing::Chunked) => {
                framing = Framing::Length(value.trim().parse().map_err(|_| bad("content-length"))?);
            }
            "transfer-encoding" if value.to_ascii_lowercase().contains("chunked") => framing = Framing::Chunked,
            "connection" => response.close = value.eq_ignore_ascii_case("close"),
            _ => {}
        }
        response.headers.push((name, value));
    }
    Ok(Some((length, framing)))
}

/// Where a chunk's data starts, and its size, once its size line is there.
fn chunk(bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some(end) = memchr::memchr(b'\n', bytes) else { return Ok(None) };
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| bad("size of a chunk"))?;
    let digits = line.split(';').next().unwrap_or("").trim();
    let size = usize::from_str_radix(digits, 16).map_err(|_| bad(format!("size of a chunk {digits:?}")))?;
    Ok(Some((end + 1, size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_the_body_is_framed() {
        let mut response = Response::default();
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let (length, framing) = parse_head(whole, &mut response).unwrap().unwrap();
        assert_eq!((length, response.status), (38, 200));
        assert!(matches!(framing, Framing::Length(3)));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(matches!(parse_head(chunked, &mut response).unwrap(), Some((_, Framing::Chunked))));
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nA: b", &mut response).unwrap().is_none());
    }

    #[test]
    fn a_chunk_starts_after_its_size_line() {
        assert_eq!(chunk(b"4;x=y\r\nwiki\r\n").unwrap(), Some((7, 4)));
        assert_eq!(chunk(b"4").unwrap(), None);
        assert!(chunk(b"zz\r\n").is_err());
    }
}
