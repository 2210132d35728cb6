//! Data packets on the shards: LiveKit's are walked and stamped by [`wire::livekit::data`]; and the room's chat in them,
//! which [`wire::livekit::chat`] reads and writes.

use crate::rooms::{ChatChange, ChatDialect, ChatListener, Overheard};
use net::pool::{CallAnswer, DataDialect, DataTrackPacket, StampedPacket};
use room::media::DataSender;
use room::participant::Participant;
use room::{ChatMessage, Origin};
use std::ops::Range;
use std::sync::Arc;
use wire::livekit::chat::{self, Author, Spoken, Streams};
use wire::livekit::data::{self, Stamped};
use wire::livekit::data_track::Header;

/// The dialect of `_reliable`, `_lossy` and `_data_track`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveKitData;

impl DataDialect for LiveKitData {
    fn stamp(&self, sender: &DataSender, reliable: bool, packet: &[u8]) -> Option<StampedPacket> {
        data::stamp(sender, reliable, packet).ok().map(stamped)
    }

    fn wrap(&self, sender: &DataSender, message: &[u8]) -> Option<StampedPacket> {
        data::wrap(sender, message).ok().map(stamped)
    }

    fn payload(&self, packet: &[u8]) -> Option<Range<usize>> {
        data::payload(packet)
    }

    fn data_track(&self, packet: &[u8]) -> Option<DataTrackPacket> {
        let header = Header::parse(packet).ok()?;
        Some(DataTrackPacket { handle: header.handle, begins_frame: header.starts_frame })
    }

    fn set_handle(&self, packet: &mut [u8], handle: u16) {
        Header::set_handle(packet, handle);
    }
}

fn stamped(stamped: Stamped) -> StampedPacket {
    StampedPacket {
        bytes: stamped.bytes.into(),
        destinations: stamped.destinations,
        sequence: stamped.sequence,
        answer: stamped.answers.map(|(id, last)| CallAnswer { id, last }),
        chat: stamped.chat,
    }
}

impl ChatDialect for LiveKitData {
    fn tell(&self, message: &ChatMessage, author: Option<&Participant>) -> Vec<Arc<[u8]>> {
        let identity = message.author.seen_from(Origin::Token);
        let sid = author.filter(|there| !there.permission.is_hidden()).map(|there| &there.sid);
        let author = Author { identity: &identity, sid, name: &message.name };
        chat::packets(&message.id, message.at_ms, author, &message.text).into_iter().map(Arc::from).collect()
    }

    fn tell_change(&self, change: ChatChange<'_>) -> Vec<Arc<[u8]>> {
        let packet = match change {
            ChatChange::Deleted(id) => chat::deleted(id),
            ChatChange::Cleared => chat::cleared(),
        };
        vec![packet.into()]
    }

    fn tell_refusal(&self, packet: &[u8], why: &str) -> Option<Arc<[u8]>> {
        Some(chat::refused(&chat::id_in(packet)?, why).into())
    }

    fn listener(&self) -> Box<dyn ChatListener> {
        Box::new(Listener::default())
    }
}

#[derive(Debug, Default)]
struct Listener(Streams);

impl ChatListener for Listener {
    fn hear(&mut self, packet: &[u8]) -> Option<Overheard> {
        let Spoken { id, text } = self.0.read(packet)?;
        Some(Overheard { id, text })
    }
}
