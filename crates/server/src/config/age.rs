//! Lengths of time as people write them: `12h`, `30d`, `8w`, `2y`. A day has 24 hours, a year 365 days.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

const SECOND_NS: i64 = 1_000_000_000;
const UNITS: [(char, i64); 4] = [('h', 3_600), ('d', 86_400), ('w', 7 * 86_400), ('y', 365 * 86_400)];

/// How long something is kept. Never nothing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Age {
    /// In nanoseconds.
    pub ns: i64,
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is no age; write 12h, 30d, 8w or 2y");
        let (number, seconds) = UNITS
            .iter()
            .find_map(|&(unit, seconds)| Some((text.trim().strip_suffix(unit)?, seconds)))
            .ok_or_else(bad)?;
        let number: u32 = number.trim().parse().map_err(|_| bad())?;
        let ns = i64::from(number).checked_mul(seconds).and_then(|seconds| seconds.checked_mul(SECOND_NS));
        ns.filter(|&ns| ns > 0).map(|ns| Self { ns }).ok_or_else(bad)
    }
}

impl fmt::Display for Age {
    /// In the largest unit that leaves nothing over.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.ns / SECOND_NS;
        let (unit, in_unit) = UNITS.into_iter().rev().find(|(_, unit)| seconds % unit == 0).unwrap_or(('s', 1));
        write!(f, "{}{unit}", seconds / in_unit)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
