//! TCP connections that the server can break off without an HTTP reply.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose connections can be broken off.
pub(crate) struct Breakable(pub(crate) TcpListener);

impl Listener for Breakable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (
            Connection {
                stream,
                broken: Arc::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Who is at the other end, and the means to break the connection off.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    broken: Arc<AtomicBool>,
}

impl Peer {
    /// From now on nothing is written to the connection: whatever answer is made, it is closed instead.
    pub(crate) fn break_off(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        Self {
            address: stream.remote_addr().ip().to_canonical(),
            broken: Arc::clone(&stream.io().broken),
        }
    }
}

/// A TCP stream that fails to write once it was broken off, upon which the server closes it.
pub(crate) struct Connection {
    stream: TcpStream,
    broken: Arc<AtomicBool>,
}

impl Connection {
    /// The stream, while it may still be written to.
    fn writable(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writable()?.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writable()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
