//! The relay that a client is told of. Each gets a login of its own, good for some minutes (L-02), so a first message is
//! never the same for two.

use crate::Gateway;
use net::turn::TurnServer;
use room::media::Transport;
use room::{RoomEvent, SessionId};
use std::borrow::Cow;
use wire::livekit::join_response::ServerFacts;
use wire::livekit::proto::IceServer;

impl Gateway {
    /// What the server says of itself in this event. Who joins or comes back gets a fresh login.
    pub(super) fn facts_for(&self, event: &RoomEvent, session: SessionId) -> Cow<'_, ServerFacts> {
        let mut facts = Cow::Borrowed(&self.inner.server);
        let (RoomEvent::Joined { transport, .. } | RoomEvent::Resumed { transport, .. }) = event else { return facts };
        let media = self.inner.registry.media();
        let relay = |tls_only| media.turn_server(&session.0.to_string(), tls_only);
        // Without a relay over TLS nothing would be left.
        let tls = relay(true).filter(|_| *transport == Transport::TurnTls);
        let force_relay = tls.is_some();
        if let Some(TurnServer { urls, username, credential }) = tls.or_else(|| relay(false)) {
            let facts = facts.to_mut();
            facts.ice_servers.push(IceServer { urls, username, credential });
            facts.force_relay = force_relay;
        }
        facts
    }
}
