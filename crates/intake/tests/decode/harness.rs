//! A collector with one intake, and exporters that speak to it. Balances are checked after every delivery.

use std::net::{IpAddr, SocketAddr};

use finderscope_flow::text::RecordWriter;
use finderscope_flow::{Table, Tables};
use finderscope_intake::{Config, ExporterStatus, Intake, Ledger, Quiet, Watch};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::ipfix::{Encoder, FieldSpecifier, Header};
use finderscope_wire::netflow::v9;
use serde_json::{Map, Value};

pub(crate) const SECOND: i64 = 1_000_000_000;
/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600 * SECOND;
/// Milliseconds since the exporters booted, at [`NOW`].
pub(crate) const UPTIME_MS: u32 = 100_000_000;

pub(crate) type Row = Map<String, Value>;

/// Where a delivery comes from.
#[derive(Clone, Copy)]
pub(crate) struct From<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) scheme: Scheme,
    pub(crate) identity: Option<&'a str>,
}

impl<'a> From<'a> {
    pub(crate) fn address(address: &str) -> Self {
        Self { source: SocketAddr::new(address.parse().unwrap(), 2055), scheme: Scheme::Udp, identity: None }
    }

    pub(crate) fn port(mut self, port: u16) -> Self {
        self.source.set_port(port);
        self
    }

    pub(crate) fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    pub(crate) fn identity(mut self, identity: &'a str) -> Self {
        self.identity = Some(identity);
        self
    }
}

pub(crate) struct Collector {
    pub(crate) intake: Intake,
    pub(crate) tables: Tables,
    pub(crate) now_ns: i64,
    sequence: u64,
}

impl Collector {
    pub(crate) fn new(config: Config) -> Self {
        Self::with(Intake::new(config))
    }

    pub(crate) fn with(intake: Intake) -> Self {
        Self { intake, tables: Tables::default(), now_ns: NOW, sequence: 0 }
    }

    /// One datagram from 10.0.0.1.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.send_from(From::address("10.0.0.1"), bytes);
    }

    pub(crate) fn send_from(&mut self, from: From<'_>, bytes: &[u8]) {
        self.send_watched(from, bytes, &mut Quiet);
    }

    pub(crate) fn send_watched(&mut self, from: From<'_>, bytes: &[u8], watch: &mut dyn Watch) {
        self.sequence += 1;
        let listener = Listener { scheme: from.scheme, address: SocketAddr::from(([0, 0, 0, 0], 2055)) };
        let delivery = Delivery {
            sequence: self.sequence,
            received_ns: self.now_ns,
            source: from.source,
            listener,
            identity: from.identity,
            bytes,
        };
        self.intake.handle(&delivery, &mut self.tables, watch);
        self.intake.check_balances().unwrap();
    }

    /// The rows of a table so far, without nulls; the table is empty afterwards.
    pub(crate) fn rows(&mut self, table: Table) -> Vec<Row> {
        let batch = self.tables.of(table).finish();
        let writer = RecordWriter::new(&batch.schema());
        let mut rows = writer.rows(&batch).unwrap();
        let mut row = |row| {
            let mut json = Vec::new();
            rows.write_json(&mut json, row);
            let mut row: Row = serde_json::from_slice(&json).unwrap();
            row.retain(|_, value| !value.is_null());
            row
        };
        (0..batch.num_rows()).map(&mut row).collect()
    }

    pub(crate) fn flows(&mut self) -> Vec<Row> {
        self.rows(Table::Flows)
    }

    /// The one flow that there is.
    pub(crate) fn flow(&mut self) -> Row {
        let mut flows = self.flows();
        assert_eq!(flows.len(), 1, "{flows:#?}");
        flows.remove(0)
    }

    pub(crate) fn status(&self) -> ExporterStatus {
        let mut all: Vec<ExporterStatus> = self.intake.ledger().collect();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    pub(crate) fn books(&self) -> Ledger {
        self.intake.totals()
    }

    pub(crate) fn note(&self, name: &str) -> u64 {
        self.books().notes.get(name)
    }
}

/// Cells of a row, side by side.
#[track_caller]
pub(crate) fn check(row: &Row, cells: &[(&str, Value)]) {
    for (name, expected) in cells {
        let cell = row.get(*name).unwrap_or(&Value::Null);
        assert_eq!(cell, expected, "{name} in {row:#?}");
    }
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) const fn field(element: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier::new(element, length)
}

/// A v9 datagram of domain 0 at [`NOW`].
pub(crate) fn v9(sequence: u32, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    v9_with(
        v9::Header {
            uptime_ms: UPTIME_MS.into(),
            unix_seconds: seconds(NOW),
            sequence_number: sequence.into(),
            ..Default::default()
        },
        write,
    )
}

pub(crate) fn v9_with(header: v9::Header, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::v9(&mut bytes, &header);
    write(&mut encoder);
    encoder.finish().unwrap();
    bytes
}

/// An IPFIX message of domain 7 at [`NOW`].
pub(crate) fn ipfix(sequence: u32, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    ipfix_with(
        Header {
            export_time: seconds(NOW),
            sequence_number: sequence.into(),
            observation_domain_id: 7.into(),
            ..Default::default()
        },
        write,
    )
}

pub(crate) fn ipfix_with(header: Header, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::ipfix(&mut bytes, &header);
    write(&mut encoder);
    encoder.finish().unwrap();
    bytes
}

/// Whole seconds as headers have them, of whatever type they are there.
pub(crate) fn seconds<T: std::convert::From<u32>>(time_ns: i64) -> T {
    T::from(u32::try_from(time_ns / SECOND).unwrap())
}

/// Source, destination, ports, protocol, packets and bytes.
pub(crate) const PLAIN: [FieldSpecifier; 7] =
    [field(8, 4), field(12, 4), field(7, 2), field(11, 2), field(4, 1), field(2, 4), field(1, 4)];

/// A record of [`PLAIN`]: TCP from 10.1.0.1 to 10.2.0.2, 40000 to 443.
pub(crate) fn plain(packets: u32, bytes: u32) -> Vec<u8> {
    let mut record = vec![10, 1, 0, 1, 10, 2, 0, 2];
    record.extend_from_slice(&40_000_u16.to_be_bytes());
    record.extend_from_slice(&443_u16.to_be_bytes());
    record.push(6);
    record.extend_from_slice(&packets.to_be_bytes());
    record.extend_from_slice(&bytes.to_be_bytes());
    record
}
