//! Columns from records in lists: what YAF says of TCP and Ethernet, it says in a list of sub-templates.
//!
//! The first record of each part of a list fills what neither a field of its own nor an earlier part has filled. What a
//! list says is all in `extra` too, since a list may hold more than one row has room for.

use finderscope_flow::registry::DataType;
use finderscope_flow::{Builder, Column};
use finderscope_wire::Reader;
use finderscope_wire::ipfix::{SubTemplateList, SubTemplateMultiList};

use super::columns;
use crate::cells::{self, Field, Records, Spans};
use crate::structured::Meaning;

/// Lists of records in a row, and which direction of theirs the row is.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    pub(super) fields: Vec<(Field, DataType)>,
    pub(super) reverse: bool,
}

impl Lists {
    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Writes one cell into each column that is free and that a list of the one record fills. Says which those are.
    pub(super) fn write(
        &self,
        record: &Records<'_>,
        meaning: &Meaning<'_>,
        is_free: impl Fn(Column) -> bool,
        builder: &mut Builder,
        buffer: &mut String,
    ) -> Vec<Column> {
        let mut taken = Vec::new();
        for &(field, data_type) in &self.fields {
            for (template, records) in parts(data_type, record.cell(0, field)) {
                self.part(template, records, meaning, &is_free, builder, buffer, &mut taken);
            }
        }
        taken
    }

    #[expect(clippy::too_many_arguments, reason = "what a part is read with is what a row is written with")]
    fn part(
        &self,
        template: u16,
        records: Reader<'_>,
        meaning: &Meaning<'_>,
        is_free: impl Fn(Column) -> bool,
        builder: &mut Builder,
        buffer: &mut String,
        taken: &mut Vec<Column>,
    ) {
        let Some(known) = meaning.templates.and_then(|templates| templates.get(template)) else { return };
        let plan = &known.plan;
        let fills = &plan.lifted()[usize::from(self.reverse)];
        let mut spans = Spans::new();
        if fills.is_empty() || cells::walk(records, &plan.places, &mut spans).records == 0 {
            return;
        }
        spans.truncate(plan.places.len());
        let first = Records::Walked { body: records.rest(), spans: &spans, fields: plan.places.len() };
        for fill in fills {
            if is_free(fill.column) && fill.column.is_in(builder.table()) && !taken.contains(&fill.column) {
                columns::write(fill, &first, builder, buffer);
                taken.push(fill.column);
            }
        }
    }
}

/// Templates and their records, as far as the list is sound.
fn parts(data_type: DataType, bytes: &[u8]) -> impl Iterator<Item = (u16, Reader<'_>)> {
    let reader = Reader::new(bytes);
    let multi = data_type == DataType::SubTemplateMultiList;
    let one = if multi { None } else { SubTemplateList::read(reader).ok() };
    let many = if multi { SubTemplateMultiList::read(reader).ok() } else { None };
    let one = one.into_iter().map(|list| (list.template, list.records));
    one.chain(many.into_iter().flat_map(|list| list.parts()).map_while(Result::ok))
}
