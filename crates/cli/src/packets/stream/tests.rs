#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use finderscope_wire::packet::HeaderProtocol as P;

use super::*;

fn packet(protocol: P) -> Packet<'static> {
    Packet {
        received_ns: 0,
        exporter: [10, 0, 0, 1].into(),
        agent: [10, 0, 0, 1].into(),
        source: None,
        input: None,
        output: None,
        sampling_rate: None,
        sample_pool: 0,
        drops: 0,
        discard: None,
        protocol,
        frame_length: 64,
        stripped: 4,
        bytes: &[0; 60],
    }
}

/// Fails when it has so many bytes, as a full disk does.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_left_out_is_counted_by_why() {
    let mut stream = Stream::new(io::sink(), Rules::default()).unwrap();
    let discarded = Packet { discard: Some(258), ..packet(P::ETHERNET) };
    for it in [packet(P::ETHERNET), packet(P::IPV4), packet(P::IPV4), discarded, packet(P::WIFI_MAC)] {
        stream.take(Some(Item::Packet(it))).unwrap();
    }
    assert_eq!(stream.tally().written, 0, "nothing is handed on before a pause");
    stream.take(None).unwrap();
    let others = BTreeMap::from([(P::IPV4.0, 2), (P::WIFI_MAC.0, 1)]);
    assert_eq!(stream.tally(), Tally { written: 1, filtered: 0, discarded: 1, others });
    // Kinds that somebody makes up share a place.
    for kind in 100..300 {
        stream.take(Some(Item::Packet(packet(P(kind))))).unwrap();
    }
    let others = stream.tally().others;
    assert!(others.len() < 70 && others.values().sum::<u64>() == 203);
}

#[test]
fn packets_that_could_not_be_handed_on_do_not_count() {
    let mut stream = Stream::new(Full(24 + 76), Rules::default()).unwrap();
    stream.take(Some(Item::Packet(packet(P::ETHERNET)))).unwrap();
    stream.take(None).unwrap();
    stream.take(Some(Item::Packet(packet(P::ETHERNET)))).unwrap();
    assert_eq!(stream.take(None).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(stream.tally().written, 1);
}

#[test]
fn another_file_begins_only_for_a_packet_that_is_written() {
    let mut stream = Stream::new(Vec::new(), Rules::default()).unwrap();
    let mut asked = Vec::new();
    for (protocol, turns) in [(P::IPV4, true), (P::ETHERNET, false), (P::IPV4, true), (P::ETHERNET, true)] {
        let taken = stream.take_or_turn(Some(Item::Packet(packet(protocol))), |packet, bytes| {
            asked.push((packet.protocol, bytes));
            Ok(turns.then(Vec::new))
        });
        taken.unwrap();
    }
    // A head of 24 bytes, and 76 for a packet.
    assert_eq!(asked, [(P::ETHERNET, 24), (P::ETHERNET, 100)]);
    assert_eq!((stream.writer.bytes(), stream.writer.written()), (100, 1));
}
