//! The columns and measures that a top or a series is made by, under nfdump's names too.

use datafusion::logical_expr::{Expr, ident};
use finderscope_flow::{Column, Table};

use crate::Error;
use crate::names::{Name, UserColumn};
use crate::nearest::nearest;

/// What flows are grouped by or listed with: a column that is stored, or one that is computed when it is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Key {
    /// A column of the table.
    Column(Column),
    /// A name that is looked up.
    Name(Name),
    /// What the user declared.
    User(UserColumn),
}

impl Key {
    /// The column's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Column(column) => column.name(),
            Self::Name(name) => name.name(),
            Self::User(column) => &column.name,
        }
    }

    /// The column of the table that it is.
    pub const fn column(&self) -> Option<Column> {
        if let Self::Column(column) = self { Some(*column) } else { None }
    }

    /// What rows are grouped by.
    pub(crate) fn group(&self) -> Expr {
        if let Self::Name(name) = self { name.group() } else { ident(self.name()) }
    }
}

impl From<Column> for Key {
    fn from(column: Column) -> Self {
        Self::Column(column)
    }
}

impl From<Name> for Key {
    fn from(name: Name) -> Self {
        Self::Name(name)
    }
}

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

/// The columns that a name stands for: a column's own, one that is looked up, one of `user`'s, or one of nfdump's.
pub fn columns_by_alias(name: &str, user: &[UserColumn]) -> Result<Vec<Key>, Error> {
    let own = Column::by_name(name).filter(|column| column.is_in(Table::Flows)).map(Key::Column);
    let own = own.or_else(|| Name::by_name(name).map(Key::Name));
    let own = own.or_else(|| user.iter().find(|column| column.name == name).cloned().map(Key::User));
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let alias = || alias.map(|(_, columns)| columns.iter().copied().map(Key::Column).collect());
    own.map(|key| vec![key]).or_else(alias).ok_or_else(|| unknown(name, user))
}

fn unknown(name: &str, user: &[UserColumn]) -> Error {
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    Error::UnknownColumn { name: name.to_owned(), nearest: nearest(name, Key::names(user).chain(aliases)) }
}

/// Reads `srcip,dstport/packets`: columns, and what to rank them by where it is said.
pub fn ranking(text: &str, user: &[UserColumn]) -> Result<(Vec<Key>, Option<Measure>), Error> {
    let (names, measure) = match text.split_once('/') {
        Some((names, measure)) => (names, Some(by_name(measure)?)),
        None => (text, None),
    };
    let mut columns = Vec::new();
    for name in names.split(',') {
        for column in columns_by_alias(name.trim(), user)? {
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
