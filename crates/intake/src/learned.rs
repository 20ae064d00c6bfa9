//! Elements that an exporter has described itself (RFC 5610): names and types for numbers that nobody registered.
//!
//! Type records are options data whose scope is an enterprise and an element's number. They only fill gaps: what the
//! registry knows, no exporter can rename.

use std::collections::BTreeMap;

use finderscope_flow::registry::{DataType, element};
use finderscope_wire::ipfix;
use serde::{Deserialize, Serialize};

use crate::text;

/// Elements that one exporter may describe; vendors have some hundred.
const ELEMENTS_MAX: usize = 1_024;
/// Bytes of a name; the longest that IANA has are half as long.
const NAME_MAX: usize = 96;

/// What one exporter has described.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Learned {
    elements: BTreeMap<(u32, u16), Described>,
}

/// An element in its exporter's words.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Described {
    pub(crate) name: String,
    #[serde(with = "number")]
    pub(crate) data_type: DataType,
}

impl Learned {
    /// What the exporter says of an element.
    pub(crate) fn get(&self, enterprise: u32, element: u16) -> Option<&Described> {
        self.elements.get(&(enterprise, element))
    }

    /// Whether there was room for what a record tells, if it tells anything new.
    pub(crate) fn learn(&mut self, record: &TypeRecord) -> bool {
        let Some((key, described)) = record.described() else { return true };
        if element(Some(key.0), key.1).is_some() {
            return true;
        }
        let room = self.elements.len() < ELEMENTS_MAX || self.elements.contains_key(&key);
        if room {
            self.elements.insert(key, described);
        }
        room
    }
}

/// A type record as it is read, field by field.
#[derive(Debug, Default)]
pub(crate) struct TypeRecord {
    enterprise: Option<u32>,
    element: Option<u16>,
    data_type: Option<DataType>,
    name: String,
}

impl TypeRecord {
    /// Takes in the element `number` of an options record.
    pub(crate) fn field(&mut self, number: u16, bytes: &[u8]) {
        let value = || ipfix::unsigned(bytes);
        match number {
            346 => self.enterprise = value().and_then(|value| u32::try_from(value).ok()),
            // Some send the number with its enterprise bit, as templates have it.
            303 => self.element = value().and_then(|value| u16::try_from(value).ok()).map(|value| value & 0x7fff),
            339 => self.data_type = value().and_then(|value| u8::try_from(value).ok()).and_then(DataType::from_number),
            341 => {
                self.name.clear();
                text::put_string(&mut self.name, bytes);
            }
            _ => {}
        }
    }

    /// Complete only with enterprise, number and a name; without a type the values are octets.
    fn described(&self) -> Option<((u32, u16), Described)> {
        let key = (self.enterprise.filter(|&enterprise| enterprise != 0)?, self.element?);
        let mut name = self.name.clone();
        name.truncate(name.floor_char_boundary(NAME_MAX));
        let data_type = self.data_type.unwrap_or(DataType::OctetArray);
        (!name.is_empty()).then_some((key, Described { name, data_type }))
    }
}

/// A data type is kept as IANA's number.
mod number {
    use finderscope_flow::registry::DataType;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(data_type: &DataType, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(data_type.number())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DataType, D::Error> {
        let number = u8::deserialize(deserializer)?;
        DataType::from_number(number).ok_or_else(|| serde::de::Error::custom("no such data type"))
    }
}
