//! Sets: what a message is made of (RFC 7011 section 3.3, RFC 3954 section 5.2 ff.).

use super::{TemplateKind, is_zero};
use crate::{Problem, Reader, WireError};

/// The bytes of a set's id and length.
const HEADER_LENGTH: usize = 4;

/// The first id that names a template rather than a kind of set.
pub(super) const TEMPLATE_ID_MIN: u16 = 256;

/// Which protocol's sets these are. Templates of different dialects never mix.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Dialect {
    /// NetFlow v9: a field type is all 16 bits, and no enterprise number follows it.
    V9,
    /// NetFlow v9 of exporters that send IPFIX field specifiers in it, enterprise numbers included.
    ///
    /// Never guessed from the bytes: others use types above 32767 with nothing behind them.
    V9Enterprise,
    /// IPFIX.
    Ipfix,
}

impl Dialect {
    /// Whether this is NetFlow v9, in either habit.
    pub const fn is_v9(self) -> bool {
        matches!(self, Self::V9 | Self::V9Enterprise)
    }

    /// What a set of this id holds.
    pub const fn set_kind(self, id: u16) -> SetKind {
        match (self.is_v9(), id) {
            (true, 0) | (false, 2) => SetKind::Templates(TemplateKind::Data),
            (true, 1) | (false, 3) => SetKind::Templates(TemplateKind::Options),
            (_, TEMPLATE_ID_MIN..) => SetKind::Data(id),
            _ => SetKind::Reserved(id),
        }
    }
}

/// What a set holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SetKind {
    /// Template records, of data or of options.
    Templates(TemplateKind),
    /// Data records of the template with this id.
    Data(u16),
    /// An id that the protocol has not given out.
    Reserved(u16),
}

/// Whether something is there up to the end that its length states.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The datagram ends before it does. What is there holds good only up to its last whole record.
    Cut(WireError),
}

impl Extent {
    pub(super) const fn of(wanted: usize, there: usize, error: WireError) -> Self {
        if there < wanted { Self::Cut(error) } else { Self::Whole }
    }

    /// What is wrong, if the end is missing.
    pub const fn problem(self) -> Option<WireError> {
        match self {
            Self::Whole => None,
            Self::Cut(error) => Some(error),
        }
    }
}

/// One set, or what there is of it.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a> {
    /// The set id as it stands; [`Dialect::set_kind`] says what it means.
    pub id: u16,
    /// The set's first byte, counted from the start of the datagram.
    pub offset: usize,
    /// The bytes after the set's header. A cut set's end in the midst of it.
    pub body: Reader<'a>,
    /// Whether the set is all there.
    pub extent: Extent,
}

impl Set<'_> {
    /// What the set holds.
    pub const fn kind(&self, dialect: Dialect) -> SetKind {
        dialect.set_kind(self.id)
    }
}

/// Iterates over the sets of a message.
///
/// A set that reaches beyond the message comes as a [`Set`] whose [`Extent`] is cut, and is the last.
/// A set header that is not all there, or a length under the header's own 4, gives no place from
/// which to go on: it is an error, and the last item. Only where nothing but zeros is left, and enough
/// of them for a header, some exporters have filled up the datagram: that is the end, and no error.
#[derive(Clone, Debug)]
pub struct Sets<'a> {
    rest: Reader<'a>,
    failed: bool,
}

impl<'a> Sets<'a> {
    /// The sets in `body`, which starts behind the message header.
    pub const fn new(body: Reader<'a>) -> Self {
        Self { rest: body, failed: false }
    }

    /// Fewer zeros than a header has may as well be a header that was cut.
    fn at_padding(&self) -> bool {
        let rest = self.rest.rest();
        rest.starts_with(&[0; HEADER_LENGTH]) && is_zero(rest)
    }

    fn take(&mut self) -> Result<Set<'a>, WireError> {
        let offset = self.rest.offset();
        let available = self.rest.len();
        let id = self.rest.u16("set.id")?;
        let length = usize::from(self.rest.u16("set.length")?);
        let Some(wanted) = length.checked_sub(HEADER_LENGTH) else {
            let problem = Problem::TooShort { length, minimum: HEADER_LENGTH };
            return Err(WireError::new("set.length", offset + 2, problem));
        };
        let there = wanted.min(self.rest.len());
        let problem = Problem::TooLong { length, maximum: available };
        let extent = Extent::of(wanted, there, WireError::new("set.length", offset + 2, problem));
        Ok(Set { id, offset, body: self.rest.sub("set", there)?, extent })
    }
}

impl<'a> Iterator for Sets<'a> {
    type Item = Result<Set<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.rest.is_empty() || self.at_padding() {
            return None;
        }
        let set = self.take();
        self.failed = set.is_err();
        Some(set)
    }
}
