//! Sockets, threads and clocks of the media plane. See `shard` for the thread, `pool` for all of them.
//!
//! This is the border that the room tasks see; everything behind it lives on shard threads.

pub mod pool;
