//! What is gathered and written by columns is what each sample would be as a row by itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::Int32Type;
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::packet::{Address, Frame, Transport, Vlan};
use finderscope_wire::sflow::{
    DataSource, Datagram, DatagramHeader, Encoder, ExtendedRouter, ExtendedSwitch, FlowRecord, Interface, Sample,
    SampledHeader, SampledIpv4,
};
use proptest::prelude::*;

use super::*;
use crate::ledger::Reasons;
use crate::{Config, Intake, Protocol, Quiet};

const RECEIVED_NS: i64 = 1_767_225_600_000_000_000;

/// A sample, as one number after the other says; most are of the usual kind.
fn write_sample(encoder: &mut Encoder<'_>, number: u32, [kind, address, extended, cut]: [u8; 4]) {
    let transport = match kind % 8 {
        0..=2 => Transport::Tcp { src_port: number as u16, dst_port: 443, sequence: number, flags: 0x12 },
        3 | 4 => Transport::Udp { src_port: number as u16, dst_port: if kind < 8 { 4789 } else { 53 } },
        5 => Transport::Icmp { kind, code: 1 },
        _ => Transport::Other { proto: kind },
    };
    let (src_addr, dst_addr) = match address % 3 {
        0 => (Address::V6([address; 16]), Address::V6([7; 16])),
        _ => (Address::V4([10, address, 0, 1]), Address::V4([192, 0, 2, kind])),
    };
    let vlans = [Vlan { tpid: 0x8100, id: 5, priority: 0 }; 2];
    let vlans = vlans.get(..usize::from(address / 85).min(2)).unwrap();
    let [src_mac, dst_mac] = [[2, 0, 0, 0, 0, kind], [2, 0, 0, 0, 0, 1]];
    let frame = Frame {
        src_mac,
        dst_mac,
        vlans,
        src_addr,
        dst_addr,
        tos: 0,
        ttl: 64,
        label: 9,
        transport,
        payload_length: 500,
    };
    let mut header = Vec::new();
    frame.encode(&mut header);
    header.resize(128, 0);
    header.truncate(if cut < 200 { 128 } else { usize::from(cut) - 190 });
    let mut sample = encoder.flow_sample(&FlowHeader {
        sequence_number: number,
        source: DataSource { class: 0, index: 3 },
        sampling_rate: if cut == 7 { 0 } else { 1000 + u32::from(cut % 2) },
        sample_pool: number,
        drops: 0,
        input: Interface { format: u32::from(extended > 240), value: u32::from(extended % 4) },
        output: Interface::index(4),
    });
    if extended % 16 == 15 {
        sample.record(&FlowRecord::SampledIpv4(SampledIpv4 {
            length: 100,
            protocol: kind.into(),
            src_ip: [10, 0, 0, 1].into(),
            dst_ip: [10, 0, 0, 2].into(),
            src_port: 1,
            dst_port: 70_000,
            tcp_flags: 2,
            tos: 0,
        }));
    } else {
        let frame_length = if cut == 3 { 12 } else { 700 };
        let protocol = HeaderProtocol::ETHERNET;
        sample.record(&FlowRecord::SampledHeader(SampledHeader {
            protocol,
            frame_length,
            stripped: 4,
            header: &header,
        }));
    }
    if extended % 4 > 0 {
        let (src_vlan, src_priority) = (if extended == 2 { 70_000 } else { 10 }, u32::from(extended > 220));
        let switch = ExtendedSwitch { src_vlan, src_priority, dst_vlan: 20, dst_priority: 0 };
        sample.record(&FlowRecord::ExtendedSwitch(switch));
    }
    if extended % 4 > 1 {
        let nexthop = [None, Some([10, 0, 0, 9].into()), Some([9; 16].into())][usize::from(extended) / 4 % 3];
        let (src_mask_len, dst_mask_len) = (24, if extended == 6 { 300 } else { 16 });
        let router = ExtendedRouter { nexthop, src_mask_len, dst_mask_len };
        sample.record(&FlowRecord::ExtendedRouter(router));
    }
    if extended % 32 == 7 {
        sample.record(&FlowRecord::EgressQueue(extended.into()));
    }
}

