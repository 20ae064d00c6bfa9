//! tshark, asked about datagrams of our own.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use finderscope_wire::packet::{Address, Frame, Transport};

/// What tshark says of a capture; none where there is no tshark.
pub fn run(pcap: &[u8], arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", "-", "-d", "udp.port==6343,sflow", "-d", "udp.port==2055,cflow"]);
    command.args(["-o", "ip.check_checksum:TRUE"]).args(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let _ = writeln!(std::io::stderr(), "skipped: no tshark here");
            return None;
        }
        child => child.unwrap(),
    };
    let mut stdin = child.stdin.take().unwrap();
    let pcap = pcap.to_vec();
    // tshark writes while it reads, so both pipes have to be served.
    let feeder = std::thread::spawn(move || stdin.write_all(&pcap));
    let output = child.wait_with_output().unwrap().stdout;
    feeder.join().unwrap().unwrap();
    Some(String::from_utf8(output).unwrap())
}

pub const SFLOW: u16 = 6343;
pub const NETFLOW: u16 = 2055;

/// A capture of datagrams to a port.
pub fn pcap(dst_port: u16, datagrams: &[Vec<u8>]) -> Vec<u8> {
    let packet = |datagram: &Vec<u8>| {
        let frame = Frame {
            src_mac: [2, 0, 0, 0, 0, 1],
            dst_mac: [2, 0, 0, 0, 0, 2],
            vlans: &[],
            src_addr: Address::V4([192, 0, 2, 1]),
            dst_addr: Address::V4([198, 51, 100, 2]),
            tos: 0,
            ttl: 64,
            label: 77,
            transport: Transport::Udp { src_port: 40000, dst_port },
            payload_length: datagram.len() as u16,
        };
        let mut packet = Vec::new();
        frame.encode(&mut packet);
        packet.extend(datagram);
        packet
    };
    capture(datagrams.iter().map(packet))
}

/// A capture of Ethernet frames.
pub fn capture(packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let head = [0xA1B2_C3D4, 0x0002_0004, 0, 0, 65536, 1];
    let mut out: Vec<u8> = head.iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
    for packet in packets {
        let length = packet.len() as u32;
        out.extend([0, 0, length, length].iter().flat_map(|word| word.to_be_bytes()));
        out.extend(packet);
    }
    out
}
