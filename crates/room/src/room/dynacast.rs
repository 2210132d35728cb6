//! Dynacast (L-63, livekit.md 2.7): a publisher is told which layers of which codec anybody wants, and makes no others.
//!
//! More is told at once, less only once it has been less for a while: a window that is dragged smaller and larger
//! must not cost keyframes.

use super::Room;
use crate::effect::{RoomEvent, WantedCodec};
use crate::id::{SessionId, TrackSid};
use crate::limits::MAX_CODECS;
use crate::media::MediaCommand;
use crate::settings::HIGHEST_LAYER;
use crate::track::TrackKind;
use std::time::{Duration, Instant};

/// How long less must be wanted before it is told (the reference's `dynacast_pause_delay`).
const PAUSE_DELAY: Duration = Duration::from_secs(5);

/// With so many in the room each gets the codec that they take; with fewer, one who needs the backup makes it everybody's, as
/// long as the publisher lets it (the reference's `codec_regression_threshold`).
const REGRESSION_THRESHOLD: usize = 5;

/// LiveKit's `BackupCodecPolicy`: the backup for everybody where that suits, or always; and the third, never.
const PREFER_REGRESSION: i32 = 0;
const REGRESSION: i32 = 2;

/// One codec of a track.
#[derive(Clone, Copy, Debug, Default)]
struct Codec {
    /// The highest quality that anybody wants; `None`: nobody wants any.
    wanted: Option<u8>,
    /// As the publisher was told.
    told: Option<u8>,
    /// When the publisher is told that less is wanted.
    lower_at: Option<Instant>,
}

/// What is wanted of a track's codecs, the primary first.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand(Vec<Codec>);

impl Demand {
    /// Of a track that has just begun: clients send all of the primary codec and nothing of the others, and nobody has
    /// subscribed yet.
    fn of_new_track(codecs: usize, now: Instant) -> Self {
        let primary = Codec { wanted: None, told: Some(HIGHEST_LAYER), lower_at: Some(now + PAUSE_DELAY) };
        let mut all = vec![Codec::default(); codecs.clamp(1, MAX_CODECS)];
        all[0] = primary;
        Self(all)
    }

    /// Somebody wants something else of a codec. True: the publisher must hear of it now.
    fn want(&mut self, now: Instant, codec: usize, wanted: Option<u8>) -> bool {
        if codec >= MAX_CODECS {
            return false;
        }
        if self.0.len() <= codec {
            self.0.resize(codec + 1, Codec::default());
        }
        let codec = &mut self.0[codec];
        codec.wanted = wanted;
        let more = wanted > codec.told;
        if more {
            codec.told = wanted;
        }
        codec.lower_at = (wanted < codec.told).then(|| codec.lower_at.unwrap_or(now + PAUSE_DELAY));
        more
    }

    /// Tells less where it is due. True: the publisher must hear of it now.
    fn lower(&mut self, now: Instant) -> bool {
        let mut lowered = false;
        for codec in self.0.iter_mut().filter(|codec| codec.lower_at.is_some_and(|at| at <= now)) {
            (codec.told, codec.lower_at) = (codec.wanted, None);
            lowered = true;
        }
        lowered
    }

    /// When [`Demand::lower`] is due next.
    fn deadline(&self) -> Option<Instant> {
        self.0.iter().filter_map(|codec| codec.lower_at).min()
    }
}

impl Room {
    /// A track is on the wire: its publisher hears at once that all of it may be sent, also what was paused before.
    pub(super) fn begin_demand(&mut self, now: Instant, session: SessionId, sid: &TrackSid) {
        let publication = self.members.get_mut(&session).and_then(|member| member.publications.get_mut(sid));
        let Some(publication) = publication.filter(|publication| publication.track.request.kind == TrackKind::Video)
        else {
            return;
        };
        publication.demand = Demand::of_new_track(publication.track.codecs.len(), now);
        self.schedule_demand(sid, None, session);
        self.tell_demand(session, sid);
    }

    /// A shard says what receivers want of one codec of a track (0: the primary).
    pub(super) fn on_layers_wanted(
        &mut self,
        now: Instant,
        session: SessionId,
        sid: &TrackSid,
        (codec, highest): (u8, Option<u8>),
    ) {
        let publication = self.members.get_mut(&session).and_then(|member| member.publications.get_mut(sid));
        let Some(publication) = publication.filter(|publication| publication.live) else { return };
        let before = publication.demand.deadline();
        let more = publication.demand.want(now, usize::from(codec), highest);
        self.schedule_demand(sid, before, session);
        if more {
            self.tell_demand(session, sid);
        }
        if codec > 0 && highest.is_some() {
            self.consider_regression(session, sid);
        }
    }

