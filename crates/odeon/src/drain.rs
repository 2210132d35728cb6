//! The end of a show: newcomers are sent away at once, rooms live on for a while, then everybody is told.

use std::future::Future;
use std::time::Duration;

/// How often it is looked whether the last room has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// No room is left.
    Empty,
    /// The time is over; rooms are left.
    TimeIsUp,
    /// Somebody would not wait (a second signal); rooms may be left.
    Forced,
}

/// Waits until no room is left, `timeout` is over or `forced` comes, whichever is first.
pub async fn wait(rooms: impl Fn() -> usize, timeout: Duration, forced: impl Future) -> Drained {
    let emptied = async {
        while rooms() > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        biased;
        () = emptied => Drained::Empty,
        _ = forced => Drained::Forced,
        () = tokio::time::sleep(timeout) => Drained::TimeIsUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::time::Instant;

    const HOUR: Duration = Duration::from_secs(3600);
    const MOMENT: Duration = Duration::from_millis(250);

    #[tokio::test]
    async fn q_8_an_empty_house_closes_at_once() {
        assert_eq!(wait(|| 0, HOUR, pending::<()>()).await, Drained::Empty);
    }

    #[tokio::test]
    async fn q_8_rooms_live_on_until_the_last_has_ended() {
        let start = Instant::now();
        let rooms = || usize::from(start.elapsed() < MOMENT);
        assert_eq!(wait(rooms, HOUR, pending::<()>()).await, Drained::Empty);
        assert!(start.elapsed() >= MOMENT);
    }

    #[tokio::test]
    async fn q_8_a_room_that_does_not_end_is_ended_when_the_time_is_up() {
        let start = Instant::now();
        assert_eq!(wait(|| 1, MOMENT, pending::<()>()).await, Drained::TimeIsUp);
        assert!(start.elapsed() >= MOMENT);
    }

    #[tokio::test]
    async fn q_8_a_second_signal_does_not_wait() {
        assert_eq!(wait(|| 1, HOUR, ready(())).await, Drained::Forced);
    }
}
