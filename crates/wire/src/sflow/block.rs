//! A structure read through its [`Layout`]: names and values, one after the other.

use super::layouts::{Field, FieldType, Layout};
use super::value::Value;
use super::xdr::Padding;
use crate::{Problem, Reader, WireError};

/// A record and the description of its fields.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    layout: &'static Layout,
    body: Reader<'a>,
    padding: Padding,
}

impl PartialEq for Block<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.layout == other.layout && self.bytes() == other.bytes()
    }
}

impl<'a> Block<'a> {
    /// Checks once that all fields are there, so that walks over them end at the last.
    pub(super) fn read(layout: &'static Layout, body: Reader<'a>) -> Result<Self, WireError> {
        let block = Self { layout, body, padding: Padding::Present };
        let checked = match layout.fixed_length {
            Some(minimum) if body.len() < minimum => {
                Err(body.error(layout.name, Problem::TooShort { length: body.len(), minimum }))
            }
            Some(_) => return Ok(block),
            None => block.fields().check(),
        };
        match checked {
            Ok(_) => Ok(block),
            Err(error) => block.unpadded().ok_or(error),
        }
    }

    /// The same without padding, where that fits to the byte.
    #[cold]
    fn unpadded(self) -> Option<Self> {
        let block = Self { padding: Padding::Absent, ..self };
        (block.fields().check() == Ok(0)).then_some(block)
    }

    /// Takes the structure from a reader that goes on behind it, as where records have no lengths.
    pub(super) fn take(layout: &'static Layout, reader: &mut Reader<'a>) -> Result<Self, WireError> {
        let length = match layout.fixed_length {
            Some(length) => length,
            None => {
                let all = Self { layout, body: *reader, padding: Padding::Present };
                reader.len() - all.fields().check()?
            }
        };
        Ok(Self { layout, body: reader.sub(layout.name, length)?, padding: Padding::Present })
    }

    /// What the record is.
    pub const fn layout(&self) -> &'static Layout {
        self.layout
    }

    /// The whole record.
    pub const fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }

    /// Names and values, in the structure's order.
    ///
    /// An array yields its count under its own name, then its members' fields, again and again.
    pub const fn fields(&self) -> Fields<'a> {
        Fields {
            reader: self.body,
            padding: self.padding,
            required: self.layout.required,
            level: Level { fields: self.layout.fields, done: 0, left: 1 },
            outer: [None; DEPTH],
        }
    }
}

/// No structure of the list has arrays deeper inside arrays than this.
const DEPTH: usize = 2;

/// Names and values of a structure.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    reader: Reader<'a>,
    padding: Padding,
    required: usize,
    level: Level,
    outer: [Option<Level>; DEPTH],
}

/// Where the walk is in one list of fields, and how many more times it is repeated.
#[derive(Clone, Copy, Debug)]
struct Level {
    fields: &'static [Field],
    done: usize,
    left: u32,
}

impl<'a> Fields<'a> {
    pub(super) const fn none() -> Self {
        let level = Level { fields: &[], done: 0, left: 1 };
        Self { reader: Reader::new(&[]), padding: Padding::Present, required: 0, level, outer: [None; DEPTH] }
    }

    /// Every field takes bytes, so the walk is as short as the record, whatever its counts say. Says how many bytes
    /// are left behind the last field.
    fn check(mut self) -> Result<usize, WireError> {
        while let Some(field) = self.step() {
            field?;
        }
        Ok(self.reader.len())
    }

    fn step(&mut self) -> Option<Result<(&'static str, Value<'a>), WireError>> {
        let field = self.field()?;
        if self.ends_before(field) {
            return None;
        }
        self.level.done += 1;
        let value = match Value::read(field.kind, field.name, &mut self.reader, self.padding) {
            Ok(value) => value,
            Err(error) => return Some(Err(error)),
        };
        if let (FieldType::Array(fields), Value::Count(left @ 1..)) = (field.kind, value) {
            self.enter(Level { fields, done: 0, left });
        }
        Some(Ok((field.name, value)))
    }

    /// The next field, after leaving lists that are through.
    fn field(&mut self) -> Option<&'static Field> {
        loop {
            if let Some(field) = self.level.fields.get(self.level.done) {
                return Some(field);
            }
            if self.level.left > 1 {
                self.level.left -= 1;
                self.level.done = 0;
                if self.level.fields.is_empty() {
                    return None;
                }
            } else {
                let outer = self.outer.iter_mut().rev().find_map(Option::take)?;
                self.level = outer;
            }
        }
    }

    /// Fields that newer agents add may be missing, and then the record just ends.
    fn ends_before(&self, field: &Field) -> bool {
        let added = self.outer.iter().all(Option::is_none) && self.level.done >= self.required;
        added && self.reader.len() < field.kind.fixed_length().unwrap_or(1)
    }

    fn enter(&mut self, inner: Level) {
        if let Some(free) = self.outer.iter_mut().find(|outer| outer.is_none()) {
            *free = Some(self.level);
            self.level = inner;
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'static str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        // Block::read has been through the required fields; an added one may still be unsound, and ends the walk.
        self.step()?.ok()
    }
}
