//! Plans: a template compiled once into what has to be done with each of its sets.
//!
//! A [`Plan`] has a [`Face`] for each kind of row that its records can become: a flow, its reverse, an event. A face
//! lists columns, and for each the field or fields that fill it and how. Plans are interned by what the template says,
//! so that ten thousand exporters of one vendor share one, and are never changed once made.

mod columns;
mod compile;
mod draft;
mod extras;
mod face;
mod inner;
mod key;
mod lists;
mod packets;
mod rates;
mod sections;
mod shown;
mod slot;
mod times;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use finderscope_flow::registry::{Conversion, DataType};
use finderscope_flow::{Column, Table};
use finderscope_wire::ipfix::{Dialect, FieldSpecifier, ScopeKind, TemplateKind, TemplateRecord};
use finderscope_wire::netflow::fixed;

use crate::cells::Field;
use crate::mapping::MapRule;
use crate::template::Layout;

pub(crate) use columns::put_application;
pub use extras::field_name;
pub(crate) use extras::{put, put_scope};
pub(crate) use face::{Buffers, Rows};
pub(crate) use packets::{mac, write as write_packet};
pub(crate) use rates::write_run as write_rate;
use sections::Section;
pub(crate) use times::{Frame, TimeBuffers, Times, write_run as write_moment, write_uptimes};

/// What is done with the records of a template.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What the template says.
    pub(crate) layout: Layout,
    /// All its fields in order, scope first.
    pub(crate) fields: Vec<FieldSpecifier>,
    /// Fields that have length, in order.
    pub(crate) places: Vec<Field>,
    /// Bytes of every record, where no field varies.
    pub(crate) stride: Option<usize>,
    pub(crate) work: Work,
    /// Its fields with their names; only made where records of it stand in lists.
    named: OnceLock<Vec<Named>>,
    /// What a record of it in a list gives to the row around it, and to that of the other direction.
    lifted: OnceLock<[Vec<Fill>; 2]>,
}

/// What the records become.
#[derive(Debug)]
pub(crate) enum Work {
    /// Rows of flows or events.
    Data(Box<DataPlan>),
    /// Rows of options, and what they tell us about the exporter.
    Options(Vec<Named>),
}

/// A field with its name.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) field: Field,
    /// IANA's number, where it is IANA's.
    pub(crate) element: Option<u16>,
    pub(crate) scope: bool,
    /// What kind of NetFlow v9 scope it is.
    pub(crate) v9_scope: Option<ScopeKind>,
    pub(crate) name: String,
    pub(crate) data_type: Option<DataType>,
    /// Enterprise and number, where the registry has no name.
    pub(crate) unknown: Option<(u32, u16)>,
}

/// What becomes of data records.
#[derive(Debug)]
pub(crate) struct DataPlan {
    /// As flows, where records can be flows.
    pub(crate) flow: Option<Face>,
    /// As events, where records can be events.
    pub(crate) event: Option<Face>,
    /// The other direction, where records have two.
    pub(crate) reverse: Option<Face>,
    /// Counters of the forward direction or of both: where all are zero, a record that tells of an event is one.
    pub(crate) counters: Vec<Field>,
    /// Counters of the other direction: where all are zero, there is no row for it.
    pub(crate) reverse_counters: Vec<Field>,
}

/// One kind of row.
#[derive(Debug)]
pub(crate) struct Face {
    pub(crate) table: Table,
    pub(crate) columns: Vec<Fill>,
    pub(crate) times: Times,
    pub(crate) rates: rates::RateFields,
    pub(crate) extras: Vec<Named>,
    /// The first bytes of a packet, from which columns are filled that no field fills.
    pub(crate) packet: Option<Section>,
    /// Lists of records, from which columns are filled that no field fills.
    pub(crate) lists: lists::Lists,
}

/// How a column is filled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fill {
    pub(crate) column: Column,
    /// The first that is not zero counts; else the first.
    pub(crate) sources: Vec<(Field, Conversion)>,
}

impl Plan {
    /// Its fields with length, with their names.
    pub(crate) fn named(&self) -> &[Named] {
        self.named.get_or_init(|| compile::named_fields(&self.fields, &self.layout))
    }

    /// The columns that a record in a list fills: forward, reverse.
    pub(crate) fn lifted(&self) -> &[Vec<Fill>; 2] {
        self.lifted.get_or_init(|| compile::lifted(&self.fields, &self.layout))
    }

    /// Whether its records are data or options.
    pub(crate) const fn kind(&self) -> TemplateKind {
        if self.layout.options { TemplateKind::Options } else { TemplateKind::Data }
    }
}

/// Plans by what their templates say.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    known: HashMap<Layout, Arc<Plan>>,
    /// Those of layouts that never change, by version and aggregation.
    fixed: HashMap<(u16, u8), Arc<Plan>>,
    /// What the operator says about elements.
    rules: Vec<MapRule>,
    /// How many there may be before those that nobody uses are looked for.
    sweep_at: usize,
}

/// Plans below this number are not worth looking through.
const SWEEP_AT_MIN: usize = 1_024;

impl Plans {
    /// Compiles by these rules from now on. Says whether plans that were made before are out of date.
    pub(crate) fn follow(&mut self, rules: &[MapRule]) -> bool {
        if self.rules == rules {
            return false;
        }
        self.rules = rules.to_vec();
        self.known.clear();
        true
    }

    /// The plan of a template record that states something.
    pub(crate) fn of(&mut self, record: &TemplateRecord<'_>) -> Arc<Plan> {
        self.compiled(Layout::of(record), record.dialect, || record.fields().collect())
    }

    /// The plan of a layout from the saved state.
    pub(crate) fn restored(&mut self, layout: Layout, fields: Vec<FieldSpecifier>) -> Arc<Plan> {
        let dialect = layout.dialect.into();
        self.compiled(layout, dialect, || fields)
    }

    /// The plan of a layout that no template tells.
    pub(crate) fn fixed(&mut self, layout: &fixed::Layout) -> Arc<Plan> {
        let plan = self.fixed.entry((layout.version, layout.aggregation));
        Arc::clone(plan.or_insert_with(|| Arc::new(compile::fixed(layout))))
    }

    fn compiled(
        &mut self,
        layout: Layout,
        dialect: Dialect,
        fields: impl FnOnce() -> Vec<FieldSpecifier>,
    ) -> Arc<Plan> {
        if let Some(plan) = self.known.get(&layout) {
            return Arc::clone(plan);
        }
        if self.known.len() >= self.sweep_at.max(SWEEP_AT_MIN) {
            self.known.retain(|_, plan| Arc::strong_count(plan) > 1);
            self.sweep_at = 2 * self.known.len();
        }
        let plan = Arc::new(compile::plan(layout.clone(), dialect, fields(), &self.rules));
        self.known.insert(layout, Arc::clone(&plan));
        plan
    }
}
