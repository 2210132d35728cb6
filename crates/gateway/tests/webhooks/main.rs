//! Webhooks against receivers on loopback: good ones, bad ones, and none at all.

mod delivery;
mod harness;
mod ssrf;
