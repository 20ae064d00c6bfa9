//! What the operator says about elements: which column one fills, or under which name it is kept.
//!
//! A rule comes before the tables that the program has. It takes effect when a template is compiled into a plan, and costs
//! nothing per record.

use finderscope_flow::registry::{Conversion, DataType, Mapping};
use finderscope_flow::{Column, Kind, Table};
use finderscope_wire::ipfix::{Dialect, FieldSpecifier};

/// That an element fills a column, or is kept in `extra` under a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MapRule {
    /// In which protocols.
    pub protocol: MapProtocol,
    /// Whose number it is; 0 for IANA's and NetFlow v9's.
    pub enterprise: u32,
    /// The element's number, as templates have it.
    pub element: u16,
    /// Where its values go.
    pub target: MapTarget,
    /// How its values are encoded, where it is not as the registry says.
    pub data_type: Option<MapType>,
}

/// In which protocols a rule counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MapProtocol {
    /// NetFlow v9 and IPFIX.
    #[default]
    Both,
    /// NetFlow v9.
    NetflowV9,
    /// IPFIX.
    Ipfix,
}

/// Where an element's values go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MapTarget {
    /// A column that [`can_be_mapped`].
    Column(Column),
    /// An entry of `extra`.
    Extra(String),
}

/// How the values of an element are encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MapType {
    /// UTF-8, perhaps padded with NULs.
    String,
    /// A whole number from 0, of any size.
    Number,
    /// A whole number that may be below 0.
    Signed,
    /// A floating-point number.
    Float,
    /// 1 for true and 2 for false (RFC 7011 section 6.1.5).
    Boolean,
    /// An IP address of 4 or 16 bytes.
    Address,
    /// A MAC address.
    Mac,
    /// Bytes, shown as hexadecimal digits.
    Hex,
}

impl MapType {
    const fn data_type(self, length: u16) -> DataType {
        match self {
            Self::String => DataType::String,
            Self::Number => DataType::Unsigned64,
            Self::Signed => DataType::Signed64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Address if length == 16 => DataType::Ipv6Address,
            Self::Address => DataType::Ipv4Address,
            Self::Mac => DataType::MacAddress,
            Self::Hex => DataType::OctetArray,
        }
    }
}

/// Whether rules may fill `column`: what describes traffic and comes from records. Who sent a row, when, and how it was
/// sampled is found in other ways.
pub fn can_be_mapped(column: Column) -> bool {
    use Column as C;
    let found = matches!(
        column,
        C::ExporterAddress
            | C::SamplerAddress
            | C::ObservationDomainId
            | C::SequenceNum
            | C::SamplingRate
            | C::BytesL3
            | C::SubAgentId
            | C::SourceIdClass
            | C::SourceIdIndex
            | C::SampleSequence
            | C::SamplePool
            | C::SampleDrops
    );
    let traffic = column.is_in(Table::Flows) || column.is_in(Table::Events);
    traffic && !found && !matches!(column.kind(), Kind::Time | Kind::Word(_) | Kind::Map)
}

/// The rule for a field, and where it stands among `rules`. The last that fits counts.
pub(crate) fn rule(rules: &[MapRule], specifier: FieldSpecifier, dialect: Dialect) -> Option<usize> {
    let fits = |rule: &MapRule| {
        rule.element == specifier.element
            && rule.enterprise == specifier.enterprise.unwrap_or(0)
            && match rule.protocol {
                MapProtocol::Both => true,
                MapProtocol::NetflowV9 => dialect.is_v9(),
                MapProtocol::Ipfix => !dialect.is_v9(),
            }
    };
    rules.iter().rposition(fits)
}

impl MapRule {
    /// As the tables of the program have it; none where it names an entry of `extra`.
    pub(crate) fn mapping(&self, length: u16) -> Option<Mapping> {
        let MapTarget::Column(column) = self.target else { return None };
        let conversion = match (column.kind(), self.data_type) {
            (Kind::Text, None | Some(MapType::String)) => Conversion::Plain,
            (Kind::Text, Some(data_type)) => Conversion::Typed(data_type.data_type(length)),
            (Kind::List, _) => Conversion::Item(0),
            _ => Conversion::Plain,
        };
        Some(Mapping { enterprise: self.enterprise, element: self.element, column, rank: 0, conversion })
    }

    /// The name in `extra` and the type of its values; none where it fills a column.
    pub(crate) fn extra(&self, length: u16) -> Option<(&str, Option<DataType>)> {
        let MapTarget::Extra(name) = &self.target else { return None };
        Some((name, self.data_type.map(|data_type| data_type.data_type(length))))
    }
}
