//! `-l`: one line of comma-separated columns a sample, and `-H`: one in the form of a web server's log.

use std::net::IpAddr;

use finderscope_flow::text::write_plain_text;
use finderscope_wire::sflow::{Block, GenericInterface, Value as Field};

use super::seen::Seen;
use super::value::{Value, write_ip, write_mac, write_number, write_padded_hex};
use super::words;

/// `FLOW` and its nineteen columns.
pub(super) fn write_flow(out: &mut Vec<u8>, agent: Option<IpAddr>, seen: &Seen<'_>) {
    out.extend_from_slice(b"FLOW,");
    write_ip(out, agent);
    numbers(out, [seen.input, seen.output]);
    out.push(b',');
    write_mac(out, seen.src_mac);
    out.push(b',');
    write_mac(out, seen.dst_mac);
    hex(out, seen.etype, 4);
    numbers(out, [seen.in_vlan, seen.out_vlan]);
    out.push(b',');
    write_ip(out, seen.source);
    out.push(b',');
    write_ip(out, seen.destination);
    numbers(out, [seen.protocol]);
    hex(out, seen.tos, 2);
    numbers(out, [seen.ttl, seen.src_port, seen.dst_port]);
    hex(out, seen.tcp_flags, 2);
    numbers(out, [seen.packet_size]);
    out.push(b',');
    Value::Signed(seen.ip_size_of_line()).write_text(out);
    numbers(out, [seen.sampling_rate]);
    out.push(b'\n');
}

/// `CNTR` and its twenty columns; zeros where the sample has no counters of an interface.
pub(super) fn write_counters(out: &mut Vec<u8>, agent: Option<IpAddr>, counters: &GenericInterface) {
    let it = counters;
    out.extend_from_slice(b"CNTR,");
    write_ip(out, agent);
    numbers(out, [it.if_index, it.if_type]);
    long(out, it.if_speed);
    numbers(out, [it.if_direction, it.if_status]);
    long(out, it.if_in_octets);
    numbers(out, [it.if_in_ucast_pkts, it.if_in_multicast_pkts, it.if_in_broadcast_pkts]);
    numbers(out, [it.if_in_discards, it.if_in_errors, it.if_in_unknown_protos]);
    long(out, it.if_out_octets);
    numbers(out, [it.if_out_ucast_pkts, it.if_out_multicast_pkts, it.if_out_broadcast_pkts]);
    numbers(out, [it.if_out_discards, it.if_out_errors, it.if_promiscuous_mode]);
    out.push(b'\n');
}

#[inline]
fn numbers<const N: usize>(out: &mut Vec<u8>, numbers: [u32; N]) {
    for number in numbers {
        out.push(b',');
        write_number(out, number);
    }
}

fn long(out: &mut Vec<u8>, number: u64) {
    out.push(b',');
    write_number(out, number);
}

#[inline]
fn hex(out: &mut Vec<u8>, number: u32, digits: u32) {
    out.extend_from_slice(b",0x");
    write_padded_hex(out, number, digits);
}

/// A request in the combined log format; nothing where the sample has no request or nobody who asked.
pub(super) fn write_log(out: &mut Vec<u8>, log_time: &str, seen: &Seen<'_>) {
    let (Some(http), Some(client)) = (&seen.http, seen.client) else { return };
    let request = Request::of(http);
    write_ip(out, Some(client));
    out.extend_from_slice(b" - ");
    // A blank or a quote in a field would shift those behind it.
    text(out, request.user, true);
    out.extend_from_slice(b" [");
    out.extend_from_slice(log_time.as_bytes());
    out.extend_from_slice(b"] \"");
    out.extend_from_slice(words::http_method(request.method).as_bytes());
    out.push(b' ');
    text(out, request.uri, true);
    out.extend_from_slice(b" HTTP/");
    write_number(out, request.protocol / 1000);
    out.push(b'.');
    write_number(out, request.protocol % 1000);
    out.extend_from_slice(b"\" ");
    Value::Signed(request.status.into()).write_text(out);
    out.push(b' ');
    write_number(out, request.bytes);
    for field in [request.referer, request.agent] {
        out.extend_from_slice(b" \"");
        text(out, field, false);
        out.push(b'"');
    }
    out.push(b'\n');
}

/// What a log says of a request.
#[derive(Debug)]
struct Request<'a> {
    method: u32,
    /// Thousands are the major version. Older records do not say; then it is 1.1.
    protocol: u32,
    uri: &'a [u8],
    referer: &'a [u8],
    agent: &'a [u8],
    user: &'a [u8],
    bytes: u64,
    status: i32,
}

impl<'a> Request<'a> {
    fn of(block: &Block<'a>) -> Self {
        let mut request =
            Self { method: 0, protocol: 1001, uri: b"", referer: b"", agent: b"", user: b"", bytes: 0, status: 0 };
        for (name, value) in block.fields() {
            match (name, value) {
                ("method", Field::U32(number)) => request.method = number,
                ("protocol", Field::U32(number)) => request.protocol = number,
                ("uri", Field::Text(text)) => request.uri = text,
                ("referer", Field::Text(text)) => request.referer = text,
                ("useragent", Field::Text(text)) => request.agent = text,
                ("authuser", Field::Text(text)) => request.user = text,
                ("resp_bytes", Field::U64(number)) => request.bytes = number,
                ("status", Field::I32(number)) => request.status = number,
                _ => {}
            }
        }
        request
    }
}

/// Text off the wire, `-` for none. Quotes become `\"`, and where a blank would end the field it becomes `%20`.
fn text(out: &mut Vec<u8>, bytes: &[u8], one_word: bool) {
    if bytes.is_empty() {
        return out.push(b'-');
    }
    for letter in String::from_utf8_lossy(bytes).chars() {
        match letter {
            '"' => out.extend_from_slice(br#"\""#),
            '\\' => out.extend_from_slice(br"\\"),
            ' ' if one_word => out.extend_from_slice(b"%20"),
            letter => write_plain_text(out, letter.encode_utf8(&mut [0; 4])),
        }
    }
}
