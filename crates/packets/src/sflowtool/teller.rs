//! Between the walk and a form: knows what comes before the names just now.

use finderscope_wire::WireError;
use finderscope_wire::sflow::{Block, Value as Field};

use super::name::{Name, Suffix};
use super::names::Row;
use super::value::Value;
use super::{Names, Part};

/// Tells a form names and values.
pub(super) struct Teller<'f, N> {
    pub(super) form: &'f mut N,
    /// Inside the records of a packet that was thrown away.
    pub(super) discarded: bool,
    /// What the structure puts before its names.
    pub(super) prefix: &'static str,
    /// What could not be read, the first of it.
    pub(super) damage: Option<WireError>,
}

impl<'f, N: Names> Teller<'f, N> {
    pub(super) const fn new(form: &'f mut N) -> Self {
        Self { form, discarded: false, prefix: "", damage: None }
    }

    #[inline]
    pub(super) fn open(&mut self, part: Part) {
        self.form.open(part);
    }

    #[inline]
    pub(super) fn close(&mut self, part: Part) {
        self.form.close(part);
    }

    /// Tells that something could not be read: a sample that it belongs to is not whole.
    #[cold]
    pub(super) fn hurt(&mut self, error: WireError) {
        self.damage.get_or_insert(error);
        self.form.damaged();
    }

    /// Tells one name and its value, unless there is nothing to say.
    #[inline]
    pub(super) fn tell(&mut self, base: &'static str, value: Value<'_>) {
        self.tell_with(base, Suffix::None, value);
    }

    #[inline]
    pub(super) fn number(&mut self, base: &'static str, number: u32) {
        self.tell(base, Value::Number(number.into()));
    }

    /// Tells the nth of several of a name: the first is called as if it were the only one.
    pub(super) fn tell_nth(&mut self, base: &'static str, nth: u32, value: Value<'_>) {
        self.tell_with(base, if nth == 0 { Suffix::None } else { Suffix::Index(nth) }, value);
    }

    /// Tells a name again that lines of text repeat as it is.
    pub(super) fn tell_again(&mut self, base: &'static str, nth: u32, value: Value<'_>) {
        self.tell_with(base, if nth == 0 { Suffix::None } else { Suffix::Repeated(nth) }, value);
    }

    #[inline]
    pub(super) fn tell_with(&mut self, base: &'static str, suffix: Suffix<'_>, value: Value<'_>) {
        if !value.is_silent() {
            self.form.name(&Name { discarded: self.discarded, prefix: self.prefix, base, suffix }, &value);
        }
    }

    /// Tells a field as it stands on the wire.
    #[inline]
    pub(super) fn field(&mut self, name: &'static str, value: Field<'_>) {
        let value = match value {
            Field::U32(number) | Field::Count(number) => Value::Number(number.into()),
            Field::I32(number) => Value::Signed(number.into()),
            Field::U64(number) => Value::Number(number),
            Field::F32(number) => Value::Float(number.into()),
            Field::Percent(hundredths) => Value::Percent(hundredths),
            Field::Text(bytes) | Field::Opaque(bytes) => Value::Text(bytes),
            Field::Fixed(bytes) if bytes.len() == 16 => Value::Uuid(bytes),
            Field::Fixed(bytes) => Value::Bytes(bytes),
            Field::Mac(mac) => Value::Mac(mac),
            Field::Ip(address) => Value::Address(Some(address)),
            Field::Address(address) => Value::Address(address),
        };
        self.tell(name, value);
    }

    /// Tells the fields of a record under the names of its row.
    pub(super) fn row(&mut self, row: &Row, block: &Block<'_>) {
        if let Some((name, word)) = row.first {
            self.tell(name, Value::Word(word));
        }
        self.prefix = row.prefix;
        for (name, (_, value)) in row.names.iter().zip(block.fields()) {
            if !name.is_empty() {
                self.field(name, value);
            }
        }
        self.prefix = "";
    }
}
