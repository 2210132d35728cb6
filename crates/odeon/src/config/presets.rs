//! `room.room_configurations`: LiveKit's presets. The one setting whose values have structure: a file says it as a section, the
//! environment and flags as JSON.

use super::value::Value;
use std::collections::BTreeMap;
use wire::livekit::proto::RoomConfiguration;
use wire::livekit::room_configuration::from_json;

/// Configurations of rooms by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoomPresets(pub BTreeMap<String, RoomConfiguration>);

impl Value for RoomPresets {
    const KIND: &'static str = "names with what each says of a room: empty_timeout, departure_timeout, max_participants, \
                                metadata, sync_streams, agents";
    fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let named: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|_| format!("expected {}", Self::KIND))?;
        let read = |(name, value)| match from_json(value) {
            Ok(configuration) => Ok((name, configuration)),
            Err(error) => Err(format!("{name}: {error}")),
        };
        named.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
    fn show(&self) -> String {
        match self.0.is_empty() {
            true => String::new(),
            // Our own types always have a JSON form.
            false => serde_json::to_string(&self.0).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_4_presets_are_shown_as_they_are_read() {
        let text = r#"{"small":{"max_participants":3,"metadata":"m"},"large":{"emptyTimeout":60}}"#;
        let presets = RoomPresets::parse(text).unwrap();
        assert_eq!((presets.0["small"].max_participants, presets.0["large"].empty_timeout), (3, 60));
        assert_eq!(RoomPresets::parse(&presets.show()), Ok(presets));
        assert!(RoomPresets::parse(r#"{"small":{"max_participants":"three"}}"#).unwrap_err().starts_with("small: "));
        assert!(RoomPresets::parse("small").is_err());
    }
}
