//! What a value is called.

use super::value::write_number;

/// A name, put together from what never changes and what does.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// Of a packet that was thrown away: `discarded_` comes first.
    pub discarded: bool,
    /// What a structure puts before its names, such as `tunnel_l2_in_`.
    pub prefix: &'static str,
    /// The name itself.
    pub base: &'static str,
    /// What comes behind it.
    pub suffix: Suffix<'a>,
}

/// What stands behind a name.
#[derive(Clone, Copy, Debug)]
pub enum Suffix<'a> {
    /// Nothing.
    None,
    /// `.1`: which one of several.
    Index(u32),
    /// Lines of text repeat the name as it is; members of an object are told apart.
    Repeated(u32),
    /// A name off the wire.
    Wire(&'a [u8]),
    /// `0_MAC_1`: which one of several, what of it, and which of these.
    Part(u32, &'static str, Option<u32>),
}

impl<'a> Name<'a> {
    /// A name without any additions.
    pub const fn new(base: &'static str) -> Self {
        Self { discarded: false, prefix: "", base, suffix: Suffix::None }
    }

    /// Writes it for a line of text.
    #[inline]
    pub fn write_text(&self, out: &mut Vec<u8>) {
        self.write_fixed(out);
        match self.suffix {
            Suffix::None | Suffix::Repeated(_) => {}
            Suffix::Wire(name) => {
                // A blank would end the name, so there is none in it.
                let name = String::from_utf8_lossy(name).replace(char::is_whitespace, "_");
                finderscope_flow::text::write_plain_text(out, &name);
            }
            suffix => suffix.write_index(out),
        }
    }

    /// Writes it as a JSON string with its quotes.
    #[inline]
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.write_fixed(out);
        match self.suffix {
            Suffix::None => {}
            Suffix::Wire(name) => {
                // Written with quotes of its own, of which the first is taken out again.
                let open = out.len();
                finderscope_flow::text::write_json_string(out, &String::from_utf8_lossy(name));
                out.remove(open);
                return;
            }
            suffix => suffix.write_index(out),
        }
        out.push(b'"');
    }

    #[inline]
    fn write_fixed(&self, out: &mut Vec<u8>) {
        if self.discarded {
            out.extend_from_slice(b"discarded_");
        }
        if !self.prefix.is_empty() {
            out.extend_from_slice(self.prefix.as_bytes());
        }
        out.extend_from_slice(self.base.as_bytes());
    }
}

impl Suffix<'_> {
    fn write_index(self, out: &mut Vec<u8>) {
        match self {
            Self::Index(index) | Self::Repeated(index) => {
                out.push(b'.');
                write_number(out, index);
            }
            Self::Part(index, part, item) => {
                write_number(out, index);
                out.extend_from_slice(part.as_bytes());
                if let Some(item) = item {
                    write_number(out, item);
                }
            }
            Self::None | Self::Wire(_) => {}
        }
    }
}
