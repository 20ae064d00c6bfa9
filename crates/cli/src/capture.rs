//! A capture file as rows: the same decoding as a server's, with state of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use arrow::array::RecordBatch;
use finderscope_flow::{Table, Tables};
use finderscope_intake::{Config, Intake, MapRule, Quiet, Reasons};
use finderscope_transport::capture::{Capture, CaptureError, Counts, Datagram};
use finderscope_wire::delivery::{Delivery, Listener};

use crate::exit::Exit;
use crate::{progress, replay, say};

/// Files have no socket: their listener is nobody's.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// What a capture held.
#[derive(Debug)]
pub struct Read {
    /// Its rows, in the order of the file.
    pub batches: Vec<(Table, RecordBatch)>,
    /// Whether all of it could be read.
    pub exit: Exit,
}

/// Reads a capture; what is wrong with it is said on stderr. Fails where nothing of it can be read.
pub fn read(file: &str, maps: Vec<MapRule>) -> anyhow::Result<Read> {
    let mut capture = Capture::open(&replay::file(file))?;
    let bar = progress::spinner("reading the capture");
    let mut intake = Intake::new(Config { maps, ..Config::default() });
    let mut tables = Tables::default();
    let mut batches = Vec::new();
    let mut sequence = 0;
    let end = loop {
        match capture.read() {
            Ok(Some(datagram)) => intake.handle(&delivery(sequence, &datagram), &mut tables, &mut Quiet),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        sequence += 1;
        close(&mut tables, false, &mut batches);
    };
    close(&mut tables, true, &mut batches);
    bar.finish_and_clear();
    let exit = report(file, &intake, end.as_ref());
    tell(file, capture.counts());
    Ok(Read { batches, exit })
}

/// Says where frames went from which nothing came, unless they held other traffic and there was telemetry, too.
pub fn tell(file: &str, counts: &Counts) {
    let Counts { frames, skipped, .. } = counts;
    if counts.datagrams + counts.messages == 0 {
        let why = if skipped.total() > 0 { format!(": {skipped}") } else { String::new() };
        say(format_args!("{file}: no UDP datagram and no IPFIX message in {}{why}", number(*frames, "frame")));
    } else if skipped.damaged().total() > 0 {
        let damaged = skipped.damaged();
        let frames = number(*frames, "frame");
        say(format_args!("{file}: {} of {frames} could not be read: {damaged}", damaged.total()));
    }
    if counts.stream_gaps > 0 {
        let (gaps, bytes) = (number(counts.stream_gaps, "gap"), counts.stream_bytes_lost);
        say(format_args!("{file}: {gaps} in sessions of IPFIX, where bytes are missing or cannot be read: {bytes}"));
    }
}

/// A count of things, of which one has no plural.
pub fn number(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A datagram as if it had just come.
pub fn delivery<'a>(sequence: u64, datagram: &Datagram<'a>) -> Delivery<'a> {
    Delivery {
        sequence,
        received_ns: datagram.received_ns,
        source: Delivery::unmapped(datagram.source),
        listener: Listener { scheme: datagram.scheme, address: NOBODY },
        identity: None,
        bytes: datagram.bytes,
    }
}

/// Closes builders that are full, or all that hold rows.
fn close(tables: &mut Tables, all: bool, batches: &mut Vec<(Table, RecordBatch)>) {
    for builder in tables.all() {
        if builder.is_full() || (all && !builder.is_empty()) {
            batches.push((builder.table(), builder.finish()));
        }
    }
}

/// Says what could not be read.
fn report(file: &str, intake: &Intake, end: Option<&CaptureError>) -> Exit {
    let totals = intake.totals();
    let mut exit = Exit::Done;
    for (what, reasons) in [("datagrams", &totals.datagrams.malformed), ("sets", &totals.sets.malformed)] {
        if !reasons.is_empty() {
            say(format_args!("{file}: {} {what} could not be read: {}", reasons.total(), listed(reasons)));
            exit = Exit::Partly;
        }
    }
    if totals.sets.waiting > 0 {
        say(format_args!("{file}: {} data sets wait for templates that are not in the file", totals.sets.waiting));
    }
    if totals.datagrams.duplicate > 0 {
        say(format_args!("{file}: {} datagrams came twice and count once", totals.datagrams.duplicate));
    }
    if let Some(error) = end {
        say(format_args!("error: {file}: {error}"));
        exit = Exit::Partly;
    }
    exit
}

fn listed(reasons: &Reasons) -> String {
    let each: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    each.join(", ")
}
