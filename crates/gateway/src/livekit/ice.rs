//! The relay that a client is told of. Each gets a login of its own, good for some minutes (L-02), so a first message is
//! never the same for two.

use crate::Gateway;
use room::{RoomEvent, SessionId};
use std::borrow::Cow;
use wire::livekit::join_response::ServerFacts;
use wire::livekit::proto::IceServer;

impl Gateway {
    /// What the server says of itself in this event. Who joins or comes back gets a fresh login.
    pub(super) fn facts_for(&self, event: &RoomEvent, session: SessionId) -> Cow<'_, ServerFacts> {
        let mut facts = Cow::Borrowed(&self.inner.server);
        if matches!(event, RoomEvent::Joined { .. } | RoomEvent::Resumed { .. })
            && let Some(relay) = self.inner.registry.media().turn_server(&session.0.to_string(), false)
        {
            let net::turn::TurnServer { urls, username, credential } = relay;
            facts.to_mut().ice_servers.push(IceServer { urls, username, credential });
        }
        facts
    }
}
