//! The chat's order: closed, muted, slow mode, length. What is said here is kept and told by the shell, once it is stored.

use super::Room;
use crate::chat::{ChatMessage, ChatPost, ChatRefused, ChatRules};
use crate::id::Identity;
use crate::input::Now;
use crate::limits::{
    MAX_CHAT_AUTHORS, MAX_CHAT_FRAME_BYTES, MAX_CHAT_ID_BYTES, MAX_CHAT_TEXT_BYTES, MAX_MUTES, MAX_SLOW_MODE_S,
};
use crate::moderation::{BanList, Banned, Moderation, ModerationError};
use indexmap::{IndexMap, IndexSet};
use std::time::{Duration, Instant};

/// The rules, and those who are held by them.
#[derive(Debug, Default)]
pub(super) struct Chat {
    rules: ChatRules,
    /// An event is on that has no chat.
    closed_by_event: bool,
    muted: IndexSet<Identity>,
    bans: BanList,
    /// When each author wrote last, while there is slow mode; whose time is longest ago comes first.
    last: IndexMap<Identity, Instant>,
}

/// What a room's moderators have said before it began.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// The chat's rules.
    pub rules: ChatRules,
    /// Who may not write.
    pub muted: Vec<Identity>,
    /// Who may not come in.
    pub bans: BanList,
}

impl Chat {
    /// May this one not write, whatever the clock says?
    pub(super) fn silences(&self, identity: &Identity) -> bool {
        self.is_closed() || self.muted.contains(identity)
    }

    fn is_closed(&self) -> bool {
        self.rules.closed || self.closed_by_event
    }

    /// Between two messages of one author.
    pub(super) fn interval(&self) -> Duration {
        Duration::from_secs(self.rules.slow_mode_s.into())
    }

    fn check(&self, now: Instant, post: &ChatPost) -> Result<(), ChatRefused> {
        if self.bans.bars(Some(&post.author), None) {
            return Err(ChatRefused::Banned);
        }
        if self.muted.contains(&post.author) {
            return Err(ChatRefused::Muted);
        }
        if self.is_closed() {
            return Err(ChatRefused::Closed);
        }
        if !fits(post) {
            return Err(ChatRefused::TooLong);
        }
        match self.wait(now, &post.author) {
            Some(wait) => Err(ChatRefused::SlowMode { wait_ms: millis(wait) }),
            None => Ok(()),
        }
    }

