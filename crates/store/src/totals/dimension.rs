//! What totals are by: levels of time, dimensions, and the columns that tell them.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use finderscope_flow::{Column, Kind};

/// How finely totals tell times apart.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Level {
    /// Not at all: over everything that the file stands for.
    Part,
    /// By minutes.
    Minute,
    /// By hours.
    Hour,
    /// By days, of UTC.
    Day,
}

/// What totals are by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Dimension {
    /// By exporter.
    All,
    /// By exporter and the interface that the packets came in by.
    InIf,
    /// By exporter and the interface that the packets went out by.
    OutIf,
    /// By IP protocol.
    Proto,
    /// By source address.
    SrcAddr,
    /// By destination address.
    DstAddr,
    /// By source port.
    SrcPort,
    /// By destination port.
    DstPort,
    /// By autonomous system of the source.
    SrcAs,
    /// By autonomous system of the destination.
    DstAs,
}

impl Level {
    /// Every level, the finest of time first after that without time.
    pub const ALL: [Self; 4] = [Self::Part, Self::Minute, Self::Hour, Self::Day];

    /// The word in the column `level`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// How long its bins are; none of [`Level::Part`].
    pub const fn ns(self) -> Option<i64> {
        match self {
            Self::Part => None,
            Self::Minute => Some(60_000_000_000),
            Self::Hour => Some(3_600_000_000_000),
            Self::Day => Some(86_400_000_000_000),
        }
    }
}

impl Dimension {
    /// Every dimension; those that are kept by time, too, come first.
    pub const ALL: [Self; 10] = [
        Self::All,
        Self::InIf,
        Self::OutIf,
        Self::Proto,
        Self::SrcAddr,
        Self::DstAddr,
        Self::SrcPort,
        Self::DstPort,
        Self::SrcAs,
        Self::DstAs,
    ];

    /// Those that are kept by time, too.
    pub const TIMED: [Self; 4] = [Self::All, Self::InIf, Self::OutIf, Self::Proto];

    /// The word in the column `dimension`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::InIf => "in_if",
            Self::OutIf => "out_if",
            Self::Proto => "proto",
            Self::SrcAddr => "src_addr",
            Self::DstAddr => "dst_addr",
            Self::SrcPort => "src_port",
            Self::DstPort => "dst_port",
            Self::SrcAs => "src_as",
            Self::DstAs => "dst_as",
        }
    }

    /// The columns that tell its groups apart.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::All => &[Column::ExporterAddress],
            Self::InIf => &[Column::ExporterAddress, Column::InIf],
            Self::OutIf => &[Column::ExporterAddress, Column::OutIf],
            Self::Proto => &[Column::Proto],
            Self::SrcAddr => &[Column::SrcAddr],
            Self::DstAddr => &[Column::DstAddr],
            Self::SrcPort => &[Column::SrcPort],
            Self::DstPort => &[Column::DstPort],
            Self::SrcAs => &[Column::SrcAs],
            Self::DstAs => &[Column::DstAs],
        }
    }

    /// The levels that it is kept at.
    pub fn levels(self) -> &'static [Level] {
        if Self::TIMED.contains(&self) { &Level::ALL } else { &Level::ALL[..1] }
    }

    /// How files name what they lack: `minute/in_if`.
    pub fn at(self, level: Level) -> String {
        format!("{}/{}", level.name(), self.name())
    }

    /// The column that holds its addresses.
    pub(super) fn address(self) -> Option<Column> {
        self.columns().iter().copied().find(|column| column.kind() == Kind::Address)
    }

    /// The column that holds its numbers.
    pub(super) fn number(self) -> Option<Column> {
        self.columns().iter().copied().find(|column| column.kind() != Kind::Address)
    }
}

/// What a file lacks where some flow's `sampler_address` is not its `exporter_address`: to tell flows by sampler. In all
/// other files a condition on the one can be put to the other.
pub const SAMPLERS: &str = "sampler_address";

/// The names of the columns that are not the flows' own.
pub mod columns {
    /// The level's word.
    pub const LEVEL: &str = "level";
    /// The dimension's word.
    pub const DIMENSION: &str = "dimension";
    /// When the bin begins.
    pub const TIME: &str = "time";
    /// Rows whose flow ended in it.
    pub const FLOWS: &str = "flows";
    /// Bytes, times the sampling rate.
    pub const BYTES_SCALED: &str = "bytes_scaled";
    /// Packets, times the sampling rate.
    pub const PACKETS_SCALED: &str = "packets_scaled";
    /// Rows with a sampling rate beyond 1.
    pub const FLOWS_SAMPLED: &str = "flows_sampled";
    /// Of the scaled bytes those whose rate is unknown or assumed; by exporter over everything, else null.
    pub const BYTES_ASSUMED: &str = "bytes_assumed";
    /// The earliest receive time; by exporter over everything, else null.
    pub const FIRST: &str = "first_received_ns";
    /// The latest receive time, likewise.
    pub const LAST: &str = "last_received_ns";
}

/// The columns of all dimensions, in the order of the file.
pub(super) const GROUPED: [Column; 10] = [
    Column::ExporterAddress,
    Column::InIf,
    Column::OutIf,
    Column::Proto,
    Column::SrcAddr,
    Column::DstAddr,
    Column::SrcPort,
    Column::DstPort,
    Column::SrcAs,
    Column::DstAs,
];

/// The schema of a file of totals.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(make_schema()));
    Arc::clone(&SCHEMA)
}

fn make_schema() -> Schema {
    let time = || Kind::Time.data_type();
    let number = || DataType::UInt64;
    let leading = [
        Field::new(columns::LEVEL, DataType::Utf8, false),
        Field::new(columns::DIMENSION, DataType::Utf8, false),
        Field::new(columns::TIME, time(), true),
    ];
    let grouped = GROUPED.map(|column| Field::new(column.name(), column.kind().data_type(), true));
    let measures = [
        Field::new(columns::FLOWS, number(), false),
        Field::new(Column::Bytes.name(), number(), true),
        Field::new(Column::Packets.name(), number(), true),
        Field::new(columns::BYTES_SCALED, number(), true),
        Field::new(columns::PACKETS_SCALED, number(), true),
        Field::new(columns::FLOWS_SAMPLED, number(), false),
        Field::new(columns::BYTES_ASSUMED, number(), true),
        Field::new(columns::FIRST, time(), true),
        Field::new(columns::LAST, time(), true),
    ];
    Schema::new(leading.into_iter().chain(grouped).chain(measures).collect::<Vec<_>>())
}
