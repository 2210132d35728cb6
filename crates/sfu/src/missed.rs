//! Layers of pictures that should be there and aren't: a part of how well somebody is connected (livekit.md 2.8).

use crate::peer::PeerKey;
use crate::shard::Shard;
use crate::track::{Owner, Track};
use room::track::TrackKind;
use std::collections::HashMap;

/// Layers that were missing at one peer, summed over the looks since the last report.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Missed {
    layers: u32,
    looks: u32,
}

impl Missed {
    fn look(&mut self, layers: u8) {
        self.layers += u32::from(layers);
        self.looks += 1;
    }

    /// The mean; a new count begins.
    pub(crate) fn take(&mut self) -> f32 {
        let Self { layers, looks } = std::mem::take(self);
        layers as f32 / looks.max(1) as f32
    }
}

impl Shard {
    /// Looks at every picture: at its publisher the layers count that somebody wants and that don't come, at a receiver
    /// those that come and that it doesn't get. Of several pictures the worst counts.
    pub(crate) fn look_for_missed(&mut self) {
        let mut worst: HashMap<PeerKey, u8> = HashMap::new();
        let mut note = |peer: PeerKey, layers: u8| {
            let known = worst.entry(peer).or_default();
            *known = layers.max(*known);
        };
        for track in self.tracks.values().filter(|track| track.kind == TrackKind::Video && !track.muted) {
            if let Some((publisher, layers)) = missed_upwards(track) {
                note(publisher, layers);
            }
            for receiver in &track.receivers {
                let (wanted, current) = (receiver.wanted, receiver.selector.current());
                let (Some(wanted), Some(current)) = (wanted, current) else { continue };
                note(receiver.peer, track.targets.of(wanted).saturating_sub(current));
            }
        }
        for (key, peer) in &mut self.peers {
            peer.missed.look(worst.get(&key).copied().unwrap_or_default());
        }
    }
}

/// Whose picture it is, and how many layers it lacks. One of which nothing comes at all is a matter of packets.
fn missed_upwards(track: &Track) -> Option<(PeerKey, u8)> {
    let Owner::Local { peer, mid: Some(_), .. } = track.owner else { return None };
    track.codec?;
    let highest = track.layers.len().saturating_sub(1) as u8;
    let wanted = track.wanted()?.min(highest);
    Some((peer, wanted.saturating_sub(track.targets.of(wanted))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missing_for_half_of_the_time_counts_half() {
        let mut missed = Missed::default();
        [2, 2, 0, 0].into_iter().for_each(|layers| missed.look(layers));
        assert_eq!(missed.take(), 1.0);
        assert_eq!(missed.take(), 0.0, "nothing was looked at since");
    }
}
