//! What all rows of one datagram have in common.

use std::net::IpAddr;

use finderscope_flow::{Builder, Column};
use serde::{Deserialize, Serialize};

use crate::Protocol;

/// The datagram's side of its rows. Kept with data that waits for a template, so that late rows are as they would have been.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Context {
    pub(crate) protocol: Protocol,
    pub(crate) received_ns: i64,
    pub(crate) export_ns: Option<i64>,
    pub(crate) uptime_ms: Option<u32>,
    /// Source of the datagram.
    pub(crate) exporter: IpAddr,
    /// The sFlow agent, else the exporter.
    pub(crate) sampler: IpAddr,
    pub(crate) domain: u32,
    /// Nothing in NetFlow v1, which has none.
    pub(crate) sequence: Option<u32>,
}

impl Context {
    /// Writes the columns that every table has, for `rows` rows.
    pub(crate) fn write(&self, builder: &mut Builder, rows: usize) {
        builder.word(Column::Type).push_run(self.protocol.flow_type() as i32, rows);
        builder.time(Column::TimeReceivedNs).push_run(self.received_ns, rows);
        if let Some(export_ns) = self.export_ns {
            builder.time(Column::TimeExportNs).push_run(export_ns, rows);
        }
        push_address(builder, Column::ExporterAddress, self.exporter, rows);
        push_address(builder, Column::SamplerAddress, self.sampler, rows);
        builder.u32(Column::ObservationDomainId).push_run(self.domain, rows);
        if let Some(sequence) = self.sequence {
            builder.u32(Column::SequenceNum).push_run(sequence, rows);
        }
    }
}

/// Writes one address into `rows` cells.
pub(crate) fn push_address(builder: &mut Builder, column: Column, address: IpAddr, rows: usize) {
    let cells = builder.address(column);
    match address {
        IpAddr::V4(address) => cells.push_run(&address.octets(), rows),
        IpAddr::V6(address) => cells.push_run(&address.octets(), rows),
    }
}
