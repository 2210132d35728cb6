//! ffmpeg as a child: joins pieces without encoding them anew. Bounded in time, and it reads nothing but these files.

use super::super::limits::{JOIN_TIMEOUT, MAX_PROGRESS_BYTES};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// What ffmpeg may take a piece for: a piece that names other files (a playlist) is none.
const FORMATS: &str = "concat,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,wav";

/// Why pieces were not joined.
#[derive(Debug, thiserror::Error)]
pub(super) enum JoinFailed {
    /// There is no ffmpeg.
    #[error("ffmpeg is missing: install it, or say where it is (castaway.ffmpeg)")]
    Missing,
    /// It took too long.
    #[error("ffmpeg took too long")]
    TooLong,
    /// It could not.
    #[error("ffmpeg failed: {0}")]
    Failed(String),
}

/// Joins the files that `list` names into `to`; says how long the sound is, in milliseconds. Given up, it is killed.
pub(super) async fn join(ffmpeg: &Path, list: &Path, to: &Path, format: &str) -> Result<u64, JoinFailed> {
    let running = run(command(ffmpeg, list, to, format));
    timeout(JOIN_TIMEOUT, running).await.unwrap_or(Err(JoinFailed::TooLong))
}

async fn run(mut command: Command) -> Result<u64, JoinFailed> {
    let failed = |error: io::Error| JoinFailed::Failed(error.to_string());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => JoinFailed::Missing,
        _ => failed(error),
    })?;
    let mut progress = String::new();
    if let Some(said) = child.stdout.take() {
        // It ends when ffmpeg does.
        said.take(MAX_PROGRESS_BYTES).read_to_string(&mut progress).await.map_err(failed)?;
    }
    let ended = child.wait().await.map_err(failed)?;
    if ended.success() { Ok(duration_ms(&progress)) } else { Err(JoinFailed::Failed(ended.to_string())) }
}

fn command(ffmpeg: &Path, list: &Path, to: &Path, format: &str) -> Command {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-nostats", "-progress", "pipe:1"]);
    command.args(["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-f", "concat", "-safe", "1"]);
    command.arg("-i").arg(list).args(["-map", "0:a:0", "-c", "copy", "-f", format, "-y"]).arg(to);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Of the last report.
fn duration_ms(progress: &str) -> u64 {
    let mut times = progress.lines().filter_map(|line| line.strip_prefix("out_time_us=")?.trim().parse::<u64>().ok());
    times.next_back().unwrap_or(0) / 1000
}

/// The pieces, as ffmpeg's concat demuxer wants them named: our own names, which need no escaping.
pub(super) fn list(pieces: &[PathBuf]) -> String {
    let names = pieces.iter().filter_map(|piece| piece.file_name()?.to_str());
    names.map(|name| format!("file '{name}'\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_report_says_how_long_it_is() {
        assert_eq!(duration_ms("out_time_us=1\nprogress=continue\nout_time_us=2500000\nprogress=end\n"), 2500);
        assert_eq!(duration_ms("out_time_us=N/A\n"), 0);
    }

    #[tokio::test]
    async fn a_missing_ffmpeg_is_told() {
        let joined = join(Path::new("/nowhere/ffmpeg"), Path::new("a"), Path::new("b"), "webm").await;
        assert!(matches!(joined, Err(JoinFailed::Missing)));
    }
}
