//! Records into rows of one kind.

use finderscope_flow::{Biflow, Builder, Column, Table, Tables};
use finderscope_wire::ipfix;
use finderscope_wire::packet::Packet;

use super::times::{Frame, TimeBuffers};
use super::{DataPlan, Face, columns, extras, packets, rates};
use crate::cells::{Field, Records, Spans};
use crate::context::Context;
use crate::sampling::Lookup;
use crate::structured::Meaning;

/// Everything but the plan and the records that rows are made of.
pub(crate) struct Rows<'a> {
    pub(crate) context: &'a Context,
    pub(crate) frame: Frame,
    pub(crate) rates: Lookup<'a>,
    pub(crate) meaning: Meaning<'a>,
}

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) times: TimeBuffers,
    pub(crate) text: String,
    /// Samples whose rows are not written yet.
    pub(crate) samples: Option<Box<crate::sflow::Gathered>>,
    chosen: Spans,
    one: Spans,
}

impl DataPlan {
    /// Writes all rows of `records`. Says how many had times that cannot be.
    pub(crate) fn write(
        &self,
        records: &Records<'_>,
        places: &[Field],
        rows: &Rows<'_>,
        tables: &mut Tables,
        buffers: &mut Buffers,
    ) -> u64 {
        if records.len() == 0 {
            return 0;
        }
        let mut assumed = 0;
        match (&self.flow, &self.event) {
            (Some(flow), None) => assumed += self.write_flows(flow, records, places, rows, tables, buffers),
            (None, Some(event)) => assumed += event.write(records, places, rows, tables, buffers, None),
            (Some(flow), Some(event)) => {
                // Counters that are all zero bill nobody: the record only tells of the event.
                let is_event = |row: &usize| self.is_quiet(records, *row, &self.counters);
                let mut chosen = std::mem::take(&mut buffers.chosen);
                records.select((0..records.len()).filter(is_event), places, &mut chosen);
                let events = Records::Walked { body: records.body(), spans: &chosen, fields: places.len() };
                assumed += event.write(&events, places, rows, tables, buffers, None);
                records.select((0..records.len()).filter(|row| !is_event(row)), places, &mut chosen);
                let flows = Records::Walked { body: records.body(), spans: &chosen, fields: places.len() };
                assumed += self.write_flows(flow, &flows, places, rows, tables, buffers);
                buffers.chosen = chosen;
            }
            (None, None) => {}
        }
        assumed
    }

    fn write_flows(
        &self,
        flow: &Face,
        records: &Records<'_>,
        places: &[Field],
        rows: &Rows<'_>,
        tables: &mut Tables,
        buffers: &mut Buffers,
    ) -> u64 {
        let Some(reverse) = &self.reverse else { return flow.write(records, places, rows, tables, buffers, None) };
        let assumed = flow.write(records, places, rows, tables, buffers, Some(Biflow::Forward));
        let answered = |row: &usize| !self.is_quiet(records, *row, &self.reverse_counters);
        let mut one = std::mem::take(&mut buffers.one);
        records.select((0..records.len()).filter(answered), places, &mut one);
        let answers = Records::Walked { body: records.body(), spans: &one, fields: places.len() };
        let more = reverse.write(&answers, places, rows, tables, buffers, Some(Biflow::Reverse));
        buffers.one = one;
        assumed + more
    }

    fn is_quiet(&self, records: &Records<'_>, row: usize, counters: &[Field]) -> bool {
        counters.iter().all(|&field| ipfix::is_zero(records.cell(row, field)))
    }
}

impl Face {
    fn write(
        &self,
        records: &Records<'_>,
        places: &[Field],
        rows: &Rows<'_>,
        tables: &mut Tables,
        buffers: &mut Buffers,
        biflow: Option<Biflow>,
    ) -> u64 {
        if records.len() == 0 {
            return 0;
        }
        let builder = tables.of(self.table);
        if self.packet.is_none() && self.lists.is_empty() {
            let assumed = self.write_columns(records, rows, builder, buffers, biflow);
            builder.advance(records.len());
            return assumed;
        }
        let is_free = |column| !self.columns.iter().any(|fill| fill.column == column);
        // What a packet or a list knows differs from record to record, so that these go one by one.
        let (mut assumed, mut spans) = (0, Spans::new());
        for row in 0..records.len() {
            records.select(std::iter::once(row), places, &mut spans);
            let record = Records::Walked { body: records.body(), spans: &spans, fields: places.len() };
            assumed += self.write_columns(&record, rows, builder, buffers, biflow);
            let taken = self.lists.write(&record, &rows.meaning, is_free, builder, &mut buffers.text);
            if let Some(section) = self.packet {
                let bytes = section.bytes(&record, 0);
                let packet = Packet::parse(section.layer(&record, 0), bytes);
                let is_free = |column| is_free(column) && !taken.contains(&column);
                packets::write(&packet, bytes, builder, is_free);
                // A record that counts nothing is a sample of one packet.
                if self.table == Table::Flows && is_free(Column::Packets) && is_free(Column::Bytes) {
                    let l3 = packet.ip_total_length.map(u64::from);
                    builder.u64(Column::Packets).push(1);
                    builder.u64(Column::Bytes).push_option(section.size(&record, 0).or(l3));
                    builder.u64(Column::BytesL3).push_option(l3);
                }
            }
            builder.advance(1);
        }
        assumed
    }

    fn write_columns(
        &self,
        records: &Records<'_>,
        rows: &Rows<'_>,
        builder: &mut Builder,
        buffers: &mut Buffers,
        biflow: Option<Biflow>,
    ) -> u64 {
        let count = records.len();
        rows.context.write(builder, count);
        let assumed = self.times.write(records, &rows.frame, builder, &mut buffers.times);
        if let Some(direction) = biflow {
            builder.word(Column::Biflow).push_run(direction as i32, count);
        }
        for fill in &self.columns {
            columns::write(fill, records, builder, &mut buffers.text);
        }
        if !self.extras.is_empty() {
            let cells = builder.map(Column::Extra);
            extras::write(&self.extras, records, &rows.meaning, cells, &mut buffers.text);
        }
        rates::write(&self.rates, records, &rows.rates, builder);
        assumed
    }
}
