//! One connection to a target: name, address, TCP, TLS, HTTP.

use super::policy::Policy;
use super::target::Target;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;

/// Of an answer's body, bytes that are read so that the connection can be used again: we want the status only.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Header lines of an answer: proxies add some dozens.
const MAX_ANSWER_HEADERS: usize = 100;

/// Bytes of an answer's head.
const MAX_ANSWER_HEAD_BYTES: usize = 32 * 1024;

/// Addresses of one name that are tried: a name with more is tried at the first ones.
const MAX_ADDRESSES: usize = 8;

/// Why there is no answer. Nothing in its text comes from the peer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The name has no address, now at least.
    #[error("the host's name does not resolve")]
    NoAddress,
    /// Every address of it is one that may not be connected to.
    #[error("the host's address is not on the open internet, and the operator has not allowed it")]
    NotAllowed,
    /// Nobody listens there, or the way is shut.
    #[error("can't connect")]
    Connect,
    /// No TLS, or a certificate that does not hold.
    #[error("no TLS: {0}")]
    Tls(String),
    /// It speaks no HTTP, or broke off.
    #[error("no HTTP answer")]
    Http,
    /// More than was wanted.
    #[error("the answer is too long")]
    TooLong,
}

impl OutboundError {
    /// Could it be otherwise in a moment?
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::NotAllowed)
    }
}

/// From a name to its addresses.
pub trait Resolve: Send + Sync + fmt::Debug {
    /// All addresses of `host`, each with `port`.
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Makes connections under a [`Policy`]. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    policy: Arc<Policy>,
    resolver: Arc<dyn Resolve>,
    tls: Arc<ClientConfig>,
}

impl Outbound {
    /// `roots` are the certificate authorities that https targets are checked against.
    pub fn new(policy: Policy, roots: RootCertStore, resolver: Arc<dyn Resolve>) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        #[allow(clippy::expect_used)] // a constant of the provider, not from a wire
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { policy: Arc::new(policy), resolver, tls: Arc::new(tls) }
    }

    /// With the machine's certificate authorities and resolver. They may be none: then no https target is believed.
    pub fn of_this_machine(policy: Policy) -> Self {
        let mut roots = RootCertStore::empty();
        // One that can't be read is no reason to distrust the others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::new(policy, roots, Arc::new(SystemResolver))
    }

    /// Connects. Has no time limit of its own.
    ///
    /// # Errors
    /// See [`OutboundError`].
    pub async fn connect(&self, target: &Target) -> Result<Connection, OutboundError> {
        let stream = self.connect_tcp(target).await?;
        if !target.is_secure() {
            return Connection::begin(stream).await;
        }
        let name = ServerName::try_from(target.peer().host.clone()).map_err(|_| OutboundError::NoAddress)?;
        let tls = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        Connection::begin(tls.map_err(|error| OutboundError::Tls(error.kind().to_string()))?).await
    }

    /// To the first admitted address that takes us.
    async fn connect_tcp(&self, target: &Target) -> Result<TcpStream, OutboundError> {
        for address in self.addresses(target).await? {
            if let Ok(stream) = TcpStream::connect(address).await {
                // Small requests, each waited for.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
        }
        Err(OutboundError::Connect)
    }

    /// Where a connection would go: what the name resolves to now, as far as it may be connected to.
    ///
    /// # Errors
    /// See [`OutboundError`].
    pub async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, OutboundError> {
        let peer = target.peer();
        let found = self.resolver.resolve(peer.host.clone(), peer.port).await.unwrap_or_default();
        if found.is_empty() {
            return Err(OutboundError::NoAddress);
        }
        let admitted = found.into_iter().filter(|address| self.policy.admits(peer, *address));
        let admitted: Vec<_> = admitted.take(MAX_ADDRESSES).collect();
        if admitted.is_empty() { Err(OutboundError::NotAllowed) } else { Ok(admitted) }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// What somebody answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// As it says.
    pub status: StatusCode,
    /// All of them.
    pub headers: HeaderMap,
    /// Whole.
    pub body: Bytes,
}

/// An HTTP/1.1 connection; closed when dropped.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
}

impl Connection {
    async fn begin(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Self, OutboundError> {
        let mut builder = http1::Builder::new();
        builder.max_headers(MAX_ANSWER_HEADERS).max_buf_size(MAX_ANSWER_HEAD_BYTES);
        let (sender, driver) = builder.handshake(TokioIo::new(stream)).await.map_err(|_| OutboundError::Http)?;
        // Its errors reach whoever waits for an answer.
        let driver = tokio::spawn(async move { drop(driver.await) }).abort_handle();
        Ok(Self { sender, driver })
    }

    /// Can it be used again?
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Posts `body`; `Host` is set here. Has no time limit of its own.
    ///
    /// # Errors
    /// No answer came.
    pub async fn post(
        &mut self,
        target: &Target,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<StatusCode, OutboundError> {
        let mut request = Request::post(target.path_and_query()).header(header::HOST, target.authority());
        if let Some(all) = request.headers_mut() {
            all.extend(headers);
        }
        let request = request.body(Full::new(body)).map_err(|_| OutboundError::Http)?;
        self.sender.ready().await.map_err(|_| OutboundError::Http)?;
        let answer = self.sender.send_request(request).await.map_err(|_| OutboundError::Http)?;
        let status = answer.status();
        // A body that is too long, or breaks off, is not our concern: only the connection is spent.
        let _ = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        Ok(status)
    }

    /// Gets what is there in one of the kinds that `accept` names (RFC 9110, 12.5.1), `max_bytes` of it at most. Has no time limit of its own.
    ///
    /// # Errors
    /// No answer came, or a longer one.
    pub async fn get(&mut self, target: &Target, accept: &str, max_bytes: usize) -> Result<Answer, OutboundError> {
        let request = Request::get(target.path_and_query())
            .header(header::HOST, target.authority())
            .header(header::USER_AGENT, "odeon")
            .header(header::ACCEPT, accept);
        let request = request.body(Full::new(Bytes::new())).map_err(|_| OutboundError::Http)?;
        self.sender.ready().await.map_err(|_| OutboundError::Http)?;
        let answer = self.sender.send_request(request).await.map_err(|_| OutboundError::Http)?;
        let (parts, body) = answer.into_parts();
        let body =
            Limited::new(body, max_bytes).collect().await.map_err(|error| match error.is::<LengthLimitError>() {
                true => OutboundError::TooLong,
                false => OutboundError::Http,
            })?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
