//! Names of what flows have by number: interfaces, samplers, VRFs and applications.
//!
//! Exporters tell them in options data and in sFlow's port names. [`Known`] is what was told, the newest by exporter and
//! number; it is gathered only for questions that use a name, over all that is stored, whatever the question's window is:
//! many exporters tell names once in half an hour. From it come the tables of names, and [`Name`], columns that flows have
//! when they are asked for. A column looks its number up in memory; no rows are joined.

mod facts;
mod gather;
mod known;
mod lookup;
mod tables;

use datafusion::logical_expr::{Expr, cast, col, lit};
use datafusion::prelude::coalesce;
use datafusion::scalar::ScalarValue;

pub(crate) use known::Known;
pub(crate) use tables::{NameTable, table};

use arrow::datatypes::DataType;

macro_rules! names {
    ($($variant:ident $name:literal $what:ident $number:literal $doc:literal;)*) => {
        /// A column that is looked up when it is asked for.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Name { $(#[doc = $doc] $variant,)* }

        impl Name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The column's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line on what it means.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// The column whose number it names.
            pub const fn number(self) -> &'static str {
                match self { $(Self::$variant => $number,)* }
            }

            const fn what(self) -> What {
                match self { $(Self::$variant => What::$what,)* }
            }
        }
    };
}

names! {
    InIfName "in_if_name" Interface "in_if" "Name of the interface that the packets came in by";
    OutIfName "out_if_name" Interface "out_if" "Name of the interface that the packets went out by";
    InIfAlias "in_if_alias" Alias "in_if" "What the operator of the device calls the interface that the packets came in by";
    OutIfAlias "out_if_alias" Alias "out_if" "What the operator of the device calls the interface that the packets went out by";
    SamplerName "sampler_name" Sampler "sampler_id" "Name of the sampler or selector that the record names";
    IngressVrfName "ingress_vrf_name" Vrf "ingress_vrf_id" "Name of the VRF that the packets came in by";
    EgressVrfName "egress_vrf_name" Vrf "egress_vrf_id" "Name of the VRF that the packets went out by";
    AppName "app_name" Application "app" "Name of the application, as the record or as options data say it";
}

/// What a name is of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum What {
    Interface,
    Alias,
    Sampler,
    Vrf,
    Application,
}

impl Name {
    /// The column of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name() == name)
    }

    /// The column's cells, looked up in what is known.
    pub(crate) fn expr(self, known: &Known) -> Expr {
        let number = match self.what() {
            What::Application => col(self.number()),
            _ => cast(col(self.number()), DataType::UInt64),
        };
        lookup::name_of(self.what(), known, number).alias(self.name())
    }

    /// What flows are grouped by: the number stands in where there is no name, so that the unnamed stay apart.
    pub(crate) fn group(self) -> Expr {
        coalesce(vec![col(self.name()), cast(col(self.number()), DataType::Utf8View)]).alias(self.name())
    }
}

/// A value that the program that keeps the store was told to take out of `extra`, as a column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserColumn {
    /// The column's name, under which `extra` has it.
    pub name: String,
    /// What its cells are.
    pub kind: UserKind,
}

/// What the cells of a [`UserColumn`] are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum UserKind {
    /// Text.
    #[default]
    Text,
    /// A whole number from 0.
    Number,
    /// A whole number that may be below 0.
    Signed,
    /// A number with a fraction.
    Float,
    /// True or false.
    Boolean,
    /// An IP address.
    Address,
}

impl UserKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Text, Self::Number, Self::Signed, Self::Float, Self::Boolean, Self::Address];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Signed => "signed",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Address => "address",
        }
    }

    /// The kind of that word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl UserColumn {
    /// The column's cells: null where `extra` lacks it, or has something else.
    pub(crate) fn expr(&self) -> Expr {
        let text = datafusion::functions::core::expr_fn::get_field(col("extra"), self.name.as_str());
        let text = datafusion::logical_expr::try_cast(text, DataType::Utf8View);
        let typed = |data_type| datafusion::logical_expr::try_cast(text.clone(), data_type);
        let cells = match self.kind {
            UserKind::Text => text,
            UserKind::Number => typed(DataType::UInt64),
            UserKind::Signed => typed(DataType::Int64),
            UserKind::Float => typed(DataType::Float64),
            UserKind::Boolean => typed(DataType::Boolean),
            UserKind::Address => crate::functions::address(text),
        };
        cells.alias(self.name.as_str())
    }
}

/// A literal of text as the tables have it.
pub(crate) fn text(value: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(value.to_owned())))
}
