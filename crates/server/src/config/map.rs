//! `[[map]]`: elements to columns. A column that the program has is filled; a new name is kept in `extra`, and is a column
//! for those who ask.

use finderscope_flow::{Column, registry};
use finderscope_intake::{MapProtocol, MapRule, MapTarget, MapType, can_be_mapped};
use serde::Deserialize;

use crate::declared::Declared;

/// Characters of a new column's name.
const NAME_MAX: usize = 64;

/// `[[map]]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Whose number it is; without it IANA's, or NetFlow v9's.
    #[serde(default)]
    pub pen: u32,
    /// The element's number, as templates have it.
    pub element: u16,
    /// A column, or a new name.
    pub column: Target,
    /// How values are encoded, where it is not as the registry says.
    #[serde(rename = "type")]
    pub data_type: Option<Type>,
    /// In which protocol; without it in both.
    pub protocol: Option<Protocol>,
}

impl Map {
    /// What the decoder is told.
    pub fn rule(&self) -> MapRule {
        MapRule {
            protocol: match self.protocol {
                None => MapProtocol::Both,
                Some(Protocol::Netflow9) => MapProtocol::NetflowV9,
                Some(Protocol::Ipfix) => MapProtocol::Ipfix,
            },
            enterprise: self.pen,
            element: self.element,
            target: self.column.0.clone(),
            data_type: self.data_type.map(|data_type| data_type.0),
        }
    }
}

/// Where an element's values go.
#[derive(Clone, Debug, PartialEq)]
pub struct Target(pub MapTarget);

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if let Some(column) = Column::by_name(name) {
            return match can_be_mapped(column) {
                true => Ok(Self(MapTarget::Column(column))),
                false => Err(format!("column: '{name}' is found in another way, and no element can be mapped to it")),
            };
        }
        if Column::DERIVED.contains(&name) {
            return Err(format!(
                "column: '{name}' is computed when it is asked for, and no element can be mapped to it"
            ));
        }
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
        if !begins || name.len() > NAME_MAX || !name.bytes().all(sound) {
            return Err(format!(
                "column: '{name}' is no column, and no name for a new one: up to {NAME_MAX} of a-z, 0-9 and _, a letter first"
            ));
        }
        Ok(Self(MapTarget::Extra(name.to_owned())))
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How values are encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Type(pub MapType);

/// The words for types, and what a column of that type is for those who ask.
const TYPES: [(&str, MapType, &str); 8] = [
    ("string", MapType::String, "text"),
    ("number", MapType::Number, "number"),
    ("signed", MapType::Signed, "signed"),
    ("float", MapType::Float, "float"),
    ("boolean", MapType::Boolean, "boolean"),
    ("address", MapType::Address, "address"),
    ("mac", MapType::Mac, "text"),
    ("hex", MapType::Hex, "text"),
];

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let found = TYPES.iter().find(|(known, ..)| *known == word);
        found.map(|(_, data_type, _)| Self(*data_type)).ok_or_else(|| {
            let words = TYPES.map(|(word, ..)| word).join(", ");
            serde::de::Error::custom(format!("type: '{word}' is none of {words}"))
        })
    }
}

/// `protocol` of a `[[map]]`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// NetFlow v9.
    Netflow9,
    /// IPFIX.
    Ipfix,
}

/// What rules declare beyond the program's own columns; the problem where two declare a column differently.
pub fn declared<'a>(rules: impl Iterator<Item = &'a MapRule>) -> Result<Vec<Declared>, String> {
    let mut all: Vec<Declared> = Vec::new();
    for rule in rules {
        let MapTarget::Extra(name) = &rule.target else { continue };
        let kind = kind(rule);
        match all.iter().find(|known| known.column == *name) {
            None => all.push(Declared { column: name.clone(), kind: kind.to_owned() }),
            Some(known) if known.kind == kind => {}
            Some(known) => return Err(format!("map.type: {name} is declared as {} and as {kind}", known.kind)),
        }
    }
    Ok(all)
}

/// What the cells of a rule's column are: by its type, else by the registry's.
fn kind(rule: &MapRule) -> &'static str {
    use registry::DataType as D;
    if let Some(data_type) = rule.data_type {
        return TYPES.iter().find(|(_, known, _)| *known == data_type).map_or("text", |(.., kind)| kind);
    }
    match registry::element(Some(rule.enterprise), rule.element).map(|element| element.data_type) {
        Some(D::Unsigned8 | D::Unsigned16 | D::Unsigned32 | D::Unsigned64) => "number",
        Some(D::Signed8 | D::Signed16 | D::Signed32 | D::Signed64) => "signed",
        Some(D::Float32 | D::Float64) => "float",
        Some(D::Boolean) => "boolean",
        Some(D::Ipv4Address | D::Ipv6Address) => "address",
        _ => "text",
    }
}
