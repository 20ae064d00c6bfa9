//! How many samples a second of processor time sflowtool's forms print.
//!
//! `cargo run --release -p finderscope-packets --example sflowtool_rate`: datagrams of seven samples each, as switches
//! send them (a header of 128 bytes, and what the switch and the router know), through each form, into memory.
#![allow(clippy::print_stdout, reason = "a measurement says what it found")]

use std::net::{IpAddr, Ipv4Addr};

use finderscope_packets::sflowtool::{Fields, Form, Received};
use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport};
use finderscope_wire::sflow::{
    DatagramHeader, Encoder, ExtendedRouter, ExtendedSwitch, FlowHeader, FlowRecord, Interface, SampledHeader,
};

const SAMPLES: u32 = 7;
const DATAGRAMS: u32 = 1000;
const SECONDS: f64 = 1.0;

fn main() {
    let datagrams: Vec<Vec<u8>> = (0..DATAGRAMS).map(datagram).collect();
    let json = |indented| Form::Json { indented };
    let fields = || Fields::new("agent,srcIP,dstIP,sampledPacketSize,meanSkipCount").map(Form::Fields);
    let forms = [
        ("-l", Some(Form::Line)),
        ("-j", Some(json(false))),
        ("-J", Some(json(true))),
        ("text", Some(Form::Text)),
        ("-g", Some(Form::Grep(Vec::new()))),
        ("-L", fields()),
    ];
    for (name, form) in forms {
        let Some(mut form) = form else { continue };
        let (began, mut out, mut bytes, mut turns) = (processor_s(), Vec::new(), 0, 0_u64);
        while processor_s() - began < SECONDS {
            for datagram in &datagrams {
                form.write(&received(datagram), None, &mut out);
                bytes += out.len();
                out.clear();
            }
            turns += 1;
        }
        let samples = turns * u64::from(SAMPLES * DATAGRAMS);
        let rate = samples as f64 / (processor_s() - began);
        println!("{name}: {rate:.0} samples/s, {} bytes a sample", bytes as u64 / samples);
    }
}

/// The time that this thread has had a processor (proc(5), schedstat): others' load does not count.
fn processor_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.expect("Linux says it") / 1e9
}

fn received(bytes: &[u8]) -> Received<'_> {
    let source = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let (local_time, log_time) = ("2025-03-01T12:00:00+0000", "01/Mar/2025:12:00:00 +0000");
    Received { bytes, source, received_ns: 1_740_830_400_123_456_789, from_file: true, local_time, log_time }
}

fn datagram(number: u32) -> Vec<u8> {
    let agent = Some(Ipv4Addr::new(10, 0, 0, 254).into());
    let mut bytes = Vec::new();
    let head = DatagramHeader { agent, sequence_number: number, ..Default::default() };
    let mut encoder = Encoder::new(&mut bytes, &head);
    for sample in 0..SAMPLES {
        let address = |side: u8| Address::V4([10, side, (number >> 8) as u8, number as u8]);
        let frame = Frame {
            src_mac: [2, 0, 0, 0, 0, 1],
            dst_mac: [2, 0, 0, 0, 0, 2],
            vlans: &[],
            src_addr: address(1),
            dst_addr: address(2),
            tos: 0,
            ttl: 64,
            label: number,
            transport: Transport::Tcp { src_port: 40_000, dst_port: 443, sequence: number, flags: 0x10 },
            payload_length: 1400,
        };
        let mut header = Vec::new();
        frame.encode(&mut header);
        header.resize(128, 0);
        let (protocol, frame_length) = (HeaderProtocol::ETHERNET, frame.length() + 4);
        let (input, output) = (Interface::index(sample + 1), Interface::index(sample + 2));
        let head = FlowHeader { sequence_number: number, sampling_rate: 1000, input, output, ..Default::default() };
        let switch = ExtendedSwitch { src_vlan: 10, src_priority: 0, dst_vlan: 20, dst_priority: 0 };
        let router = ExtendedRouter { nexthop: agent, src_mask_len: 24, dst_mask_len: 16 };
        let mut writer = encoder.flow_sample(&head);
        writer.record(&FlowRecord::SampledHeader(SampledHeader {
            protocol,
            frame_length,
            stripped: 4,
            header: &header,
        }));
        writer.record(&FlowRecord::ExtendedSwitch(switch)).record(&FlowRecord::ExtendedRouter(router));
    }
    bytes
}
