//! One socket's task, from the upgrade to its end.

use super::frames;
use super::hub::Place;
use super::limits::{DEAD_AFTER, MAX_STALL, PING_AFTER};
use super::outbox::{Ending, Outbox};
use super::socket::{Socket, Step};
use super::speaker::{Outcome, Speaker, TooMuch};
use bus::Lane;
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use wire::websocket::{self, Opcode};

/// Patience with a socket that is being closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Close codes (RFC 6455, 7.4.1, and our own).
mod code {
    pub(super) const GOING_AWAY: u16 = 1001;
    pub(super) const PROTOCOL: u16 = 1002;
    pub(super) const POLICY: u16 = 1008;
    pub(super) const RESTART: u16 = 1012;
    pub(super) const TRY_AGAIN: u16 = 1013;
    pub(super) const REMOVED: u16 = 4003;
}

/// How a socket ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The client has closed.
    Closed,
    /// We close, and say why.
    With(u16),
    /// It takes nothing any more, or is gone.
    Lost,
}

/// One socket.
pub(super) struct Connection {
    pub(super) socket: Socket,
    pub(super) outbox: Arc<Outbox>,
    pub(super) place: Place,
    pub(super) speaker: Speaker,
}

impl Connection {
    /// Until its end. A panic costs this socket and nobody else: its place is dropped, and its user may come back.
    pub(super) async fn run(self) {
        if AssertUnwindSafe(self.talk_and_close()).catch_unwind().await.is_err() {
            metrics::counter!("odeon_session_panics_total").increment(1);
            tracing::error!("a socket of the bus panicked and was closed");
        }
    }

    async fn talk_and_close(mut self) {
        let end = self.talk().await;
        // From here on nobody waits for it.
        drop(self.place);
        drop(self.speaker);
        let farewell = async {
            match end {
                End::Closed => self.socket.answer_close().await?,
                End::With(code) => {
                    self.socket.finish(websocket::close(code, "").into()).await?;
                    self.socket.wait_for_close().await?;
                }
                End::Lost => {}
            }
            Ok::<_, std::io::Error>(())
        };
        // Whatever comes of it, the socket is closed after that.
        let _ = timeout(FAREWELL, farewell).await;
    }

    async fn talk(&mut self) -> End {
        let (mut pinged, mut deaf) = (false, false);
        let mut alarm = pin!(sleep_until(Instant::now() + PING_AFTER));
        loop {
            self.carry_out().await;
            let listen = !deaf && !self.speaker.is_busy();
            let step = {
                let (socket, outbox) = (&mut self.socket, &self.outbox);
                tokio::select! {
                    step = std::future::poll_fn(|cx| socket.poll(cx, outbox, listen)) => Some(step),
                    () = self.speaker.work() => None,
                    () = alarm.as_mut() => {
                        match self.look_after(&mut pinged) {
                            Ok(next) => alarm.as_mut().reset(next),
                            Err(end) => return end,
                        }
                        None
                    }
                }
            };
            if let Some(step) = step {
                pinged &= !matches!(step, Step::Message(_));
                match self.hear(step) {
                    Ok(goes_on) => deaf = !goes_on,
                    Err(end) => return end,
                }
            }
            self.hurry(alarm.as_mut());
        }
    }

    /// A socket that begins to stall is looked after in time.
    fn hurry(&self, alarm: Pin<&mut Sleep>) {
        if let Some(since) = self.socket.stalled_since
            && alarm.deadline() > since + MAX_STALL
        {
            alarm.reset(since + MAX_STALL);
        }
    }

    /// Pings whoever is silent (E-17), and gives up whoever is dead or takes nothing; else when to look again.
    fn look_after(&mut self, pinged: &mut bool) -> Result<Instant, End> {
        let now = Instant::now();
        if let Some(since) = self.socket.stalled_since {
            if now >= since + MAX_STALL {
                metrics::counter!("odeon_bus_slow_sockets_total").increment(1);
                return Err(End::With(code::TRY_AGAIN));
            }
            return Ok(since + MAX_STALL);
        }
        let heard_at = Instant::from_std(self.place.heard_at);
        if now >= heard_at + DEAD_AFTER {
            return Err(End::Lost);
        }
        if now < heard_at + PING_AFTER {
            return Ok(heard_at + PING_AFTER);
        }
        if !std::mem::replace(pinged, true) {
            self.outbox.push(websocket::frame(Opcode::Ping, b"").into(), Lane::Ordered);
        }
        Ok(heard_at + DEAD_AFTER)
    }

    /// True: it is listened to any longer.
    fn hear(&mut self, step: Step) -> Result<bool, End> {
        let message = match step {
            Step::Message(message) => message,
            Step::Ending(ending) => return Err(End::With(code_of(ending))),
            Step::TooLarge => return Ok(self.refuse("the message is too large")),
            Step::Malformed => return Err(End::With(code::PROTOCOL)),
            Step::Lost => return Err(End::Lost),
        };
        let now = Instant::now();
        // A goodbye is no sign that the old socket was still in use: a page that reconnects opens the new one at the same time,
        // and which of the two comes first is chance (E-04).
        if !matches!(message, Message::Close(_)) {
            self.place.heard_at = now.into_std();
        }
        let heard = match &message {
            Message::Text(text) => self.speaker.hear(Opcode::Text, text.as_bytes(), now),
            Message::Binary(bytes) => self.speaker.hear(Opcode::Binary, bytes, now),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => self.speaker.hear_nothing(now),
            Message::Close(_) => return Err(End::Closed),
        };
        match heard {
            Ok(()) => Ok(true),
            Err(TooMuch) => Ok(self.refuse("too many messages")),
        }
    }

    /// An ERROR message, then 1008; nothing more is heard.
    fn refuse(&self, why: &str) -> bool {
        metrics::counter!("odeon_bus_violations_total").increment(1);
        self.outbox.push(frames::error(None, why), Lane::Ordered);
        self.outbox.end(Ending::Unbearable);
        false
    }

    async fn carry_out(&mut self) {
        while let Some(outcome) = self.speaker.next_outcome() {
            match outcome {
                Outcome::Say(said) => self.place.say(said).await,
                Outcome::Complain(room, complaint) => {
                    metrics::counter!("odeon_bus_complaints_total").increment(1);
                    self.outbox.push(frames::error(room.as_deref(), &complaint), Lane::Ordered);
                }
            }
        }
    }
}

fn code_of(ending: Ending) -> u16 {
    match ending {
        Ending::Removed => code::REMOVED,
        Ending::GoingAway => code::GOING_AWAY,
        Ending::Restart => code::RESTART,
        Ending::TooSlow => code::TRY_AGAIN,
        Ending::Unbearable => code::POLICY,
    }
}
