//! How loud a track is: one observation for each window (livekit.md 2.8).

use std::time::Duration;

/// Length of a window, and how often rooms hear of levels.
pub(crate) const WINDOW: Duration = Duration::from_millis(400);
/// At this level or louder a packet counts as sound, in -dBov.
const ACTIVE_DBOV: u8 = 35;
/// A packet carries 20 ms: a window has 20 of them.
const PACKETS_IN_WINDOW: f32 = 20.0;
/// RFC 6464: silence.
const SILENCE: u8 = 127;

/// The window that is open.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LevelWindow {
    heard: u32,
    active: u32,
    loudest: Option<u8>,
}

impl LevelWindow {
    /// A packet of this level came.
    pub(crate) fn observe(&mut self, level: u8) {
        self.heard += 1;
        if level <= ACTIVE_DBOV {
            self.active += 1;
            self.loudest = Some(self.loudest.map_or(level, |loudest| loudest.min(level)));
        }
    }

    /// Closes the window: (level, share of it that was sound). `None` if nothing came.
    pub(crate) fn close(&mut self) -> Option<(u8, f32)> {
        let window = std::mem::take(self);
        let share = (window.active as f32 / PACKETS_IN_WINDOW).min(1.0);
        (window.heard > 0).then(|| (window.loudest.unwrap_or(SILENCE), share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_of_a_window_counts_and_how_long_it_lasted() {
        let mut window = LevelWindow::default();
        (0..10).for_each(|_| window.observe(90));
        (0..10).for_each(|packet| window.observe(30 - packet));
        assert_eq!(window.close(), Some((21, 0.5)));
        assert_eq!(window.close(), None, "a new window is empty");
    }

    #[test]
    fn murmur_is_silence() {
        let mut window = LevelWindow::default();
        (0..20).for_each(|_| window.observe(36));
        assert_eq!(window.close(), Some((SILENCE, 0.0)));
    }
}
