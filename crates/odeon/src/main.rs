//! Odeon: a live venue in one binary. This file is the table of contents.

#![allow(unreachable_pub, reason = "nothing in a binary is reachable; `pub` marks what a module shows the others")]

mod cli;
mod config;
mod data_dir;
mod draw;
mod keys;
#[cfg(test)]
mod scratch;
mod token;

fn main() {
    let _ = cli::parse();
}
