//! Lines of names and values: sflowtool's default, and with `-g` each with what is known around it.

use finderscope_wire::sflow::{DataSource, Datagram, Tag};

use super::name::Name;
use super::value::{Value, write_ip, write_number};
use super::{Names, Part, Received};

const DATAGRAM: &[u8] = b"startDatagram =================================\n";
const DATAGRAM_END: &[u8] = b"endDatagram   =================================\n";
const SAMPLE: &[u8] = b"startSample ----------------------\n";
const SAMPLE_END: &[u8] = b"endSample   ----------------------\n";

/// Names and values, one pair a line, with lines that mark datagrams and samples.
#[derive(Debug)]
pub struct Text<'o> {
    /// Where lines go.
    pub out: &'o mut Vec<u8>,
}

impl Names for Text<'_> {
    fn open(&mut self, part: Part) {
        match part {
            Part::Datagram => self.out.extend_from_slice(DATAGRAM),
            Part::Sample(_) => self.out.extend_from_slice(SAMPLE),
            _ => {}
        }
    }

    fn close(&mut self, part: Part) {
        match part {
            Part::Datagram => self.out.extend_from_slice(DATAGRAM_END),
            Part::Sample(_) => self.out.extend_from_slice(SAMPLE_END),
            _ => {}
        }
    }

    #[inline]
    fn name(&mut self, name: &Name<'_>, value: &Value<'_>) {
        pair(self.out, name, value);
    }
}

#[inline]
fn pair(out: &mut Vec<u8>, name: &Name<'_>, value: &Value<'_>) {
    name.write_text(out);
    out.push(b' ');
    value.write_text(out);
    out.push(b'\n');
}

/// Lines that each carry where they come from, so that one can be looked for without those around it.
#[derive(Debug)]
pub struct Grep<'o> {
    out: &'o mut Vec<u8>,
    /// What stands before every line just now.
    context: &'o mut Vec<u8>,
    /// Where in it the parts of a datagram, a sample and a record end.
    ends: [usize; 3],
}

impl<'o> Grep<'o> {
    /// Writes to `out`; `context` is room to work in.
    pub const fn new(out: &'o mut Vec<u8>, context: &'o mut Vec<u8>) -> Self {
        Self { out, context, ends: [0; 3] }
    }

    /// Rewrites what follows the datagram's part.
    fn within(&mut self, source: Option<DataSource>, sample: Option<Tag>, record: Option<Tag>) {
        self.context.truncate(self.ends[0]);
        match source {
            Some(source) => Value::Source(source).write_text(self.context),
            None => self.context.push(b'-'),
        }
        self.context.push(b' ');
        self.ends[1] = self.context.len();
        self.tags(sample, record);
    }

    fn tags(&mut self, sample: Option<Tag>, record: Option<Tag>) {
        self.context.truncate(self.ends[1]);
        self.tag(sample);
        self.ends[2] = self.context.len();
        self.tag(record);
    }

    fn tag(&mut self, tag: Option<Tag>) {
        match tag {
            Some(tag) => Value::Tag(tag).write_text(self.context),
            None => self.context.push(b'-'),
        }
        self.context.push(b' ');
    }
}

impl Names for Grep<'_> {
    fn received(&mut self, received: &Received<'_>) {
        self.context.clear();
        self.context.extend_from_slice(received.local_time.as_bytes());
        self.context.extend_from_slice(b" - - - ");
        self.ends[0] = self.context.len();
        self.within(None, None, None);
    }

    fn datagram(&mut self, datagram: &Datagram<'_>) {
        let time = self.context.iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1);
        self.context.truncate(time);
        write_ip(self.context, datagram.agent);
        self.context.push(b' ');
        write_number(self.context, datagram.sub_agent_id);
        self.context.push(b' ');
        write_number(self.context, datagram.sequence_number);
        self.context.push(b' ');
        self.ends[0] = self.context.len();
        self.within(None, None, None);
    }

    fn open(&mut self, part: Part) {
        match part {
            Part::Sample(tag) => self.within(None, Some(tag), None),
            Part::Record(tag) => {
                self.context.truncate(self.ends[2]);
                self.tag(Some(tag));
            }
            _ => {}
        }
    }

    fn source(&mut self, source: DataSource) {
        let tag = self.context.get(self.ends[1]..).unwrap_or_default().to_vec();
        self.context.truncate(self.ends[0]);
        Value::Source(source).write_text(self.context);
        self.context.push(b' ');
        let moved = self.context.len();
        self.ends[2] = self.ends[2] - self.ends[1] + moved;
        self.ends[1] = moved;
        self.context.extend_from_slice(&tag);
    }

    fn close(&mut self, part: Part) {
        match part {
            Part::Record(_) => {
                self.context.truncate(self.ends[2]);
                self.tag(None);
            }
            Part::Sample(_) => self.within(None, None, None),
            _ => {}
        }
    }

    fn name(&mut self, name: &Name<'_>, value: &Value<'_>) {
        self.out.extend_from_slice(self.context);
        pair(self.out, name, value);
    }
}
