//! Gateways: each lets one kind of client in. They never talk to each other: they only read and write [`rooms`].

pub mod rooms;
