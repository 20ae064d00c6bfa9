//! One JSON object a datagram, on one line or indented. All values are strings, as sflowtool's readers expect.

use super::name::Name;
use super::value::Value;
use super::{Names, Part};

/// A datagram as an object.
#[derive(Debug)]
pub struct Json<'o> {
    out: &'o mut Vec<u8>,
    indented: bool,
    depth: usize,
    /// Nothing stands in the innermost object or list yet.
    first: bool,
}

impl<'o> Json<'o> {
    /// Writes to `out`.
    pub const fn new(out: &'o mut Vec<u8>, indented: bool) -> Self {
        Self { out, indented, depth: 0, first: true }
    }

    /// What comes before a member or an item.
    #[inline]
    fn next(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(b',');
        }
        self.line();
    }

    #[inline]
    fn line(&mut self) {
        if self.indented && self.depth > 0 {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + self.depth, b' ');
        }
    }
}

impl Names for Json<'_> {
    const NESTED: bool = true;

    fn open(&mut self, part: Part) {
        self.next();
        if let Some(list) = part.list() {
            self.out.push(b'"');
            self.out.extend_from_slice(list.as_bytes());
            self.out.extend_from_slice(b"\":[");
        } else {
            self.out.push(b'{');
        }
        self.depth += 1;
        self.first = true;
    }

    fn close(&mut self, part: Part) {
        self.depth -= 1;
        if !self.first {
            self.line();
            if self.indented && self.depth == 0 {
                self.out.push(b'\n');
            }
        }
        self.out.push(if part.list().is_some() { b']' } else { b'}' });
        self.first = false;
        if part == Part::Datagram {
            self.out.push(b'\n');
            if self.indented {
                self.out.push(b'\n');
            }
        }
    }

    #[inline]
    fn name(&mut self, name: &Name<'_>, value: &Value<'_>) {
        self.next();
        if !name.base.is_empty() {
            name.write_json(self.out);
            self.out.push(b':');
        }
        value.write_json(self.out);
    }
}
