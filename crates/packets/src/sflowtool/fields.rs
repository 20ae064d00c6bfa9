//! `-L`: columns of one's own choice, a line for each sample that has at least one of them.

use super::name::{Name, Suffix};
use super::value::Value;
use super::{Names, Part};

/// The fields that are wanted, and what they last were.
#[derive(Debug)]
pub struct Fields {
    columns: Vec<Column>,
    in_sample: bool,
    /// Something of this sample is wanted.
    matched: bool,
    damaged: bool,
    name: Vec<u8>,
}

#[derive(Debug)]
struct Column {
    name: String,
    value: Vec<u8>,
    of_sample: bool,
}

impl Fields {
    /// Columns by name, with blanks or commas between them. None where there is none.
    pub fn new(list: &str) -> Option<Self> {
        let names = list.split([' ', ',']).filter(|name| !name.is_empty());
        let column = |name: &str| Column { name: name.to_owned(), value: Vec::new(), of_sample: false };
        let columns: Vec<Column> = names.map(column).collect();
        let (in_sample, matched, damaged) = (false, false, false);
        (!columns.is_empty()).then_some(Self { columns, in_sample, matched, damaged, name: Vec::new() })
    }

    /// Writes to `out` from here on.
    pub const fn to<'o>(&'o mut self, out: &'o mut Vec<u8>) -> FieldsTo<'o> {
        FieldsTo { fields: self, out }
    }

    fn forget(&mut self, of_sample: bool) {
        self.columns.iter_mut().filter(|column| column.of_sample == of_sample).for_each(|column| column.value.clear());
        self.matched = false;
        self.damaged = false;
    }

    fn line(&self, out: &mut Vec<u8>) {
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&column.value);
        }
        out.push(b'\n');
    }
}

/// The form of these fields.
#[derive(Debug)]
pub struct FieldsTo<'o> {
    fields: &'o mut Fields,
    out: &'o mut Vec<u8>,
}

impl Names for FieldsTo<'_> {
    fn open(&mut self, part: Part) {
        match part {
            Part::Datagram => {
                self.fields.forget(false);
                self.fields.forget(true);
                self.fields.in_sample = false;
            }
            Part::Sample(_) => {
                self.fields.forget(true);
                self.fields.in_sample = true;
            }
            _ => {}
        }
    }

    fn close(&mut self, part: Part) {
        if matches!(part, Part::Sample(_)) {
            if self.fields.matched && !self.fields.damaged {
                self.fields.line(self.out);
            }
            self.fields.forget(true);
        }
    }

    fn damaged(&mut self) {
        self.fields.damaged = true;
    }

    #[inline]
    fn name(&mut self, name: &Name<'_>, value: &Value<'_>) {
        let Fields { columns, in_sample, matched, name: full, .. } = &mut *self.fields;
        let plain = !name.discarded && name.prefix.is_empty() && matches!(name.suffix, Suffix::None);
        if !plain {
            full.clear();
            name.write_text(full);
        }
        let said = if plain { name.base.as_bytes() } else { full };
        for column in columns.iter_mut().filter(|column| column.name.as_bytes() == said) {
            column.value.clear();
            value.write_text(&mut column.value);
            column.of_sample = *in_sample;
            *matched |= *in_sample;
        }
    }
}
