//! What a question uses beyond what is stored: columns of names, columns that the user declared, tables of names.
//!
//! Names are gathered, and such columns are there, only for questions that use them: so they cost nothing else anything,
//! and `select *` is what is stored.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Ident, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind, Statement, TableFactor,
    TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use finderscope_flow::{Column, Table};

use crate::columns::Key;
use crate::names::{Name, NameTable, UserColumn};

/// What a question uses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    pub(crate) names: BTreeSet<Name>,
    pub(crate) tables: Vec<NameTable>,
    pub(crate) user: Vec<UserColumn>,
}

impl Uses {
    /// What a statement's words name, and what a statement that tells about tables must show.
    pub(crate) fn of_sql(text: &str, statement: &Statement, user: &[UserColumn]) -> Self {
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize().unwrap_or_default();
        let words = tokens.into_iter().filter_map(|token| match token {
            Token::Word(word) if word.quote_style.is_some() => Some(word.value),
            Token::Word(word) => Some(word.value.to_ascii_lowercase()),
            _ => None,
        });
        let words: BTreeSet<String> = words.collect();
        let tells = words.contains("information_schema")
            || matches!(statement, Statement::ExplainTable { .. } | Statement::ShowColumns { .. });
        Self {
            names: Name::ALL.iter().copied().filter(|name| tells || words.contains(name.name())).collect(),
            tables: NameTable::ALL.into_iter().filter(|table| words.contains(table.name())).collect(),
            user: user.iter().filter(|column| tells || words.contains(&column.name)).cloned().collect(),
        }
    }

    /// What keys and conditions use.
    pub(crate) fn of<'a>(keys: impl Iterator<Item = &'a str>, condition: Option<&Expr>, user: &[UserColumn]) -> Self {
        let mut used: BTreeSet<String> = keys.map(str::to_owned).collect();
        used.extend(condition.iter().flat_map(|condition| condition.column_refs()).map(|column| column.name.clone()));
        Self {
            names: Name::ALL.iter().copied().filter(|name| used.contains(name.name())).collect(),
            tables: Vec::new(),
            user: user.iter().filter(|column| used.contains(&column.name)).cloned().collect(),
        }
    }

    /// The same, and what a filter uses.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.names.extend(other.names);
        self.user.extend(other.user.into_iter().filter(|column| !self.user.contains(column)).collect::<Vec<_>>());
        self
    }

    /// Whether what exporters told has to be gathered.
    pub(crate) fn any_names(&self) -> bool {
        !self.names.is_empty() || !self.tables.is_empty()
    }

    /// The names of all columns that are there for this question alone.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let user = self.user.iter().map(|column| column.name.as_str());
        self.names.iter().map(|name| name.name()).chain(user)
    }

    /// Keeps `*` to what is stored: `select *, in_if_name` has the name once.
    pub(crate) fn keep_out_of_wildcards(&self, statement: &mut Statement) {
        let columns: Vec<ObjectName> =
            self.columns().map(|name| ObjectName::from(vec![Ident::with_quote('"', name)])).collect();
        if !columns.is_empty() {
            let _: ControlFlow<()> = statement.visit(&mut Wildcards { columns });
        }
    }
}

struct Wildcards {
    columns: Vec<ObjectName>,
}

impl VisitorMut for Wildcards {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let flows: Vec<String> = select.from.iter().flat_map(sources).collect();
        if flows.is_empty() {
            return ControlFlow::Continue(());
        }
        for item in &mut select.projection {
            match item {
                SelectItem::Wildcard(options) => self.exclude(options),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), options)
                    if flows.contains(&last(table)) =>
                {
                    self.exclude(options);
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

impl Wildcards {
    fn exclude(&self, options: &mut WildcardAdditionalOptions) {
        let mut all = self.columns.clone();
        match options.opt_exclude.take() {
            Some(ExcludeSelectItem::Single(one)) => all.push(one),
            Some(ExcludeSelectItem::Multiple(more)) => all.extend(more),
            None => {}
        }
        all.sort_by_key(last);
        all.dedup_by_key(|name| last(name));
        options.opt_exclude = Some(ExcludeSelectItem::Multiple(all));
    }
}

/// Under which names a select's source offers rows that describe traffic.
fn sources(from: &TableWithJoins) -> Vec<String> {
    let joined = from.joins.iter().map(|join| &join.relation);
    let of = |relation: &TableFactor| match relation {
        TableFactor::Table { name, alias, .. } if describes_traffic(&last(name)) => {
            Some(alias.as_ref().map_or_else(|| last(name), |alias| alias.name.value.to_ascii_lowercase()))
        }
        _ => None,
    };
    std::iter::once(&from.relation).chain(joined).filter_map(of).collect()
}

fn last(name: &ObjectName) -> String {
    name.0.last().map_or_else(String::new, |part| part.to_string().trim_matches('"').to_ascii_lowercase())
}

fn describes_traffic(table: &str) -> bool {
    Table::ALL.into_iter().any(|known| known.name() == table && Column::Bytes.is_in(known))
}

impl Key {
    /// The names of columns that questions about flows may use.
    pub(crate) fn names(user: &[UserColumn]) -> impl Iterator<Item = &str> {
        let stored = Table::Flows.columns().iter().map(|column| column.name());
        let names = Name::ALL.iter().map(|name| name.name());
        stored.chain(names).chain(user.iter().map(|column| column.name.as_str()))
    }
}
