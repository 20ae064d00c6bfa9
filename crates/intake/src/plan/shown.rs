//! Packet sections as an onlooker gets them: the bytes, and what the record around them says of the packet.

use finderscope_wire::ipfix;

use super::{DataPlan, Face, Rows};
use crate::cells::{Field, Records};
use crate::watch::{PacketSection, Watch};

impl DataPlan {
    /// Hands the packet of each record to `watch`, where records have packets and it wants them.
    pub(crate) fn show(&self, records: &Records<'_>, rows: &Rows<'_>, watch: &mut dyn Watch) {
        let Some(face) = self.flow.as_ref().or(self.event.as_ref()) else { return };
        if face.packet.is_some() && watch.wants_packets() {
            face.show(records, rows, watch);
        }
    }
}

impl Face {
    #[cold]
    fn show(&self, records: &Records<'_>, rows: &Rows<'_>, watch: &mut dyn Watch) {
        let Some(section) = &self.packet else { return };
        for row in 0..records.len() {
            let bytes = section.bytes(records, row);
            if bytes.is_empty() {
                continue;
            }
            let number = |field| field_number(records, row, field);
            let [input, output] = self.rates.interfaces();
            watch.packet(&PacketSection {
                received_ns: rows.context.received_ns,
                exporter: rows.context.exporter,
                protocol: rows.context.protocol,
                domain: rows.context.domain,
                layer: section.layer(records, row),
                frame_length: section.size(records, row),
                input: number(input),
                output: number(output),
                sampling_rate: self.rates.rate(records, row, &rows.rates),
                bytes,
            });
        }
    }
}

fn field_number(records: &Records<'_>, row: usize, field: Option<Field>) -> Option<u32> {
    ipfix::unsigned(records.cell(row, field?)).and_then(|number| u32::try_from(number).ok())
}
