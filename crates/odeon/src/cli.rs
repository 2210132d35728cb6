//! The command line. Settings are flags by their own names, from the same table as everything else.

use crate::config::{SETTINGS, Setting, Sources, find};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// A live venue in one binary.
#[derive(Parser)]
#[command(
    name = "odeon",
    version,
    arg_required_else_help = true,
    after_help = "`odeon --dev` tries it on this machine; `odeon serve` runs it for others.\n\
                  Settings: `odeon config explain`. Each has one name in the file, the environment and as a flag."
)]
pub struct Cli {
    /// What to do; serving, if it is not said.
    #[command(subcommand)]
    pub command: Option<Action>,
    /// Settings.
    #[command(flatten)]
    pub settings: Flags,
}

/// What can be done.
#[derive(Subcommand)]
pub enum Action {
    /// Opens the venue.
    Serve,
    /// Finds what is wrong with the machine, the network or the settings, and says what to do. Fails where something is.
    Doctor(DoctorRequest),
    /// Copies the data folder, also while the server runs. The copy is a data folder: serving from it is restoring it.
    Backup {
        /// Where to: a folder that is not there yet, or an empty one.
        folder: PathBuf,
    },
    /// Prints the API key and secret in force; draws them if there are none yet.
    Keys {
        /// Draws a new pair and prints it, without keeping it: for a config file.
        #[arg(long)]
        new: bool,
    },
    /// Access tokens.
    #[command(subcommand)]
    Token(Token),
    /// Settings.
    #[command(subcommand)]
    Config(Config),
}

/// How the doctor looks.
#[derive(Args)]
pub struct DoctorRequest {
    /// Prints an array of objects, for programs.
    #[arg(long)]
    pub json: bool,
    /// The time server (SNTP) that this machine's clock is compared with.
    #[arg(long, value_name = "HOST:PORT", default_value = "pool.ntp.org:123")]
    pub time_server: String,
}

/// What can be done with tokens.
#[derive(Subcommand)]
pub enum Token {
    /// Prints a token: for a participant, or with --operator for somebody who runs the venue.
    Create(TokenRequest),
}

/// What can be done with settings.
#[derive(Subcommand)]
pub enum Config {
    /// Tells what a setting does, its value and where that came from; all of them when none is named.
    Explain {
        /// Such as rtc.udp_port.
        key: Option<String>,
    },
}

/// A token that somebody asks for.
#[derive(Args, Default)]
pub struct TokenRequest {
    /// The room it is for.
    #[arg(long, required_unless_present = "operator")]
    pub room: Option<String>,
    /// Who it is for: one participant at a time has this identity in a room.
    #[arg(long, required_unless_present = "operator")]
    pub identity: Option<String>,
    /// Shown to people.
    #[arg(long, default_value = "")]
    pub name: String,
    /// Free text that others in the room see.
    #[arg(long, default_value = "")]
    pub metadata: String,
    /// How long it is valid: 20m, 6h …
    #[arg(long, default_value = "6h", value_parser = parse_time)]
    pub ttl: Duration,
    /// A grant by its LiveKit name, such as roomAdmin, canPublish=false or canPublishSources=camera,microphone. May be repeated.
    #[arg(long = "grant", value_name = "GRANT[=VALUE]")]
    pub grants: Vec<String>,
    /// Administers every room and joins none.
    #[arg(long, conflicts_with_all = ["room", "identity", "grants"])]
    pub operator: bool,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    <Duration as crate::config::Value>::parse(text)
}

