//! Templates: what exporters said their records look like (RFC 7011 section 8, RFC 3954 section 9).
//!
//! A template belongs to an exporter, a protocol version and a domain, and to its session on stream transports.
//! Data and options templates share one name space of ids. A new definition replaces the old at once; records that are
//! being decoded keep theirs, since plans are shared by reference count and never changed.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use finderscope_wire::ipfix::{TemplateKind, TemplateRecord};
use serde::{Deserialize, Serialize};

use crate::datagram::SavedDialect;
use crate::plan::{Plan, Plans};

/// What a template says, as it came: two that are equal mean the same.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Layout {
    pub(crate) dialect: SavedDialect,
    pub(crate) options: bool,
    pub(crate) scope: u16,
    pub(crate) specifiers: Vec<u8>,
}

impl Layout {
    pub(crate) fn of(record: &TemplateRecord<'_>) -> Self {
        Self {
            dialect: record.dialect.into(),
            options: record.kind == TemplateKind::Options,
            scope: record.scope as u16,
            specifiers: record.bytes().to_vec(),
        }
    }

    /// Whether `record` says the same.
    pub(crate) fn is(&self, record: &TemplateRecord<'_>) -> bool {
        self.specifiers == record.bytes()
            && usize::from(self.scope) == record.scope
            && self.dialect == record.dialect.into()
            && self.options == (record.kind == TemplateKind::Options)
    }
}

/// A template that is known.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) plan: Arc<Plan>,
    pub(crate) times: TemplateTimes,
}

/// When a template was seen.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct TemplateTimes {
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    /// How often its id got another meaning.
    pub(crate) redefined: u64,
}

/// The templates of one domain, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates {
    by_id: HashMap<u16, Template, BuildHasherDefault<OfId>>,
    fields: usize,
}

/// Spreads ids, of which exporters mostly use the first ones. There are too few of them for anybody to make many collide.
#[derive(Clone, Copy, Debug, Default)]
struct OfId(u64);

impl Hasher for OfId {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }

    fn write_u16(&mut self, id: u16) {
        self.0 = u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Templates {
    pub(crate) fn get(&self, id: u16) -> Option<&Template> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u16) -> Option<&mut Template> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Fields of all of them.
    pub(crate) const fn fields(&self) -> usize {
        self.fields
    }

    pub(crate) fn insert(&mut self, id: u16, template: Template) {
        self.fields += template.plan.fields.len();
        if let Some(replaced) = self.by_id.insert(id, template) {
            self.fields -= replaced.plan.fields.len();
        }
    }

    pub(crate) fn remove(&mut self, id: u16) -> Option<Template> {
        let removed = self.by_id.remove(&id)?;
        self.fields -= removed.plan.fields.len();
        Some(removed)
    }

    /// Takes away all data templates, or all options templates.
    pub(crate) fn remove_kind(&mut self, kind: TemplateKind) -> usize {
        let before = self.len();
        self.by_id.retain(|_, template| template.plan.kind() != kind);
        self.fields = self.by_id.values().map(|template| template.plan.fields.len()).sum();
        before - self.len()
    }

    /// Gives every template the plan that `plans` would make of it now.
    pub(crate) fn recompile(&mut self, plans: &mut Plans) {
        for template in self.by_id.values_mut() {
            template.plan = plans.restored(template.plan.layout.clone(), template.plan.fields.clone());
        }
    }

    /// In the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, &Template)> {
        let mut templates: Vec<(u16, &Template)> = self.by_id.iter().map(|(&id, template)| (id, template)).collect();
        templates.sort_unstable_by_key(|&(id, _)| id);
        templates.into_iter()
    }
}
