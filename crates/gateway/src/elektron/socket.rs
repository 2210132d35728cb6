//! One socket's bytes. Incoming frames are read by the WebSocket library; outgoing ones are framed already and shared by
//! many sockets, so they go to the stream as they are, many in one call.

use super::limits::{READ_BUFFER_BYTES, WRITE_FRAMES};
use super::outbox::{Ending, Outbox};
use bytes::{Buf, Bytes};
use futures_util::StreamExt as _;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

/// What a socket brings next.
#[derive(Debug)]
pub(super) enum Step {
    /// A message, a ping or a pong.
    Message(Message),
    /// What waited is written, and the socket is to be closed.
    Ending(Ending),
    /// A message over the limit.
    TooLarge,
    /// Something that is no WebSocket.
    Malformed,
    /// It is gone.
    Lost,
}

/// A socket.
pub(super) struct Socket {
    reader: WebSocketStream<Tap>,
    /// What is being written; of the first, what is left.
    batch: VecDeque<Bytes>,
    /// Since when it takes nothing.
    pub(super) stalled_since: Option<Instant>,
}

impl Socket {
    pub(super) async fn new(stream: TokioIo<Upgraded>, max_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(max_bytes))
            .max_frame_size(Some(max_bytes));
        let tap = Tap { stream, replies: Vec::new(), unread: 0, max_unread: 2 * max_bytes + 64 * 1024 };
        let reader = WebSocketStream::from_raw_socket(tap, Role::Server, Some(config)).await;
        Self { reader, batch: VecDeque::new(), stalled_since: None }
    }

    /// Writes what waits, and gives the next message if it is to be listened to.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, outbox: &Outbox, listen: bool) -> Poll<Step> {
        outbox.register(cx.waker());
        loop {
            match self.poll_write(cx, outbox) {
                Poll::Ready(Ok(Some(ending))) => return Poll::Ready(Step::Ending(ending)),
                Poll::Ready(Err(_)) => return Poll::Ready(Step::Lost),
                Poll::Ready(Ok(None)) | Poll::Pending => {}
            }
            if !listen {
                return Poll::Pending;
            }
            match self.poll_read(cx) {
                Poll::Ready(step) => return Poll::Ready(step),
                // Reading may have made a pong.
                Poll::Pending if self.reader.get_ref().replies.is_empty() || !self.batch.is_empty() => {
                    return Poll::Pending;
                }
                Poll::Pending => {}
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let step = match ready!(self.reader.poll_next_unpin(cx)) {
            Some(Ok(message)) => {
                self.reader.get_mut().unread = 0;
                Step::Message(message)
            }
            Some(Err(tungstenite::Error::Capacity(_))) => Step::TooLarge,
            Some(Err(tungstenite::Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )))
            | None => Step::Lost,
            Some(Err(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_))) => Step::Malformed,
            Some(Err(_)) => Step::Lost,
        };
        Poll::Ready(step)
    }

    /// Ready once nothing waits any more.
    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &Outbox) -> Poll<io::Result<Option<Ending>>> {
        loop {
            if self.batch.is_empty() {
                let replies = std::mem::take(&mut self.reader.get_mut().replies);
                if !replies.is_empty() {
                    self.batch.push_back(replies.into());
                }
                let ending = outbox.take(&mut self.batch);
                if ending == Some(Ending::TooSlow) {
                    return Poll::Ready(Ok(ending));
                }
                if self.batch.is_empty() {
                    ready!(self.poll_flush(cx))?;
                    return Poll::Ready(Ok(ending));
                }
            }
            if self.poll_batch(cx)?.is_pending() {
                // What waits behind it may have become too much.
                return if outbox.is_too_slow() { Poll::Ready(Ok(Some(Ending::TooSlow))) } else { Poll::Pending };
            }
        }
    }

    /// Ready once the batch is with the kernel.
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.batch.is_empty() {
            let mut slices = [IoSlice::new(&[]); WRITE_FRAMES];
            let count = self.batch.len().min(WRITE_FRAMES);
            for (slice, frame) in slices.iter_mut().zip(&self.batch) {
                *slice = IoSlice::new(frame);
            }
            let stream = Pin::new(&mut self.reader.get_mut().stream);
            match stream.poll_write_vectored(cx, &slices[..count]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.advance(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.stalled_since.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut written: usize) {
        self.stalled_since = None;
        while let Some(frame) = self.batch.front_mut() {
            if written < frame.len() {
                frame.advance(written);
                return;
            }
            written -= frame.len();
            self.batch.pop_front();
        }
    }

    /// What is written may wait in a TLS session.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.reader.get_mut().stream).poll_flush(cx);
        match flushed {
            Poll::Ready(_) => self.stalled_since = None,
            Poll::Pending => drop(self.stalled_since.get_or_insert_with(Instant::now)),
        }
        flushed
    }

    /// Writes a last frame after what is being written.
    pub(super) async fn finish(&mut self, frame: Bytes) -> io::Result<()> {
        self.batch.truncate(1);
        let replies = std::mem::take(&mut self.reader.get_mut().replies);
        self.batch.extend((!replies.is_empty()).then(|| Bytes::from(replies)));
        self.batch.extend((!frame.is_empty()).then_some(frame));
        std::future::poll_fn(|cx| self.poll_batch(cx)).await?;
        std::future::poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Nothing more is written. What still comes is read and forgotten until the client closes too: a socket that is closed
    /// with something unread is reset, and takes with it what was written last.
    pub(super) async fn wait_for_close(&mut self) -> io::Result<()> {
        let stream = &mut self.reader.get_mut().stream;
        stream.shutdown().await?;
        let mut waste = [0; READ_BUFFER_BYTES];
        while stream.read(&mut waste).await? > 0 {}
        Ok(())
    }

    /// The client has said goodbye: the library's answer goes out.
    pub(super) async fn answer_close(&mut self) -> io::Result<()> {
        // It answers when it is read on, and then has nothing more to read.
        let _ = std::future::poll_fn(|cx| Poll::Ready(self.reader.poll_next_unpin(cx).is_ready())).await;
        self.finish(Bytes::new()).await
    }
}

/// The stream as the library sees it: it reads from the stream itself, and what it writes (pongs, the answer to a close) is
/// kept until it fits between two messages of ours.
struct Tap {
    stream: TokioIo<Upgraded>,
    replies: Vec<u8>,
    /// Bytes since the last whole message: endless empty fragments are no message.
    unread: usize,
    max_unread: usize,
}

/// Bytes of pongs that may wait for the stream: who pings more than that, and reads nothing, has gone mad.
const MAX_REPLY_BYTES: usize = 16 * 1024;

impl AsyncRead for Tap {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.unread += buf.filled().len() - before;
        if self.unread > self.max_unread {
            return Poll::Ready(Err(io::Error::other("too many bytes without a message")));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.replies.len() + buf.len() > MAX_REPLY_BYTES {
            return Poll::Ready(Err(io::Error::other("too many pings")));
        }
        self.replies.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
