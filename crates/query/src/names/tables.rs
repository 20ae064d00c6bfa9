//! The tables of names: `interfaces`, `samplers`, `vrfs`, `applications`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewBuilder, RecordBatch, RecordBatchOptions, StringViewBuilder, TimestampNanosecondBuilder,
    UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use finderscope_flow::{SamplingParameters, registry};

use super::facts::Fact;
use super::known::{Facts, INTERFACE_NAMES, Known, Octets, Port, Subject, Teller};

/// A table of names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NameTable {
    Interfaces,
    Samplers,
    Vrfs,
    Applications,
}

impl NameTable {
    pub(crate) const ALL: [Self; 4] = [Self::Interfaces, Self::Samplers, Self::Vrfs, Self::Applications];

    /// The name in SQL.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Interfaces => "interfaces",
            Self::Samplers => "samplers",
            Self::Vrfs => "vrfs",
            Self::Applications => "applications",
        }
    }

    const fn columns(self) -> &'static [(&'static str, Cells)] {
        use Cells::{Address, Number, Text, Time, U32};
        match self {
            Self::Interfaces => &[
                ("exporter_address", Address),
                ("sampler_address", Address),
                ("if_index", U32),
                ("name", Text),
                ("alias", Text),
                ("if_speed", Number),
                ("if_type", U32),
                ("if_status", U32),
                ("valid_from", Time),
                ("last_told", Time),
            ],
            Self::Samplers => &[
                ("exporter_address", Address),
                ("observation_domain_id", U32),
                ("sampler_id", Number),
                ("if_index", U32),
                ("template_id", U32),
                ("name", Text),
                ("algorithm", Text),
                ("sampling_rate", Number),
                ("valid_from", Time),
                ("last_told", Time),
            ],
            Self::Vrfs => &[
                ("exporter_address", Address),
                ("vrf_id", U32),
                ("name", Text),
                ("valid_from", Time),
                ("last_told", Time),
            ],
            Self::Applications => &[
                ("exporter_address", Address),
                ("application_id", Text),
                ("name", Text),
                ("description", Text),
                ("category", Text),
                ("valid_from", Time),
                ("last_told", Time),
            ],
        }
    }

    pub(crate) fn schema(self) -> SchemaRef {
        let field = |&(name, cells): &(&str, Cells)| Field::new(name, cells.data_type(), true);
        Arc::new(Schema::new(self.columns().iter().map(field).collect::<Vec<_>>()))
    }
}

#[derive(Clone, Copy, Debug)]
enum Cells {
    Address,
    U32,
    Number,
    Text,
    Time,
}

impl Cells {
    fn data_type(self) -> DataType {
        match self {
            Self::Address => DataType::BinaryView,
            Self::U32 => DataType::UInt32,
            Self::Number => DataType::UInt64,
            Self::Text => DataType::Utf8View,
            Self::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        }
    }
}

/// One cell.
enum Cell<'a> {
    Address(&'a [u8]),
    Number(Option<u64>),
    Text(Option<&'a str>),
    Time(i64),
}

/// The rows of a table, by exporter and number.
pub(crate) fn table(table: NameTable, known: &Known) -> Result<RecordBatch, ArrowError> {
    let facts = &known.facts;
    let rows = match table {
        NameTable::Interfaces => interfaces(facts),
        NameTable::Samplers => facts.told.iter().filter_map(sampler).collect(),
        NameTable::Vrfs => facts.told.iter().filter_map(vrf).collect(),
        NameTable::Applications => facts.told.iter().filter_map(application).collect(),
    };
    let columns = table.columns().iter().enumerate();
    let columns = columns.map(|(at, (_, cells))| column(*cells, rows.iter().filter_map(|row| row.get(at)))).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(table.schema(), columns, &options)
}

fn column<'a>(cells: Cells, values: impl Iterator<Item = &'a Cell<'a>>) -> ArrayRef {
    let number = |cell: &Cell<'_>| if let Cell::Number(number) = cell { *number } else { None };
    match cells {
        Cells::Address => {
            let mut column = BinaryViewBuilder::new();
            values.for_each(|cell| column.append_option(if let Cell::Address(it) = cell { Some(*it) } else { None }));
            Arc::new(column.finish())
        }
        Cells::Text => {
            let mut column = StringViewBuilder::new();
            values.for_each(|cell| column.append_option(if let Cell::Text(text) = cell { *text } else { None }));
            Arc::new(column.finish())
        }
        Cells::U32 => {
            let mut column = UInt32Builder::new();
            values.for_each(|cell| column.append_option(number(cell).and_then(|number| u32::try_from(number).ok())));
            Arc::new(column.finish())
        }
        Cells::Number => {
            let mut column = UInt64Builder::new();
            values.for_each(|cell| column.append_option(number(cell)));
            Arc::new(column.finish())
        }
        Cells::Time => {
            let mut column = TimestampNanosecondBuilder::new().with_data_type(cells.data_type());
            values.for_each(|cell| column.append_option(if let Cell::Time(ns) = cell { Some(*ns) } else { None }));
            Arc::new(column.finish())
        }
    }
}

type Told<'a> = (&'a (Teller, Subject), &'a BTreeMap<String, Fact>);

