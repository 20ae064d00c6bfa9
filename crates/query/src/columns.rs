//! The columns and measures that a top or a series is made by, under nfdump's names too.

use finderscope_flow::{Column, Table};

use crate::Error;
use crate::nearest::nearest;

/// What flows are ranked by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Measure {
    /// Bytes, times the sampling rate.
    #[default]
    Bytes,
    /// Packets, times the sampling rate.
    Packets,
    /// Rows.
    Flows,
}

impl Measure {
    /// The column of a top or series that holds it.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Bytes => "bytes_scaled",
            Self::Packets => "packets_scaled",
            Self::Flows => "flows",
        }
    }

    /// The measure of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "bytes" | "bytes_scaled" | "octets" => Self::Bytes,
            "packets" | "packets_scaled" | "pkts" => Self::Packets,
            "flows" => Self::Flows,
            _ => return None,
        })
    }
}

/// nfdump's names of columns.
const ALIASES: [(&str, &[Column]); 26] = [
    ("srcip", &[Column::SrcAddr]),
    ("dstip", &[Column::DstAddr]),
    ("srcport", &[Column::SrcPort]),
    ("dstport", &[Column::DstPort]),
    ("srcas", &[Column::SrcAs]),
    ("dstas", &[Column::DstAs]),
    ("inif", &[Column::InIf]),
    ("outif", &[Column::OutIf]),
    ("nextip", &[Column::NextHop]),
    ("nhip", &[Column::NextHop]),
    ("nhbip", &[Column::BgpNextHop]),
    ("router", &[Column::ExporterAddress]),
    ("exporter", &[Column::ExporterAddress]),
    ("srcmask", &[Column::SrcNet]),
    ("dstmask", &[Column::DstNet]),
    ("srcvlan", &[Column::SrcVlan]),
    ("dstvlan", &[Column::DstVlan]),
    ("vlan", &[Column::VlanId]),
    ("insrcmac", &[Column::SrcMac]),
    ("outdstmac", &[Column::DstMac]),
    ("srcmac", &[Column::SrcMac]),
    ("dstmac", &[Column::DstMac]),
    ("tos", &[Column::IpTos]),
    ("flags", &[Column::TcpFlags]),
    ("dir", &[Column::FlowDirection]),
    ("record", &[Column::Proto, Column::SrcAddr, Column::SrcPort, Column::DstAddr, Column::DstPort]),
];

/// The columns that a name stands for: a column's own, or one of nfdump's.
pub fn columns_by_alias(name: &str) -> Result<Vec<Column>, Error> {
    let own = Column::by_name(name).filter(|column| column.is_in(Table::Flows));
    let alias = || ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, columns)| columns.to_vec());
    own.map(|column| vec![column]).or_else(alias).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    let names = Table::Flows.columns().iter().map(|column| column.name());
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    Error::UnknownColumn { name: name.to_owned(), nearest: nearest(name, names.chain(aliases)) }
}

/// Reads `srcip,dstport/packets`: columns, and what to rank them by where it is said.
pub fn ranking(text: &str) -> Result<(Vec<Column>, Option<Measure>), Error> {
    let (names, measure) = match text.split_once('/') {
        Some((names, measure)) => (names, Some(by_name(measure)?)),
        None => (text, None),
    };
    let mut columns = Vec::new();
    for name in names.split(',') {
        for column in columns_by_alias(name.trim())? {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    Ok((columns, measure))
}

fn by_name(measure: &str) -> Result<Measure, Error> {
    Measure::by_name(measure.trim()).ok_or_else(|| Error::Literal {
        literal: measure.to_owned(),
        expected: "a measure: bytes, packets or flows".to_owned(),
    })
}
