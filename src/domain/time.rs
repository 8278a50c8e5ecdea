//! The time at which the provider says that an event was created.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant that keeps the digits it was written with: the documented examples write between none
/// and six fraction digits, so the order of the texts is not the order of the instants.
#[derive(Clone)]
pub struct EventTime {
    instant: Timestamp,
    /// Made when it is first asked for: of most times that are computed nobody wants it.
    text: OnceLock<Arc<str>>,
}

impl EventTime {
    /// Reads an instant in any of the forms that the documents show (`Z` or `+0000`, 0 to 9 fraction digits).
    ///
    /// # Errors
    /// When the text is not such an instant.
    pub fn parse(text: &str) -> Result<EventTime, String> {
        let instant: Timestamp = text.parse().map_err(|_| format!("`{text}` is not a time such as 2022-03-17T16:23:29.233283Z"))?;
        Ok(EventTime { instant, text: OnceLock::from(Arc::from(text)) })
    }

    /// The instant so many microseconds after 1970, written without trailing zeros.
    pub fn from_micros(micros: i64) -> EventTime {
        let instant = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
        EventTime { instant, text: OnceLock::new() }
    }

    /// The text as it is written on the wire.
    pub fn as_str(&self) -> &str {
        self.text.get_or_init(|| self.instant.to_string().into())
    }

    /// Microseconds after 1970, rounded down.
    pub fn micros(&self) -> i64 {
        self.instant.as_microsecond()
    }
}

impl PartialEq for EventTime {
    fn eq(&self, other: &EventTime) -> bool {
        self.instant == other.instant
    }
}

impl Eq for EventTime {}

impl PartialOrd for EventTime {
    fn partial_cmp(&self, other: &EventTime) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EventTime {
    fn cmp(&self, other: &EventTime) -> std::cmp::Ordering {
        self.instant.cmp(&other.instant)
    }
}

impl fmt::Debug for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventTime").field(&self.as_str()).finish()
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EventTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        EventTime::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_is_not_time_order() {
        let (Ok(early), Ok(late)) = (EventTime::parse("2022-03-17T16:17:54Z"), EventTime::parse("2022-03-17T16:17:54.93644Z")) else {
            panic!("both are times");
        };
        assert!(early < late);
        assert!(early.as_str() > late.as_str());
    }

    #[test]
    fn documented_forms() {
        for text in ["2021-11-01T18:23:02Z", "2022-06-09T20:37:21.087Z", "2022-09-21T02:20:47.000+0000"] {
            assert!(EventTime::parse(text).is_ok(), "{text}");
        }
        assert!(EventTime::parse("yesterday").is_err());
    }

    #[test]
    fn micros_are_written_without_trailing_zeros() {
        assert_eq!(EventTime::from_micros(1_647_533_874_936_440).as_str(), "2022-03-17T16:17:54.93644Z");
        assert_eq!(EventTime::from_micros(1_647_533_874_000_000).as_str(), "2022-03-17T16:17:54Z");
    }
}
