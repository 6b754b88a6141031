//! The connection below HTTP, so that it can break at a byte.

use axum::Extension;
use axum::Router;
use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsAcceptor;
use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A line that nobody cuts.
const WHOLE: u64 = u64::MAX;

/// How many more bytes a connection carries towards the phone.
#[derive(Clone)]
pub(crate) struct Line(Arc<AtomicU64>);

impl Line {
    /// The connection breaks after `bytes` more.
    pub(super) fn cut_after(&self, bytes: u64) {
        self.0.store(bytes, Ordering::SeqCst);
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
        let line = Line(Arc::new(AtomicU64::new(WHOLE)));
        let accepted = self.0.accept(stream, service.layer(Extension(line.clone())));
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok((Cuttable { stream, line }, service))
        })
    }
}

/// A stream whose writing side ends where its line is cut.
pub(crate) struct Cuttable<S> {
    stream: S,
    line: Line,
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cuttable<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let left = self.line.0.load(Ordering::SeqCst);
        if left == 0 {
            return Poll::Ready(Err(Error::new(ErrorKind::ConnectionReset, "cut on purpose")));
        }
        let fits = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[..fits]))?;
        if left != WHOLE {
            self.line.0.store(left - written as u64, Ordering::SeqCst);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
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
