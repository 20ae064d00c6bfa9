//! The line at the end: how many packets there were, and what is not among them and why.

use std::fmt::{self, Write};

use finderscope_packets::LinkType;
use finderscope_wire::packet::HeaderProtocol;

use super::stream::Tally;
use crate::exit::Exit;
use crate::live::{Seen, Source};

/// Says what there was, and how the reading ended. A tool that was given the packets may have read fewer.
pub fn end(
    source: &Source,
    seen: &Seen,
    tally: &Tally,
    tool: Option<&str>,
    read: anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let counts = &seen.counts;
    // Where nothing could be read, that is all there is to say.
    if read.is_ok() || counts.datagrams > 0 {
        crate::say(format_args!("{}", line(seen, tally, tool)));
    }
    let damaged = counts.datagrams_malformed + counts.samples_malformed + counts.records_malformed > 0;
    match read {
        Ok(()) if damaged && source.is_file() => Ok(Exit::Partly),
        Ok(()) => Ok(Exit::Done),
        // What lies before the damage was written.
        Err(error) if counts.datagrams > 0 => {
            crate::tell_error(source.name(), error);
            Ok(Exit::Partly)
        }
        Err(error) => Err(error),
    }
}

fn line(seen: &Seen, tally: &Tally, tool: Option<&str>) -> String {
    let counts = &seen.counts;
    let mut line = Number(tally.written, "packet").to_string();
    if let Some(tool) = tool {
        // Writing into memory cannot fail.
        let _ = write!(line, " given to {tool}");
    }
    // A server does not say of how many.
    if counts.datagrams > 0 || counts.packets == 0 {
        let _ = write!(line, ", {}", Number(counts.datagrams, "datagram"));
    }
    let mut more = |count: u64, what: &str, rest: &str| {
        if count > 0 {
            // Writing into memory cannot fail.
            let _ = write!(line, ", {}{rest}", Number(count, what));
        }
    };
    more(tally.filtered, "packet", " not wanted by the filter");
    more(tally.discarded, "discarded packet", " left out (--discards)");
    for (&protocol, &count) in &tally.others {
        more(count, "packet", &format!(" of {} left out{}", Kind(protocol), hint(protocol)));
    }
    more(counts.without_header, "sample", " without a header");
    more(counts.datagrams_malformed, "datagram", " malformed");
    more(counts.samples_malformed, "sample", " malformed");
    more(counts.records_malformed, "record", " malformed");
    more(seen.waiting, "data set", " waiting for a template");
    line
}

/// How such packets could be had.
fn hint(protocol: u32) -> String {
    LinkType::of(HeaderProtocol(protocol)).map_or_else(String::new, |link| format!(" (--link-type {link})"))
}

struct Number<'a>(u64, &'a str);

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// What packets begin with: sFlow's names.
struct Kind(u32);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "an unknown link",
            1 => "Ethernet",
            2 => "token bus",
            3 => "token ring",
            4 => "FDDI",
            5 => "frame relay",
            6 => "X.25",
            7 => "PPP",
            8 => "SMDS",
            9 | 10 => "AAL5",
            11 => "IPv4",
            12 => "IPv6",
            13 => "MPLS",
            14 => "POS",
            15 => "802.11",
            16 => "802.11 A-MPDU",
            17 => "802.11 A-MSDU",
            18 => "InfiniBand",
            u32::MAX => "still other links",
            other => return write!(f, "header protocol {other}"),
        };
        f.write_str(name)
    }
}
