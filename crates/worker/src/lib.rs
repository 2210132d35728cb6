//! Work that takes a processor for a while, away from the threads that serve: pictures of the audience are decoded and measured
//! (E-37).
//!
//! | file | what |
//! |---|---|
//! | [`picture`] | a picture from outside: read from its data URL, decoded within limits |
//! | [`measure`] | its colour and brightness, and how much has moved since the last one |
//! | [`pool`] | who waits, and that the newest of each source wins |

#![forbid(unsafe_code)]

pub mod fuzz;
pub mod limits;
pub mod measure;
pub mod picture;
pub mod pool;

pub use measure::{Measures, Memory};
pub use picture::{Picture, PictureError, data_url};
pub use pool::{Analyst, Seen, Source};