    /// How long an author has to wait, if at all.
    fn wait(&self, now: Instant, author: &Identity) -> Option<Duration> {
        let again = *self.last.get(author)? + self.interval();
        Some(again.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Of more authors than can be remembered, those who wrote longest ago may write again.
    fn note(&mut self, now: Instant, author: &Identity) {
        if self.rules.slow_mode_s == 0 {
            return;
        }
        self.last.shift_remove(author);
        let (interval, held) = (self.interval(), self.last.len());
        let over = |at: &Instant| now.saturating_duration_since(*at) >= interval;
        let old = self.last.values().take_while(|at| over(at)).count().max((held + 1).saturating_sub(MAX_CHAT_AUTHORS));
        self.last.drain(..old);
        self.last.insert(author.clone(), now);
    }
}

impl Room {
    /// What its moderators have said before it began. Once, before the first input.
    pub fn restore(&mut self, orders: Orders) {
        let Orders { rules, muted, bans } = orders;
        let muted = muted.into_iter().take(MAX_MUTES).collect();
        self.chat = Chat { rules, muted, bans, ..Chat::default() };
    }

    /// Somebody of any origin, in the room or not, says something. What comes back is to be stored, and then told.
    ///
    /// # Errors
    /// Says why not; then nobody hears it.
    pub fn say(&mut self, now: Now, post: ChatPost) -> Result<ChatMessage, ChatRefused> {
        self.chat.check(now.at, &post)?;
        self.chat.note(now.at, &post.author);
        Ok(self.said(now, post))
    }

    /// Somebody's shard has let their words pass, and the others there have read them: only what the shard could not know
    /// is looked at.
    ///
    /// # Errors
    /// Says why it is not to be stored.
    pub fn overhear(&mut self, now: Now, post: ChatPost) -> Result<ChatMessage, ChatRefused> {
        match self.chat.check(now.at, &post) {
            Ok(()) | Err(ChatRefused::SlowMode { .. }) => {}
            Err(refused) => return Err(refused),
        }
        self.chat.note(now.at, &post.author);
        Ok(self.said(now, post))
    }

    /// Why somebody may not write at this moment, if so.
    ///
    /// # Errors
    /// Says why.
    pub fn may_write(&self, now: Now, author: &Identity) -> Result<(), ChatRefused> {
        let post = ChatPost { author: author.clone(), name: String::new(), text: String::new(), id: None, frame: None };
        self.chat.check(now.at, &post)
    }

    /// It could not be stored: its author need not wait before they try again.
    pub fn unsay(&mut self, author: &Identity) {
        self.chat.last.shift_remove(author);
    }

    fn said(&mut self, now: Now, post: ChatPost) -> ChatMessage {
        let ChatPost { author, name, text, id, frame } = post;
        let id = id.filter(|id| !id.is_empty()).map_or_else(|| self.sids.draw_letters(), Into::into);
        ChatMessage { id, at_ms: now.unix_ms, author, name, text, frame }
    }

    /// Carries out what a moderator asks; drain the effects after it. What is said of messages is for the shell, which
    /// has them.
    ///
    /// # Errors
    /// Says why not; then nothing has changed.
    pub fn moderate(&mut self, now: Now, request: &Moderation) -> Result<(), ModerationError> {
        self.at = now.at;
        match request {
            Moderation::DeleteMessage { .. } | Moderation::ClearChat => {}
            Moderation::SetRules(rules) => self.set_chat_rules(*rules)?,
            Moderation::Mute { identity, muted } => self.mute_in_chat(identity, *muted)?,
            Moderation::Ban(banned) => self.ban(banned)?,
            Moderation::Unban(banned) => {
                if !self.chat.bans.remove(banned) {
                    return Err(ModerationError::NotFound);
                }
            }
        }
        self.settle(now);
        Ok(())
    }

    /// The chat's rules.
    pub fn chat_rules(&self) -> ChatRules {
        self.chat.rules
    }

    /// Is an event on that has no chat?
    pub fn chat_is_closed_by_event(&self) -> bool {
        self.chat.closed_by_event
    }

    /// Who may not write, in the order in which they were muted.
    pub fn muted(&self) -> impl Iterator<Item = &Identity> {
        self.chat.muted.iter()
    }

    /// Who may not come in.
    pub fn bans(&self) -> &BanList {
        &self.chat.bans
    }

    fn set_chat_rules(&mut self, rules: ChatRules) -> Result<(), ModerationError> {
        if rules.slow_mode_s > MAX_SLOW_MODE_S {
            return Err(ModerationError::TooSlow);
        }
        if rules.slow_mode_s == 0 {
            self.chat.last.clear();
        }
        if std::mem::replace(&mut self.chat.rules, rules) != rules {
            self.all_senders_changed();
        }
        Ok(())
    }

    pub(super) fn close_chat_for_event(&mut self, closed: bool) {
        if std::mem::replace(&mut self.chat.closed_by_event, closed) != closed {
            self.all_senders_changed();
        }
    }

    fn all_senders_changed(&mut self) {
        let everybody: Vec<_> = self.sessions().collect();
        everybody.into_iter().for_each(|session| self.sender_changed(session));
    }

    fn mute_in_chat(&mut self, identity: &Identity, muted: bool) -> Result<(), ModerationError> {
        let changed = if muted {
            if self.chat.muted.len() >= MAX_MUTES && !self.chat.muted.contains(identity) {
                return Err(ModerationError::Full);
            }
            self.chat.muted.insert(identity.clone())
        } else if self.chat.muted.shift_remove(identity) {
            true
        } else {
            return Err(ModerationError::NotFound);
        };
        if let Some(session) = self.session_of(identity).filter(|_| changed) {
            self.sender_changed(session);
        }
        Ok(())
    }

    /// Who comes from an address is known to the shell alone: it removes them.
    fn ban(&mut self, banned: &Banned) -> Result<(), ModerationError> {
        self.chat.bans.add(banned.clone())?;
        if let Banned::Identity(identity) = banned {
            self.on_remove(identity);
        }
        Ok(())
    }
}

fn fits(post: &ChatPost) -> bool {
    post.text.len() <= MAX_CHAT_TEXT_BYTES
        && post.id.as_ref().is_none_or(|id| id.len() <= MAX_CHAT_ID_BYTES)
        && post.frame.as_ref().is_none_or(|frame| frame.len() <= MAX_CHAT_FRAME_BYTES)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
