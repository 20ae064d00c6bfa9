//! A flow as one line of text.
//!
//! ```text
//! start (UTC)              duration  proto  source              destination   packets  bytes  sampling  flags     exporter
//! 2026-01-31 12:00:00.123    532 ms  TCP    10.1.2.3:51234  ->  10.9.8.7:443       12   3400  1:100     ...AP.SF  192.0.2.1
//! ```

use anyhow::Context;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, RecordBatch};
use arrow::datatypes::{TimestampNanosecondType, UInt8Type, UInt16Type, UInt64Type};
use finderscope_flow::Column;
use finderscope_flow::text::{human, write_address};

use crate::output::{self, Zone};

/// What a line needs.
pub(crate) const COLUMNS: [Column; 15] = [
    Column::TimeReceivedNs,
    Column::TimeFlowStartNs,
    Column::TimeFlowEndNs,
    Column::Proto,
    Column::SrcAddr,
    Column::SrcPort,
    Column::DstAddr,
    Column::DstPort,
    Column::IcmpType,
    Column::IcmpCode,
    Column::Packets,
    Column::Bytes,
    Column::SamplingRate,
    Column::TcpFlags,
    Column::ExporterAddress,
];

const NOTHING: &str = "-";
/// Digits of a start's second, as nfdump shows them.
const DIGITS: u8 = 3;

/// Makes lines of flows.
#[derive(Debug)]
pub(crate) struct Lines {
    zone: Zone,
}

impl Lines {
    pub(crate) const fn new(zone: Zone) -> Self {
        Self { zone }
    }

    /// The table's columns.
    pub(crate) fn columns(&self) -> Vec<output::Column> {
        let left = output::Column::left;
        vec![
            left(format!("start ({})", self.zone.name())),
            output::Column::right("duration"),
            left("proto".to_owned()),
            left("source".to_owned()),
            left(String::new()),
            left("destination".to_owned()),
            output::Column::right("packets"),
            output::Column::right("bytes"),
            left("sampling".to_owned()),
            left("flags".to_owned()),
            left("exporter".to_owned()),
        ]
    }

    /// The lines of a batch of [`COLUMNS`].
    pub(crate) fn rows(&self, batch: &RecordBatch) -> anyhow::Result<Vec<Vec<String>>> {
        let batch = Batch(batch);
        (0..batch.0.num_rows()).map(|row| self.line(&Row { batch: &batch, row })).collect()
    }

    fn line(&self, row: &Row<'_>) -> anyhow::Result<Vec<String>> {
        let end = row.number::<TimestampNanosecondType>(Column::TimeFlowEndNs)?;
        let start = row.number::<TimestampNanosecondType>(Column::TimeFlowStartNs)?.or(end);
        let shown = start.or(row.number::<TimestampNanosecondType>(Column::TimeReceivedNs)?);
        let duration = start.zip(end).map(|(start, end)| human::duration(end.saturating_sub(start)).to_string());
        let proto = row.number::<UInt8Type>(Column::Proto)?;
        let icmp = proto.is_some_and(output::icmp);
        let count = |count: Option<u64>| count.map_or_else(nothing, |count| count.to_string());
        Ok(vec![
            shown.map_or_else(nothing, |time| self.zone.time(time, DIGITS)),
            duration.unwrap_or_else(nothing),
            proto.map_or_else(nothing, output::protocol),
            row.end(Column::SrcAddr, (!icmp).then_some(Column::SrcPort))?,
            "->".to_owned(),
            if icmp { row.icmp()? } else { row.end(Column::DstAddr, Some(Column::DstPort))? },
            count(row.number::<UInt64Type>(Column::Packets)?),
            count(row.number::<UInt64Type>(Column::Bytes)?),
            row.number::<UInt64Type>(Column::SamplingRate)?.map_or_else(nothing, |rate| format!("1:{rate}")),
            row.number::<UInt16Type>(Column::TcpFlags)?.map_or_else(nothing, output::flags),
            row.address(Column::ExporterAddress)?.unwrap_or_else(nothing),
        ])
    }
}

fn nothing() -> String {
    NOTHING.to_owned()
}

struct Batch<'a>(&'a RecordBatch);

impl Batch<'_> {
    fn column(&self, column: Column) -> anyhow::Result<&ArrayRef> {
        self.0.column_by_name(column.name()).with_context(|| format!("the answer lacks {}", column.name()))
    }
}

struct Row<'a> {
    batch: &'a Batch<'a>,
    row: usize,
}