/// Every sample as [`flows::flow`] writes it, which writes one row, of whatever kind.
fn each_by_itself(datagram: &Datagram<'_>, tables: &mut Tables) {
    let context = Context {
        protocol: Protocol::Sflow5,
        received_ns: RECEIVED_NS,
        export_ns: None,
        uptime_ms: Some(datagram.uptime_ms),
        exporter: [10, 0, 0, 1].into(),
        sampler: datagram.agent.unwrap(),
        domain: datagram.sub_agent_id,
        sequence: Some(datagram.sequence_number),
    };
    for sample in datagram.samples() {
        let Ok(Sample::Flow(sample)) = sample else { continue };
        let facts = Facts::read(sample.records(), &mut Reasons::default());
        if facts.is_void() {
            continue;
        }
        let said = sample.sampling_rate > 0;
        let rate = said.then_some((sample.sampling_rate.into(), SamplingSource::Sample));
        flows::flow(&sample, rate, &facts, &context, &mut tables.flows, &mut String::new());
    }
}

proptest! {
    #[test]
    fn rows_are_the_same_whether_they_are_gathered_or_written_one_by_one(
        datagrams in prop::collection::vec(prop::collection::vec((any::<u32>(), any::<[u8; 4]>()), 0..45), 1..6),
        usual in any::<bool>(),
        kept in any::<bool>(),
        cut in prop_oneof![Just(usize::MAX), 100_usize..4_000],
    ) {
        let (mut intake, mut gathered, mut single) = (Intake::new(Config::default()), Tables::default(), Tables::default());
        let mut samples = 0;
        for (sequence_number, specs) in (0..).zip(datagrams) {
            let agent = Some([192, 0, 2, 1].into());
            let header = DatagramHeader { agent, sub_agent_id: 3, sequence_number, uptime_ms: 1_000 };
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, &header);
            for (number, mut spec) in specs {
                if usual {
                    // Nothing that has to be a row by itself, so that many are gathered.
                    spec = [8 + spec[0] % 6, spec[1] % 170, spec[2] % 4, spec[3] % 200];
                }
                write_sample(&mut encoder, number, spec);
            }
            bytes.truncate(cut);
            let listener = Listener { scheme: Scheme::Udp, address: SocketAddr::from(([0, 0, 0, 0], 6343)) };
            let source = SocketAddr::from(([10, 0, 0, 1], 6343));
            let delivery = Delivery { sequence: 0, received_ns: RECEIVED_NS, source, listener, identity: None, bytes: &bytes };
            if kept {
                intake.gather(&delivery, &mut gathered, &mut Quiet);
            } else {
                intake.handle(&delivery, &mut gathered, &mut Quiet);
            }
            let datagram = Datagram::read(&bytes).unwrap();
            samples += datagram.samples().count();
            each_by_itself(&datagram, &mut single);
        }
        intake.settle(&mut gathered);
        prop_assert_eq!(intake.totals().records.received as usize, gathered.flows.rows());
        prop_assert_eq!(intake.totals().sets.received as usize, samples);
        prop_assert!(intake.check_balances().is_ok());
        prop_assert_eq!(gathered.flows.finish(), single.flows.finish());
    }
}

#[test]
fn rows_that_were_kept_come_before_those_of_another_protocol() {
    let (mut intake, mut tables) = (Intake::new(Config::default()), Tables::default());
    let listener = Listener { scheme: Scheme::Udp, address: SocketAddr::from(([0, 0, 0, 0], 6343)) };
    let source = SocketAddr::from(([10, 0, 0, 1], 6343));
    let mut netflow5 = vec![0; 24 + 48];
    netflow5[..4].copy_from_slice(&[0, 5, 0, 1]);
    // A record without packets and bytes would be an event.
    (netflow5[24 + 19], netflow5[24 + 23]) = (1, 100);
    for sequence_number in 0..3 {
        let header =
            DatagramHeader { agent: Some([192, 0, 2, 1].into()), sub_agent_id: 3, sequence_number, uptime_ms: 1_000 };
        let mut sflow = Vec::new();
        let mut encoder = Encoder::new(&mut sflow, &header);
        write_sample(&mut encoder, sequence_number, [8, 1, 0, 0]);
        netflow5[19] = sequence_number as u8;
        for bytes in [&sflow, &netflow5] {
            let delivery = Delivery { sequence: 0, received_ns: RECEIVED_NS, source, listener, identity: None, bytes };
            intake.gather(&delivery, &mut tables, &mut Quiet);
        }
    }
    assert_eq!(tables.flows.rows(), 6);
    intake.settle(&mut tables);
    let flows = tables.flows.finish();
    let types =
        flows.column_by_name("type").unwrap().as_dictionary::<Int32Type>().downcast_dict::<StringArray>().unwrap();
    let types: Vec<_> = types.into_iter().flatten().collect();
    assert_eq!(types, ["SFLOW_5", "NETFLOW_V5"].repeat(3));
}
