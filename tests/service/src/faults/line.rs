//! The connection below HTTP, so that it can break at a byte.

use axum::Extension;
use axum::Router;
use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsAcceptor;
use std::fmt;
use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A line that nobody cuts.
const WHOLE: u64 = u64::MAX;

/// What ends the head of an answer.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A change to the head of an answer as it goes over the wire: the status line and the header fields, each ended by CR LF.
#[derive(Clone)]
pub struct Retouch(Arc<dyn Fn(&str) -> String + Send + Sync>);

impl Retouch {
    /// `change` gets the head, its last line ended too, and gives what is sent in its place, before the empty line.
    pub fn new(change: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }
}

impl fmt::Debug for Retouch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Retouch")
    }
}

/// How many more bytes a connection carries towards the phone, and what is done to the next head among them.
#[derive(Clone)]
pub(crate) struct Line {
    left: Arc<AtomicU64>,
    retouch: Arc<Mutex<Option<Retouch>>>,
}

impl Line {
    fn whole() -> Self {
        Self { left: Arc::new(AtomicU64::new(WHOLE)), retouch: Arc::default() }
    }

    /// The connection breaks after `bytes` more.
    pub(super) fn cut_after(&self, bytes: u64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    /// The head that is sent next is changed.
    pub(super) fn retouch(&self, retouch: Retouch) {
        *self.planned() = Some(retouch);
    }

    fn planned(&self) -> MutexGuard<'_, Option<Retouch>> {
        self.retouch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is sent instead of these bytes, once the head among them is whole; and whether it ends with the connection, as an
    /// answer does whose head tells no length (RFC 9112 6.3).
    fn retouched(&self, held: &[u8]) -> Option<(Vec<u8>, bool)> {
        let end = held.windows(END_OF_HEAD.len()).position(|four| four == END_OF_HEAD)? + 2;
        let retouch = self.planned().take()?;
        let head = (retouch.0)(&String::from_utf8_lossy(&held[..end]));
        let tells = |field: &str| head.to_ascii_lowercase().contains(field);
        let is_last = !tells("chunked") && (tells("\ntransfer-encoding:") || !tells("\ncontent-length:"));
        Some(([head.as_bytes(), &held[end..]].concat(), is_last))
    }
}

/// Puts a [`Line`] under each connection, above TLS, where the requests that come over it find it.
#[derive(Clone)]
pub(crate) struct LineAcceptor(pub(crate) RustlsAcceptor);

impl Accept<TcpStream, Router> for LineAcceptor {
    type Stream = Cuttable<<RustlsAcceptor as Accept<TcpStream, Router>>::Stream>;
    type Service = Router;
    type Future = Pin<Box<dyn Future<Output = Result<(Self::Stream, Router)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: Router) -> Self::Future {
        let line = Line::whole();
        let accepted = self.0.accept(stream, service.layer(Extension(line.clone())));
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok((Cuttable { stream, line, held: Vec::new(), changed: Vec::new(), is_last: false }, service))
        })
    }
}

/// A stream whose writing side ends where its line is cut.
pub(crate) struct Cuttable<S> {
    stream: S,
    line: Line,
    /// Of a head that is to be changed, what has come so far.
    held: Vec<u8>,
    /// What was changed and has not gone out.
    changed: Vec<u8>,
    /// Behind that, the connection ends.
    is_last: bool,
}

fn cut_on_purpose() -> Error {
    Error::new(ErrorKind::ConnectionReset, "cut on purpose")
}

impl<S: AsyncWrite + Unpin> Cuttable<S> {
    fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.changed.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.changed))?;
            self.changed.drain(..written);
        }
        if self.is_last {
            return Poll::Ready(Err(cut_on_purpose()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cuttable<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        ready!(self.poll_changed(context))?;
        if self.line.planned().is_some() {
            self.held.extend_from_slice(bytes);
            if let Some((changed, is_last)) = self.line.retouched(&self.held) {
                self.held.clear();
                (self.changed, self.is_last) = (changed, is_last);
            }
            return Poll::Ready(Ok(bytes.len()));
        }
        let left = self.line.left.load(Ordering::SeqCst);
        if left == 0 {
            return Poll::Ready(Err(cut_on_purpose()));
        }
        let fits = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[..fits]))?;
        if left != WHOLE {
            self.line.left.store(left - written as u64, Ordering::SeqCst);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_changed(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_changed(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cuttable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
