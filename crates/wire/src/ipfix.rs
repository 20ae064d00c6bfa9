//! IPFIX (RFC 7011), and the sets, templates and data records that NetFlow v9 (RFC 3954) shares with it.
//!
//! ```text
//! datagram ── messages() ─▶ Message ── sets() ─▶ Set ─┬─ kind(): Templates ─▶ TemplateRecords ─▶ TemplateRecord
//!           v9::Message ────────────────┘             └─ kind(): Data ─▶ stride over body, or RecordWalker
//! ```
//!
//! Where the two protocols differ, a [`Dialect`] says which is spoken. Every view borrows from the
//! datagram and allocates nothing. Nothing here remembers a template: that is the caller's cache, as
//! are limits on its size. [`Encoder`] writes both protocols.

mod data;
mod encode;
mod list;
mod message;
mod number;
mod set;
mod template;
mod time;
mod type_record;

pub use data::{Fields, Record, RecordWalker, is_zero, shortest, variable_length};
pub use encode::{Encoder, Finished, put_variable_length};
pub use list::{
    BasicList, ListParts, ListRecords, ListSemantic, ListValues, SubTemplateList, SubTemplateMultiList, put_basic_list,
    put_sub_template_list, put_sub_template_multi_list,
};
pub use message::{Header, Message, Messages, VERSION, messages, stream_message_length};
pub use number::{float, signed, unsigned};
pub use set::{Dialect, Extent, Set, SetKind, Sets};
pub use template::{
    FieldSpecifier, FieldSpecifiers, ScopeKind, TemplateKind, TemplateRecord, TemplateRecords, VARIABLE,
};
pub use time::{
    export_delta_to_ns, is_plausible_ns, micros_to_ns, millis_to_ns, ntp_micros_to_ns, ntp_to_ns, seconds_to_ns,
};
pub use type_record::TypeRecord;
