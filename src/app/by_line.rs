//! A connection that gives away no more than one line at a time.
//!
//! What an SMTP server says in clear before TLS begins must not be taken for what it says inside (RFC 3207 §4.2, "command
//! injection"). Whoever buffers a connection like this one has no byte beyond the line that it has asked for.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug)]
pub struct ByLine<S> {
    inner: S,
    /// Read already, and not asked for yet.
    ahead: Vec<u8>,
    given: usize,
}

impl<S> ByLine<S> {
    pub fn new(inner: S) -> Self {
        ByLine { inner, ahead: Vec::new(), given: 0 }
    }

    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ByLine<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.given == self.ahead.len() {
            let mut space = [0; 8192];
            let mut fresh = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut fresh))?;
            self.ahead.clear();
            self.ahead.extend_from_slice(fresh.filled());
            self.given = 0;
        }
        let rest = &self.ahead[self.given..];
        let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let count = line.min(to.remaining());
        to.put_slice(&rest[..count]);
        self.given += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ByLine<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