/// The flags that are settings, and where the others come from.
#[derive(Debug, Default)]
pub struct Flags {
    dev: bool,
    file: Option<PathBuf>,
    body: Option<String>,
    values: Vec<(&'static str, String)>,
}

impl Flags {
    /// All layers, with this process's environment.
    pub fn sources(&self) -> Sources {
        let variable = |name| std::env::var(name).ok();
        Sources {
            dev: self.dev,
            file: self.file.clone().or_else(|| variable("ODEON_CONFIG").map(PathBuf::from)),
            body: self.body.clone().or_else(|| variable("LIVEKIT_CONFIG")),
            environment: environment(),
            flags: self.values.clone(),
        }
    }
}

// A variable that is no UTF-8 can't be one of ours.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?))).collect()
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let command = command
            .arg(Arg::new("dev").long("dev").action(ArgAction::SetTrue).global(true).help(
                "To try it: key devkey with secret \"secret\", reachable from this machine only, every room open",
            ))
            .arg(
                Arg::new("config")
                    .long("config")
                    .value_name("FILE")
                    .global(true)
                    .help("Settings: TOML, or LiveKit's YAML"),
            )
            .arg(Arg::new("config-body").long("config-body").value_name("YAML").global(true).hide(true));
        command.next_help_heading("Settings").args(SETTINGS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(setting: &'static Setting) -> Arg {
    let names = setting.livekit_flags().filter(|name| *name != setting.key);
    let help = setting.doc.trim().trim_end_matches('.');
    Arg::new(setting.key).long(setting.key).aliases(names).value_name("VALUE").global(true).help(help)
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let text = |id: &str| matches.get_one::<String>(id).cloned();
        Ok(Self {
            dev: matches.get_flag("dev"),
            file: text("config").map(PathBuf::from),
            body: text("config-body"),
            values: SETTINGS.iter().filter_map(|setting| Some((setting.key, text(setting.key)?))).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Reads the command line. Ends the process with help, version or a refusal where that is the answer.
pub fn parse() -> Cli {
    Cli::parse_from(std::env::args().map(|argument| with_underscores(&argument)))
}

// `--data-dir` is what hands type, `data_dir` what files say: both are the one setting.
fn with_underscores(argument: &str) -> String {
    let Some(flag) = argument.strip_prefix("--") else {
        return argument.to_owned();
    };
    let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
    let key = name.replace('-', "_");
    match (find(&key), value) {
        (Some(_), Some(value)) => format!("--{key}={value}"),
        (Some(_), None) => format!("--{key}"),
        (None, _) => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn parsed(line: &str) -> Cli {
        Cli::try_parse_from(line.split(' ').map(with_underscores)).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn values(line: &str) -> Vec<(&'static str, String)> {
        parsed(line).settings.values
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn f_4_every_setting_is_a_flag_by_its_own_name() {
        for setting in SETTINGS {
            assert_eq!(values(&format!("odeon --{}=17", setting.key)), [(setting.key, "17".to_owned())]);
        }
    }

    #[test]
    fn settings_may_stand_before_or_after_the_command() {
        for line in
            ["odeon --rtc.shards=2 serve", "odeon serve --rtc.shards=2", "odeon token create --operator --rtc.shards 2"]
        {
            assert_eq!(values(line), [("rtc.shards", "2".to_owned())], "{line}");
        }
    }

    #[test]
    fn dashes_and_underscores_are_the_same() {
        assert_eq!(
            values("odeon --data-dir=x --rtc.udp-port=1"),
            [("rtc.udp_port", "1".into()), ("data_dir", "x".into())]
        );
    }

    // L-09: `--node-ip`, and LiveKit's other flags that mean the same.
    #[test]
    fn l_09_livekits_flags_mean_the_same() {
        let line = "odeon --node-ip=192.0.2.1 --bind=127.0.0.1 --udp-port=1 --port=2";
        let keys: Vec<_> = values(line).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["http.port", "http.bind", "rtc.udp_port", "rtc.node_ip"]);
    }

    // L-08: one command.
    #[test]
    fn l_08_dev_needs_nothing_but_its_flag() {
        let flags = parsed("odeon --dev").settings;
        let sources = Sources { dev: flags.dev, ..Sources::default() };
        assert_eq!(load(&sources).unwrap().config.keys.0["devkey"], "secret");
    }

    #[test]
    fn a_token_for_a_participant_needs_room_and_identity() {
        assert!(Cli::try_parse_from(["odeon", "token", "create", "--room", "r"]).is_err());
        assert!(Cli::try_parse_from(["odeon", "token", "create", "--operator", "--room", "r"]).is_err());
    }
}