/// Since when all of these stand, and when one of them was last told.
fn times<'a>(facts: impl Iterator<Item = &'a Fact>) -> Option<[Cell<'static>; 2]> {
    let times = facts.map(|fact| (fact.valid_from_ns(), fact.last_ns));
    let (from, last) = times.reduce(|one, other| (one.0.max(other.0), one.1.max(other.1)))?;
    Some([Cell::Time(from), Cell::Time(last)])
}

fn text<'a>(elements: &'a BTreeMap<String, Fact>, names: &[&str]) -> Cell<'a> {
    Cell::Text(names.iter().find_map(|name| elements.get(*name)).map(|fact| fact.value.as_str()))
}

/// An interface's names, and what its counters say.
type Interface<'a> = (Option<&'a BTreeMap<String, Fact>>, Option<&'a Port>);
type InterfaceKey<'a> = (&'a Octets, &'a Octets, u64);

fn interfaces(facts: &Facts) -> Vec<Vec<Cell<'_>>> {
    let mut all: BTreeMap<InterfaceKey<'_>, Interface<'_>> = BTreeMap::new();
    for ((teller, subject), elements) in &facts.told {
        if let Subject::Interface(index) = subject
            && INTERFACE_NAMES.iter().any(|name| elements.contains_key(*name))
        {
            all.entry((&teller.exporter, &teller.sampler, *index)).or_default().0 = Some(elements);
        }
    }
    for ((exporter, sampler, index), port) in &facts.ports {
        all.entry((exporter, sampler, (*index).into())).or_default().1 = Some(port);
    }
    all.into_iter().filter_map(interface).collect()
}

fn interface<'a>(
    ((exporter, sampler, index), (elements, port)): (InterfaceKey<'a>, Interface<'a>),
) -> Option<Vec<Cell<'a>>> {
    let names = INTERFACE_NAMES.iter().filter_map(|name| elements?.get(*name));
    // Speeds have no history: an interface without names stands since it was first counted.
    let counted = port.map(|port| [Cell::Time(port.first_ns), Cell::Time(port.last_ns)]);
    let [from, last] = times(names).or(counted)?;
    let text = |names: &[&str]| elements.map_or(Cell::Text(None), |elements| text(elements, names));
    let port = port.copied().unwrap_or_default();
    Some(vec![
        Cell::Address(exporter),
        Cell::Address(sampler),
        Cell::Number(Some(index)),
        text(&["interfaceName", "port_name"]),
        text(&["interfaceDescription"]),
        Cell::Number(port.speed),
        Cell::Number(port.kind.map(u64::from)),
        Cell::Number(port.status.map(u64::from)),
        from,
        last,
    ])
}

fn sampler<'a>(((teller, subject), elements): Told<'a>) -> Option<Vec<Cell<'a>>> {
    let (id, interface, template) = match subject {
        Subject::Sampler(id) => (Some(*id), None, None),
        Subject::Interface(index) => (None, Some(*index), None),
        Subject::Template(id) => (None, None, Some(*id)),
        Subject::Exporter => (None, None, None),
        _ => return None,
    };
    let mut way = SamplingParameters::default();
    let mut algorithm = None;
    for (name, fact) in elements {
        let Some(element) = registry::by_name(name) else { continue };
        way.element(element.id, || fact.value.parse().ok(), || fact.value.parse().ok());
        algorithm = algorithm.or_else(|| self::algorithm(element.id, &fact.value));
    }
    let rate = way.rate();
    if id.is_none() && rate.is_none() {
        return None;
    }
    let is_sampling = |name: &&String| !INTERFACE_NAMES.contains(&name.as_str());
    let [from, last] = times(elements.iter().filter(|(name, _)| is_sampling(name)).map(|(_, fact)| fact))?;
    Some(vec![
        Cell::Address(&teller.exporter),
        Cell::Number(Some(teller.domain.into())),
        Cell::Number(id),
        Cell::Number(interface),
        Cell::Number(template),
        text(elements, &["samplerName", "selectorName"]),
        Cell::Text(algorithm),
        Cell::Number(rate),
        from,
        last,
    ])
}

/// What IANA calls an algorithm (304), or RFC 3954 (35 and 49).
fn algorithm(element: u16, value: &str) -> Option<&'static str> {
    match (element, value) {
        (35 | 49, "1") => Some("deterministic"),
        (35 | 49, "2") => Some("random"),
        (304, number) => registry::value_name(304, number.parse().ok()?),
        _ => None,
    }
}

fn vrf<'a>(((teller, subject), elements): Told<'a>) -> Option<Vec<Cell<'a>>> {
    let Subject::Vrf(id) = subject else { return None };
    let [from, last] = times(elements.values())?;
    Some(vec![Cell::Address(&teller.exporter), Cell::Number(Some(*id)), text(elements, &["VRFname"]), from, last])
}

fn application<'a>(((teller, subject), elements): Told<'a>) -> Option<Vec<Cell<'a>>> {
    let Subject::Application(id) = subject else { return None };
    let [from, last] = times(elements.values())?;
    Some(vec![
        Cell::Address(&teller.exporter),
        Cell::Text(Some(id)),
        text(elements, &["applicationName"]),
        text(elements, &["applicationDescription"]),
        text(elements, &["applicationCategoryName"]),
        from,
        last,
    ])
}