    /// Somebody needs the backup: a publisher that encodes once spares its battery and its way up (L-63).
    fn consider_regression(&mut self, session: SessionId, sid: &TrackSid) {
        let small = self.members.len() < REGRESSION_THRESHOLD;
        let publication = self.members.get_mut(&session).and_then(|member| member.publications.get_mut(sid));
        let Some(publication) = publication else { return };
        let regresses = match publication.track.request.backup_codec_policy {
            PREFER_REGRESSION => small,
            policy => policy == REGRESSION,
        };
        if regresses && !std::mem::replace(&mut publication.regressed, true) {
            self.command(MediaCommand::Regress { session, track: sid.clone() });
        }
    }

    /// Tells publishers who have sent too much for long enough.
    pub(super) fn lower_demands(&mut self, now: Instant) {
        while let Some((at, sid)) = self.demands.first().filter(|(at, _)| *at <= now).cloned() {
            self.demands.remove(&(at, sid.clone()));
            let Some(&session) = self.owners.get(&sid) else { continue };
            let publication = self.members.get_mut(&session).and_then(|member| member.publications.get_mut(&sid));
            if publication.is_some_and(|publication| publication.demand.lower(now)) {
                self.tell_demand(session, &sid);
            }
            self.schedule_demand(&sid, None, session);
        }
    }

    /// A track is gone.
    pub(super) fn forget_demand(&mut self, sid: &TrackSid, demand: &Demand) {
        if let Some(at) = demand.deadline() {
            self.demands.remove(&(at, sid.clone()));
        }
    }

    /// Keeps the timers in step with a demand that had another deadline before.
    fn schedule_demand(&mut self, sid: &TrackSid, before: Option<Instant>, session: SessionId) {
        let publication = self.members.get(&session).and_then(|member| member.publications.get(sid));
        let after = publication.and_then(|publication| publication.demand.deadline());
        if let Some(at) = before.filter(|_| before != after) {
            self.demands.remove(&(at, sid.clone()));
        }
        if let Some(at) = after {
            self.demands.insert((at, sid.clone()));
        }
    }

    fn tell_demand(&mut self, session: SessionId, sid: &TrackSid) {
        let publication = self.members.get(&session).and_then(|member| member.publications.get(sid));
        let Some(publication) = publication else { return };
        let codecs = publication.demand.0.iter().zip(publication.codec_names());
        let codecs = codecs.map(|(codec, name)| WantedCodec { name, highest: codec.told }).collect();
        self.tell(session, RoomEvent::LayersWanted { track: sid.clone(), codecs });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(begin: Instant, seconds: u64) -> Instant {
        begin + Duration::from_secs(seconds)
    }

    #[allow(clippy::disallowed_methods, reason = "any instant will do to begin at")]
    fn begin() -> Instant {
        Instant::now()
    }

    #[test]
    fn l_63_more_is_told_at_once_and_less_after_five_seconds() {
        let begin = begin();
        let mut demand = Demand::of_new_track(1, begin);
        assert!(!demand.want(begin, 0, Some(0)), "all is sent anyway");
        assert!(!demand.lower(at(begin, 4)));
        assert!(demand.lower(at(begin, 5)));
        assert!(demand.want(at(begin, 6), 0, Some(1)), "at once");
        assert_eq!(demand.deadline(), None);
    }

    #[test]
    fn l_63_what_is_wanted_again_in_time_is_never_paused() {
        let begin = begin();
        let mut demand = Demand::of_new_track(1, begin);
        demand.want(begin, 0, Some(2));
        assert_eq!(demand.deadline(), None);
        demand.want(at(begin, 10), 0, Some(0));
        demand.want(at(begin, 12), 0, None);
        assert_eq!(demand.deadline(), Some(at(begin, 15)), "it counts from the first fall");
        demand.want(at(begin, 14), 0, Some(2));
        assert!(!demand.lower(at(begin, 60)));
    }

    #[test]
    fn l_63_a_backup_is_off_until_somebody_wants_it() {
        let begin = begin();
        let mut demand = Demand::of_new_track(2, begin);
        demand.want(begin, 0, Some(2));
        assert_eq!(demand.0[1].told, None);
        assert!(demand.want(begin, 1, Some(2)));
        assert!(!demand.want(begin, 200, Some(2)), "no such codec");
    }
}
