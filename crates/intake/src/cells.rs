//! Where the fields of a set's records lie: a stride over the set's body, or spans that were found by walking.
//!
//! With a stride nothing is kept per record, and a column is copied out by a loop over chunks whose step and width the
//! compiler knows. Where a field's length varies, or only some records are wanted, [`Spans`] holds start and length of
//! each field of each record, in a buffer that is used again.

use finderscope_wire::{Problem, Reader, WireError, ipfix};

/// A field of a template: its place in every record. Fields without length have none and are not among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Field {
    /// Which field with length it is, from 0.
    pub(crate) index: u16,
    /// Bytes before it, where no field varies.
    pub(crate) offset: u32,
    /// Bytes, or [`ipfix::VARIABLE`].
    pub(crate) length: u16,
}

/// Records of a set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Records<'a> {
    /// Each takes `stride` bytes; the body holds whole records only.
    Strided { body: &'a [u8], stride: usize },
    /// Each has `fields` spans.
    Walked { body: &'a [u8], spans: &'a [Span], fields: usize },
}

/// Start and length of a field within the body. A set is shorter than 64 KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u32,
    length: u32,
}

/// Spans of all fields of all records, record by record.
pub(crate) type Spans = Vec<Span>;

impl<'a> Records<'a> {
    /// How many records there are.
    pub(crate) const fn len(&self) -> usize {
        match *self {
            Self::Strided { body, stride } => body.len() / stride,
            Self::Walked { spans, fields, .. } => spans.len() / fields,
        }
    }

    /// One field of one record.
    pub(crate) fn cell(&self, row: usize, field: Field) -> &'a [u8] {
        let (body, start, length) = match *self {
            Self::Strided { body, stride } => (body, row * stride + field.offset as usize, usize::from(field.length)),
            Self::Walked { body, spans, fields } => {
                let Some(span) = spans.get(row * fields + usize::from(field.index)) else { return &[] };
                (body, span.start as usize, span.length as usize)
            }
        };
        body.get(start..start + length).unwrap_or_default()
    }

    /// One field of every record.
    pub(crate) fn cells(&self, field: Field) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let records = *self;
        (0..records.len()).map(move |row| records.cell(row, field))
    }

    /// One field of every record, where it has `N` bytes in all of them and lies at a stride.
    pub(crate) fn arrays<const N: usize>(
        &self,
        field: Field,
    ) -> Option<impl ExactSizeIterator<Item = [u8; N]> + use<'a, N>> {
        let Self::Strided { body, stride } = *self else { return None };
        let start = field.offset as usize;
        if usize::from(field.length) != N || start + N > stride {
            return None;
        }
        // That the field is within its record is the same for all of them, which the compiler sees: nothing but a load
        // is left for each.
        let cell = move |record: &[u8]| record.get(start..start + N).and_then(|cell| cell.try_into().ok());
        Some(body.chunks_exact(stride).map(move |record| cell(record).unwrap_or([0; N])))
    }

    /// Some of the records, as spans.
    pub(crate) fn select(&self, rows: impl Iterator<Item = usize>, lengths: &[Field], out: &mut Spans) {
        out.clear();
        match *self {
            Self::Strided { stride, .. } => {
                for row in rows {
                    let start = (row * stride) as u32;
                    out.extend(
                        lengths.iter().map(|field| Span { start: start + field.offset, length: field.length.into() }),
                    );
                }
            }
            Self::Walked { spans, fields, .. } => {
                for row in rows {
                    out.extend_from_slice(spans.get(row * fields..(row + 1) * fields).unwrap_or_default());
                }
            }
        }
    }

    /// The bytes that all records are in.
    pub(crate) const fn body(&self) -> &'a [u8] {
        match *self {
            Self::Strided { body, .. } | Self::Walked { body, .. } => body,
        }
    }
}

/// What a body holds: how many records, how many of them zeros at its end, and what stopped the walk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Walk {
    pub(crate) records: usize,
    pub(crate) padding: usize,
    pub(crate) error: Option<WireError>,
}

/// Counts records of one length. The rest after the last whole one is padding; so are records of zeros before it.
pub(crate) fn stride(body: &[u8], stride: usize) -> Walk {
    let (mut records, mut padding) = (body.len() / stride, 0);
    while records > 0 && ipfix::is_zero(&body[(records - 1) * stride..records * stride]) {
        (records, padding) = (records - 1, padding + 1);
    }
    Walk { records, padding, error: None }
}

