//! Checks of the machine: ports, clock, limits, disk.

use super::{Facts, Finding};

/// Tokens of other machines are taken with this much difference between the clocks.
const MAX_CLOCK_ERROR_S: f64 = auth::token::LEEWAY_S as f64;
/// More than this is no machine whose clock somebody sets.
const USUAL_CLOCK_ERROR_S: f64 = 5.0;

/// Bytes without which certificates, keys and logs can't be written.
const MIN_DISK_FREE: u64 = 100 << 20;
/// Bytes below which it is time to look.
const LOW_DISK_FREE: u64 = 1 << 30;

const MIB: u64 = 1 << 20;

pub(super) fn ports(facts: &Facts) -> Finding {
    let Some(port) = facts.taken.first() else {
        return Finding::good(
            "ports",
            if facts.running { "an Odeon is open here" } else { "all that are needed are free" },
        );
    };
    let others = match facts.taken.len() {
        1 => String::new(),
        more => format!(", and {} more", more - 1),
    };
    if port.in_use {
        let remedy = format!("End the program that has it, or choose another with {}.", port.setting);
        return Finding::fault("ports", format!("{} is taken{others}", port.socket), remedy);
    }
    let remedy = format!("Choose another with {}, or allow it (ports under 1024: CAP_NET_BIND_SERVICE).", port.setting);
    Finding::fault("ports", format!("{} can't be had{others}", port.socket), remedy)
}

pub(super) fn clock(facts: &Facts) -> Finding {
    let Some(ahead_s) = facts.world.as_ref().and_then(|world| world.clock_ahead_s) else {
        return Finding::unknown("clock", "no time server has answered");
    };
    let side = if ahead_s > 0.0 { "ahead" } else { "behind" };
    let found = format!("this machine's clock is {:.1} s {side}", ahead_s.abs());
    let remedy = "Let the system set its clock: timedatectl set-ntp true.";
    match ahead_s.abs() {
        error if error > MAX_CLOCK_ERROR_S => {
            Finding::fault("clock", format!("{found}: tokens of other machines will be refused"), remedy)
        }
        error if error > USUAL_CLOCK_ERROR_S => Finding::warning("clock", found, remedy),
        _ => Finding::good("clock", "it is right"),
    }
}

pub(super) fn buffers(facts: &Facts) -> Finding {
    let (wanted, granted) = facts.buffer_bytes;
    if granted >= wanted {
        return Finding::good("buffers", "sockets get the buffers that they need");
    }
    let found = format!("sockets get {} KiB of buffer instead of {}: bursts will be lost", granted >> 10, wanted >> 10);
    let remedy = format!("Allow more: sysctl -w net.core.rmem_max={wanted} net.core.wmem_max={wanted}.");
    Finding::warning("buffers", found, remedy)
}

pub(super) fn descriptors(facts: &Facts) -> Finding {
    let (allowed, needed) = facts.descriptors;
    if allowed >= needed {
        return Finding::good("descriptors", format!("{allowed} files may be open"));
    }
    let found = format!("{allowed} files may be open, and limits.http_connections needs {needed}");
    Finding::fault(
        "descriptors",
        found,
        format!("Allow more: ulimit -Hn {needed}, or LimitNOFILE={needed} in the systemd unit."),
    )
}

pub(super) fn disk(facts: &Facts) -> Finding {
    let Some(free) = facts.disk_free_bytes else {
        return Finding::unknown("disk", "how much is free where data_dir is can't be told");
    };
    let found = format!("{} MiB are free where data_dir is", free / MIB);
    let remedy = "Make room there, or name another folder with data_dir.";
    match free {
        free if free < MIN_DISK_FREE => Finding::fault("disk", found, remedy),
        free if free < LOW_DISK_FREE => Finding::warning("disk", found, remedy),
        _ => Finding::good("disk", found),
    }
}

pub(super) fn ffmpeg(facts: &Facts) -> Finding {
    let Some(ffmpeg) = &facts.ffmpeg else {
        return Finding::good("ffmpeg", "nothing is recorded (castaway.record)");
    };
    if ffmpeg.found {
        return Finding::good("ffmpeg", "recordings can be joined");
    }
    let found = format!("{} is missing: livestreams of mp4, webm, ogg and wav become no podcasts", ffmpeg.name);
    Finding::warning("ffmpeg", found, "Install ffmpeg, or say with castaway.ffmpeg where it is.")
}
