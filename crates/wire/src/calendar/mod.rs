//! Calendars: what is on and when, as Google Calendar v3 writes it in JSON, and what elektron's pages read out of it
//! (E-31, E-32). [`crate::ics`] has the other way to write it.
//!
//! | file | what |
//! |---|---|
//! | `event` | one event and when it is |
//! | `series` | an event that comes again, and its occurrences |
//! | `options` | the `key: value` lines at the end of a description |
//! | `html` | descriptions that were typed into a web page |
//! | `status` | now, soon, future, past |
//! | `zone` | local times |
//! | `google` | Google's JSON, read |
//! | `listing` | Google's JSON, written: the answer to a question |

mod event;
mod google;
mod html;
mod listing;
mod options;
mod series;
mod status;
mod zone;

pub use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
pub use chrono_tz::Tz;
pub use event::{Details, Event, Span, Window, clean, limits};
pub use google::{Page, PageError, parse as parse_page};
pub use html::{looks_like_html, to_text};
pub use listing::{Answer, BadQuestion, Question};
pub use options::{Options, join, split};
pub(crate) use series::occurrence_id;
pub use series::{Repeats, Rule, Series};
pub use status::{SOON, Status, on_stage_first};
pub use zone::{Moment, instant, parse_zone};
