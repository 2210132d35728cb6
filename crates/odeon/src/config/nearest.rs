//! The known name that somebody probably meant.

/// Below this likeness (0 to 1) a suggestion misleads more than it helps: "cat" is nobody's `rtc.bind`.
const MIN_LIKENESS: f64 = 0.55;

/// The name among `known` that is most like `name`, if one is like it at all. A name without its section
/// (`udp_port` for `rtc.udp_port`) counts as like.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let likeness = |candidate: &str| {
        let last = candidate.rsplit('.').next().unwrap_or(candidate);
        let whole = strsim::normalized_damerau_levenshtein(name, candidate);
        whole.max(strsim::normalized_damerau_levenshtein(name, last) - 0.05)
    };
    let best = known.map(|candidate| (likeness(candidate), candidate)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= MIN_LIKENESS).then(|| best.1.to_owned())
}
