//! The relay that a client is told of. Each gets a login of its own, good for some minutes (L-02), so a first message is
//! never the same for two.

use crate::Gateway;
use room::RoomEvent;
use std::borrow::Cow;
use wire::livekit::join_response::ServerFacts;
use wire::livekit::proto::IceServer;

impl Gateway {
    /// What the server says of itself in this event.
    pub(super) fn facts_for(&self, event: &RoomEvent) -> Cow<'_, ServerFacts> {
        let mut facts = Cow::Borrowed(&self.inner.server);
        if let RoomEvent::Joined { you, .. } = event
            && let Some(relay) = self.inner.registry.media().turn_server(you.sid.as_str(), false)
        {
            let net::turn::TurnServer { urls, username, credential } = relay;
            facts.to_mut().ice_servers.push(IceServer { urls, username, credential });
        }
        facts
    }
}
