//! What a check comes to, and how it is told: one line each for people, one object each for programs.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing is wrong.
    Good,
    /// It was not looked at, or could not be.
    Unknown,
    /// It works, and could be better.
    Warning,
    /// Somebody will be turned away.
    Fault,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's name.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is so.
    pub found: String,
    /// What to do about it, in one sentence; empty where nothing is to be done.
    pub remedy: String,
}

impl Finding {
    /// All is well.
    pub fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Good, found: found.into(), remedy: String::new() }
    }

    /// It is not known.
    pub fn unknown(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Unknown, found: found.into(), remedy: String::new() }
    }

    /// It could be better.
    pub fn warning(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, found: found.into(), remedy: remedy.into() }
    }

    /// It is wrong.
    pub fn fault(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Fault, found: found.into(), remedy: remedy.into() }
    }

    /// Something is to be done.
    pub fn matters(&self) -> bool {
        self.level >= Level::Warning
    }
}

/// The report for people.
pub fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { check, level, found, remedy } in findings {
        let mark = match level {
            Level::Good => "ok",
            Level::Unknown => "?",
            Level::Warning => "warning",
            Level::Fault => "FAULT",
        };
        text.push_str(&format!("{mark:<9}{check:<13}{found}\n"));
        if !remedy.is_empty() {
            text.push_str(&format!("{:22}→ {remedy}\n", ""));
        }
    }
    text
}

/// In one line, for the first minute; empty where nothing matters.
pub fn summary(findings: &[Finding]) -> String {
    let mut worst: Vec<_> = findings.iter().filter(|finding| finding.matters()).collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    match worst.first() {
        None => String::new(),
        Some(first) => {
            let checks: Vec<_> = worst.iter().map(|finding| finding.check).collect();
            format!("{}; `odeon doctor` tells what to do ({})", first.found, checks.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::good("disk", "10 GiB are free"),
            Finding::warning("ipv6", "no IPv6", "get some."),
            Finding::fault("ports", "tcp 7880 is taken", "end the other."),
        ]
    }

    #[test]
    fn people_read_what_is_wrong_and_what_to_do() {
        let text = report(&findings());
        assert!(text.contains("FAULT    ports        tcp 7880 is taken\n"), "{text}");
        assert!(text.contains("→ end the other."), "{text}");
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn f_2_the_worst_comes_first_in_the_line_of_the_first_minute() {
        let line = summary(&findings());
        assert!(line.starts_with("tcp 7880 is taken;") && line.ends_with("(ports, ipv6)"), "{line}");
        assert_eq!(summary(&findings()[..1]), "");
    }
}