impl Row<'_> {
    fn number<T: ArrowPrimitiveType>(&self, column: Column) -> anyhow::Result<Option<T::Native>> {
        let array = self.batch.column(column)?;
        let array =
            array.as_primitive_opt::<T>().with_context(|| format!("{} is {}", column.name(), array.data_type()))?;
        Ok(array.is_valid(self.row).then(|| array.value(self.row)))
    }

    fn address(&self, column: Column) -> anyhow::Result<Option<String>> {
        let array = self.batch.column(column)?;
        let array =
            array.as_binary_opt::<i32>().with_context(|| format!("{} is {}", column.name(), array.data_type()))?;
        Ok(array.is_valid(self.row).then(|| {
            let mut text = Vec::new();
            write_address(&mut text, array.value(self.row));
            String::from_utf8_lossy(&text).into_owned()
        }))
    }

    /// An address with its port, in brackets where its own colons would run into the port's.
    fn end(&self, address: Column, port: Option<Column>) -> anyhow::Result<String> {
        let port = port.map(|port| self.number::<UInt16Type>(port)).transpose()?.flatten();
        Ok(with_port(self.address(address)?, port))
    }

    /// A destination with ICMP's type and code, which may come as a port.
    fn icmp(&self) -> anyhow::Result<String> {
        let port = self.number::<UInt16Type>(Column::DstPort)?;
        let kind = self.number::<UInt8Type>(Column::IcmpType)?.map(u16::from).or(port.map(|port| port >> 8));
        let code = self.number::<UInt8Type>(Column::IcmpCode)?.map(u16::from).or(port.map(|port| port & 0xff));
        let address = self.address(Column::DstAddr)?;
        let Some(kind) = kind else { return Ok(with_port(address, None)) };
        let end = with_port(address, None);
        Ok(format!("{end} {kind}.{}", code.unwrap_or_default()))
    }
}

fn with_port(address: Option<String>, port: Option<u16>) -> String {
    let address = address.unwrap_or_else(nothing);
    match port {
        None => address,
        Some(port) if address.contains(':') => format!("[{address}]:{port}"),
        Some(port) => format!("{address}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::sync::Arc;

    use arrow::compute::cast;
    use arrow::datatypes::Schema;
    use finderscope_flow::{Builder, Table};

    use super::*;

    fn check(fill: impl FnOnce(&mut Builder), expected: &[&str]) {
        let mut builder = Builder::new(Table::Flows);
        builder.time(Column::TimeReceivedNs).push(1_500_000_000);
        fill(&mut builder);
        builder.advance(1);
        let batch = builder.finish();
        let wanted = COLUMNS.map(|column| batch.schema().index_of(column.name()).unwrap());
        let batch = batch.project(&wanted).unwrap();
        // A query answers with plain types.
        let fields: Vec<_> = batch.schema().fields().iter().map(Arc::clone).collect();
        let columns = batch.columns().iter().zip(&fields).map(|(array, field)| cast(array, field.data_type()).unwrap());
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), columns.collect()).unwrap();
        assert_eq!(Lines::new(Zone::utc()).rows(&batch).unwrap(), [expected]);
    }

    #[test]
    fn a_flow_with_everything() {
        let fill = |flow: &mut Builder| {
            flow.time(Column::TimeFlowStartNs).push(1_000_000_000);
            flow.time(Column::TimeFlowEndNs).push(1_250_000_000);
            flow.u8(Column::Proto).push(6);
            flow.address(Column::SrcAddr).push(&[10, 0, 0, 1]);
            flow.u16(Column::SrcPort).push(40_000);
            flow.address(Column::DstAddr).push(&std::net::Ipv6Addr::LOCALHOST.octets());
            flow.u16(Column::DstPort).push(443);
            flow.u64(Column::Packets).push(12);
            flow.u64(Column::Bytes).push(u64::MAX);
            flow.u64(Column::SamplingRate).push(100);
            flow.u16(Column::TcpFlags).push(0x12);
            flow.address(Column::ExporterAddress).push(&[192, 0, 2, 1]);
        };
        let line = [
            "1970-01-01 00:00:01.000",
            "250 ms",
            "TCP",
            "10.0.0.1:40000",
            "->",
            "[::1]:443",
            "12",
            "18446744073709551615",
            "1:100",
            "...A..S.",
            "192.0.2.1",
        ];
        check(fill, &line);
    }

    #[test]
    fn a_flow_with_nothing_but_its_receive_time() {
        check(|_| {}, &["1970-01-01 00:00:01.500", "-", "-", "-", "->", "-", "-", "-", "-", "-", "-"]);
    }

    #[test]
    fn icmp_shows_type_and_code_also_where_they_came_as_a_port() {
        let fill = |flow: &mut Builder| {
            flow.u8(Column::Proto).push(1);
            flow.address(Column::DstAddr).push(&[10, 0, 0, 2]);
            flow.u16(Column::DstPort).push(3 * 256 + 1);
        };
        let line = ["1970-01-01 00:00:01.500", "-", "ICMP", "-", "->", "10.0.0.2 3.1", "-", "-", "-", "-", "-"];
        check(fill, &line);
    }
}
