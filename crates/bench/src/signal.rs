//! LiveKit signalling over a WebSocket, as livekit-client does it (livekit.md 2.1): v1 with the whole join request in
//! the URL, v0 with query parameters. Frames are binary protobuf.

use base64::Engine as _;
use flate2::{Compression, write::GzEncoder};
use futures_util::{SinkExt, StreamExt};
use livekit_protocol as proto;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prost::Message as _;
use proto::{signal_request, signal_response};
use std::io::Write as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The protocol version that livekit-client 2.23.0 says it speaks.
const PROTOCOL: i32 = 17;
/// Its `client_protocol`: data streams of the second version.
const CLIENT_PROTOCOL: i32 = 2;

/// How to ask for the room.
#[derive(Clone, Debug)]
pub enum Hello {
    /// `/rtc/v1`: one PeerConnection, the offer comes along.
    Single {
        /// The first offer, id 1.
        offer: Option<String>,
    },
    /// `/rtc`: two PeerConnections.
    Dual,
}

/// An open signalling connection.
#[derive(Debug)]
pub struct Signal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Signal {
    /// Opens the WebSocket at `url` (`ws://host:port`).
    ///
    /// # Errors
    /// [`tungstenite::Error::Http`] carries the status when the server refuses the upgrade.
    pub async fn connect(url: &str, token: &str, hello: &Hello, auto_subscribe: bool) -> tungstenite::Result<Self> {
        let target = target(url, token, hello, auto_subscribe);
        let (socket, _) = tokio_tungstenite::connect_async(target).await?;
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_nodelay(true)?;
        }
        Ok(Self { socket })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn send(&mut self, message: signal_request::Message) -> tungstenite::Result<()> {
        let bytes = proto::SignalRequest { message: Some(message) }.encode_to_vec();
        self.socket.send(Message::binary(bytes)).await
    }

    /// Sends bytes as they are: for tests of bad input.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn send_raw(&mut self, bytes: Vec<u8>) -> tungstenite::Result<()> {
        self.socket.send(Message::binary(bytes)).await
    }

    /// The next response; `None` when the socket is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<signal_response::Message> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Binary(bytes) => {
                    let response = proto::SignalResponse::decode(&bytes[..]).ok()?;
                    if let Some(message) = response.message {
                        return Some(message);
                    }
                }
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// Closes the socket without a leave request.
    pub async fn close(mut self) {
        // The other end may be gone already: nothing is lost then.
        let _ = self.socket.close(None).await;
    }
}

/// The whole URL of the upgrade request.
fn target(url: &str, token: &str, hello: &Hello, auto_subscribe: bool) -> String {
    let base = url.trim_end_matches('/');
    match hello {
        Hello::Dual => format!(
            "{base}/rtc?access_token={token}&auto_subscribe={}&sdk=js&version=2.23.0&protocol={PROTOCOL}\
             &client_protocol={CLIENT_PROTOCOL}&adaptive_stream=0",
            u8::from(auto_subscribe)
        ),
        Hello::Single { offer } => {
            let request = join_request(offer.as_deref(), auto_subscribe);
            let request = utf8_percent_encode(&request, NON_ALPHANUMERIC);
            format!("{base}/rtc/v1?access_token={token}&join_request={request}")
        }
    }
}

/// base64url with padding of a gzipped join request (livekit.md 2.1).
fn join_request(offer: Option<&str>, auto_subscribe: bool) -> String {
    let client = proto::ClientInfo {
        sdk: proto::client_info::Sdk::Js as i32,
        version: "2.23.0".into(),
        protocol: PROTOCOL,
        client_protocol: CLIENT_PROTOCOL,
        capabilities: vec![proto::client_info::Capability::CapCompressionDeflateRaw as i32],
        ..Default::default()
    };
    let settings = proto::ConnectionSettings { auto_subscribe, ..Default::default() };
    let offer = offer.map(|sdp| description("offer", sdp.to_owned(), 1));
    let request = proto::JoinRequest {
        client_info: Some(client),
        connection_settings: Some(settings),
        publisher_offer: offer,
        ..Default::default()
    };
    let wrapped = proto::WrappedJoinRequest {
        compression: proto::wrapped_join_request::Compression::Gzip as i32,
        join_request: gzip(&request.encode_to_vec()),
    };
    base64::engine::general_purpose::URL_SAFE.encode(wrapped.encode_to_vec())
}

/// An SDP with its type and number.
pub(crate) fn description(kind: &str, sdp: String, id: u32) -> proto::SessionDescription {
    proto::SessionDescription { r#type: kind.into(), sdp, id, mid_to_track_id: Default::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into a Vec doesn't fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_join_request_keeps_its_padding_and_survives_the_url() {
        let url = target("ws://localhost:7880/", "t", &Hello::Single { offer: Some("v=0\r\n".repeat(99)) }, true);
        let (head, request) = url.split_once("join_request=").unwrap();
        assert_eq!(head, "ws://localhost:7880/rtc/v1?access_token=t&");
        assert!(!request.contains(['=', '+', '/']));
        let request = percent_encoding::percent_decode_str(request).decode_utf8().unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE.decode(request.as_bytes()).unwrap();
        assert_eq!(proto::WrappedJoinRequest::decode(&bytes[..]).unwrap().compression, 1);
    }
}