/// Finds the fields of records whose lengths vary. `fields` are those with length, of which there is at least one.
pub(crate) fn walk(body: Reader<'_>, fields: &[Field], out: &mut Spans) -> Walk {
    out.clear();
    let shortest = ipfix::shortest(fields.iter().map(|field| field.length));
    let mut walk = Walk::default();
    let (mut rest, start) = (body, body.offset());
    while rest.len() >= shortest && !rest.is_empty() {
        let before = (rest, out.len());
        if let Err(error) = record(&mut rest, start, fields, out) {
            out.truncate(before.1);
            walk.error = Some(error);
            break;
        }
        walk.records += 1;
        let length = before.0.len() - rest.len();
        let zero = before.0.rest().get(..length).is_some_and(ipfix::is_zero);
        walk.padding = if zero { walk.padding + 1 } else { 0 };
    }
    // Before damage nothing is the end.
    if walk.error.is_some() {
        walk.padding = 0;
    }
    walk.records -= walk.padding;
    out.truncate(walk.records * fields.len());
    walk
}

fn record(rest: &mut Reader<'_>, start: usize, fields: &[Field], out: &mut Spans) -> Result<(), WireError> {
    if fields.is_empty() {
        return Err(rest.error("record", Problem::ZeroLength));
    }
    for field in fields {
        let bytes = match field.length {
            ipfix::VARIABLE => ipfix::variable_length(rest)?,
            fixed => rest.bytes("field", fixed.into())?,
        };
        let length = bytes.len() as u32;
        out.push(Span { start: (rest.offset() - start) as u32 - length, length });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lengths: &[u16]) -> Vec<Field> {
        let mut offset = 0;
        let field = |(index, &length): (usize, &u16)| {
            let field = Field { index: index as u16, offset, length };
            offset += u32::from(length);
            field
        };
        lengths.iter().enumerate().map(field).collect()
    }

    #[test]
    fn a_stride_and_a_walk_find_the_same_cells() {
        let body: Vec<u8> = (1..=23).collect();
        let fields = fields(&[2, 1, 4]);
        let strided = Records::Strided { body: &body[..21], stride: 7 };
        let mut spans = Spans::new();
        let found = walk(Reader::at(&body, 40), &fields, &mut spans);
        assert_eq!((found.records, found.padding, found.error), (3, 0, None));
        let walked = Records::Walked { body: &body, spans: &spans, fields: 3 };
        for &field in &fields {
            assert_eq!(strided.cells(field).collect::<Vec<_>>(), walked.cells(field).collect::<Vec<_>>());
        }
        let fast: Vec<[u8; 4]> = strided.arrays(fields[2]).into_iter().flatten().collect();
        assert_eq!(fast, [[4, 5, 6, 7], [11, 12, 13, 14], [18, 19, 20, 21]]);
        assert!(strided.arrays::<2>(fields[2]).is_none());
        let mut chosen = Spans::new();
        strided.select([2, 0].into_iter(), &fields, &mut chosen);
        let chosen = Records::Walked { body: &body, spans: &chosen, fields: 3 };
        assert_eq!(chosen.cells(fields[1]).collect::<Vec<_>>(), [[17], [3]]);
    }

    #[test]
    fn only_records_of_zeros_at_the_end_are_padding() {
        let found = stride(&[0, 0, 1, 0, 0, 0, 0, 0, 9], 2);
        assert_eq!((found.records, found.padding), (2, 2));
        let fields = fields(&[ipfix::VARIABLE, 1]);
        let mut spans = Spans::new();
        let found = walk(Reader::new(&[0, 0, 1, 7, 0, 0, 0, 0, 0, 0]), &fields, &mut spans);
        assert_eq!((found.records, found.padding, found.error), (2, 2, None));
    }

    #[test]
    fn a_record_that_reaches_beyond_its_set_costs_itself_alone() {
        let fields = fields(&[ipfix::VARIABLE, 2]);
        let mut spans = Spans::new();
        let body = [1, 9, 1, 2, 200, 1, 2, 3];
        let found = walk(Reader::at(&body, 100), &fields, &mut spans);
        assert_eq!((found.records, spans.len()), (1, 2));
        assert_eq!(found.error.map(|error| error.offset), Some(105));
    }
}
