//! Odeon: a live venue in one binary. This file is the table of contents.
//!
//! `cli` and `config` say what is wanted, `data_dir` and `keys` what there is, `venue` puts it all together, `start` runs it
//! from the first signal to the last, and `http_server`, `ops` and `drain` are what an operator notices.

#![allow(unreachable_pub, reason = "nothing in a binary is reachable; `pub` marks what a module shows the others")]

mod backup;
mod banner;
mod candidates;
mod cli;
mod client_addr;
mod commands;
mod config;
mod data_dir;
mod descriptors;
mod doctor;
mod drain;
mod draw;
mod failure;
mod http_server;
mod keys;
mod listen;
mod logs;
mod ops;
mod plan;
mod relay;
mod reload;
mod request_log;
mod routes;
#[cfg(test)]
mod scratch;
mod signals;
mod start;
mod state;
mod tls;
mod token;
mod venue;

use cli::{Action, Config, Token};
use std::process::ExitCode;

/// Gives memory back after a crowd has left, and costs the media plane less than the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::parse();
    let settings = &cli.settings;
    let done = match &cli.command {
        None | Some(Action::Serve) => start::serve(settings),
        Some(Action::Doctor(request)) => doctor::run(settings, request),
        Some(Action::Backup { folder }) => backup::run(settings, folder),
        Some(Action::Keys { new }) => commands::print_keys(settings, *new),
        Some(Action::Token(Token::Create(request))) => commands::create_token(settings, request),
        Some(Action::Config(Config::Explain { key })) => commands::explain(settings, key.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::FAILURE
        }
    }
}
