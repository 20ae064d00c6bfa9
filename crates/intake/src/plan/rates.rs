//! The sampling rate of each record.

use finderscope_flow::{Builder, Column, SamplingParameters, SamplingSource};
use finderscope_wire::ipfix;

use super::key::Direction;
use super::slot::Slot;
use crate::cells::{Field, Records};
use crate::sampling::{Clues, Lookup, Rate, overridden, parameter};

/// Fields of a record that say how it was sampled, or by which its rate is looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateFields {
    /// What the record says itself.
    own: Vec<(u16, Field)>,
    selector: Option<Field>,
    sequence: Option<Field>,
    ingress: Option<Field>,
    egress: Option<Field>,
    direction: Option<Field>,
}

/// flowDirection's word for egress.
const EGRESS: u64 = 1;

impl RateFields {
    /// Those of a record's fields.
    pub(super) fn of(slots: &[Slot]) -> Self {
        let find = |element: u16| {
            slots.iter().find(|slot| slot.element() == Some((element, Direction::Forward))).map(|slot| slot.field)
        };
        Self {
            own: SamplingParameters::ELEMENTS
                .into_iter()
                .filter_map(|element| Some((element, find(element)?)))
                .collect(),
            selector: find(302).or_else(|| find(48)),
            sequence: find(301),
            ingress: find(10).or_else(|| find(252)),
            egress: find(14).or_else(|| find(253)),
            direction: find(61),
        }
    }

    /// Whether every record has the rate of its domain.
    fn is_silent(&self, lookup: &Lookup<'_>) -> bool {
        let interface = self.ingress.is_some() || self.egress.is_some();
        let names = self.selector.is_some() || self.sequence.is_some() || (interface && lookup.by_interface());
        (self.own.is_empty() && !names) || overridden(lookup.config).is_some()
    }

    /// What the record says of itself. An interval of 0 says nothing of it: others may know.
    fn own(&self, records: &Records<'_>, row: usize) -> Option<u64> {
        let mut way = SamplingParameters::default();
        for &(element, field) in &self.own {
            let bytes = records.cell(row, field);
            if !(matches!(element, 34 | 50) && ipfix::is_zero(bytes)) {
                parameter(&mut way, element, bytes);
            }
        }
        way.rate()
    }

    /// The rate of one record.
    pub(super) fn rate(&self, records: &Records<'_>, row: usize, lookup: &Lookup<'_>) -> Option<u64> {
        let own = if overridden(lookup.config).is_some() { None } else { self.own(records, row) };
        own.or_else(|| lookup.rate(&self.clues(records, row)).map(|(rate, _)| rate))
    }

    /// What says where a packet came in, and where it went out.
    pub(super) const fn interfaces(&self) -> [Option<Field>; 2] {
        [self.ingress, self.egress]
    }

    fn clues(&self, records: &Records<'_>, row: usize) -> Clues {
        let value = |field: Option<Field>| field.and_then(|field| ipfix::unsigned(records.cell(row, field)));
        let (ingress, egress) = (value(self.ingress), value(self.egress));
        let seen_leaving = value(self.direction) == Some(EGRESS);
        Clues {
            selector: value(self.selector),
            sequence: value(self.sequence),
            interfaces: if seen_leaving { [egress, ingress] } else { [ingress, egress] },
        }
    }
}

/// Writes `sampling_rate` and `sampling_source`. What holds for all records of a set is found once.
pub(super) fn write(fields: &RateFields, records: &Records<'_>, lookup: &Lookup<'_>, builder: &mut Builder) {
    let mut last = (Clues::default(), lookup.rate(&Clues::default()));
    if fields.is_silent(lookup) {
        return write_run(builder, last.1, records.len());
    }
    let rates = |row| {
        if let Some(rate) = fields.own(records, row) {
            return Some((rate, SamplingSource::Record));
        }
        let clues = fields.clues(records, row);
        if clues != last.0 {
            last = (clues, lookup.rate(&clues));
        }
        last.1
    };
    let rates: Vec<Rate> = (0..records.len()).map(rates).collect();
    let cells = builder.u64(Column::SamplingRate);
    for rate in &rates {
        cells.push_option(rate.map(|(rate, _)| rate));
    }
    let cells = builder.word(Column::SamplingSource);
    for rate in &rates {
        cells.push_option(rate.map(|(_, source)| source as i32));
    }
}

/// The same rate for all rows. A rate that is not known leaves the cells to be nulls.
pub(crate) fn write_run(builder: &mut Builder, rate: Rate, rows: usize) {
    if let Some((rate, source)) = rate {
        builder.u64(Column::SamplingRate).push_run(rate, rows);
        builder.word(Column::SamplingSource).push_run(source as i32, rows);
    }
}
