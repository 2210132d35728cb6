//! `SyncState`: what a client that resumes holds to be so (livekit.md 2.9).

use super::proto;
use super::signal::{SignalError, subscribed_tracks, track_sids};
use room::ParticipantSid;
use room::input::SyncState;
use room::limits::MAX_PARTICIPANTS;

/// Reads it. The descriptions in it are left aside: what is not current is negotiated anew.
///
/// # Errors
/// [`SignalError::TooLarge`]: a list is longer than any room makes it.
pub(super) fn read(state: proto::SyncState) -> Result<SyncState, SignalError> {
    let subscription = state.subscription.unwrap_or_default();
    let published = state.publish_tracks.into_iter().filter_map(|published| published.track).map(|track| track.sid);
    Ok(SyncState {
        subscribe: subscription.subscribe,
        tracks: subscribed_tracks(subscription)?,
        disabled: track_sids(state.track_sids_disabled.into_iter())?,
        published: track_sids(published)?,
        received: received(state.datachannel_receive_states)?,
    })
}

fn received(states: Vec<proto::DataChannelReceiveState>) -> Result<Vec<(ParticipantSid, u32)>, SignalError> {
    if states.len() > MAX_PARTICIPANTS as usize {
        return Err(SignalError::TooLarge);
    }
    Ok(states.into_iter().map(|state| (ParticipantSid::new(state.publisher_sid), state.last_seq)).collect())
}
