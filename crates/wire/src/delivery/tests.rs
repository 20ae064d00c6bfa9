#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

/// A delivery that owns its bytes, for proptest to make.
#[derive(Clone, Debug)]
struct Owned {
    sequence: u64,
    received_ns: i64,
    source: SocketAddr,
    listener: Listener,
    identity: Option<String>,
    bytes: Vec<u8>,
}

impl Owned {
    fn borrow(&self) -> Delivery<'_> {
        Delivery {
            sequence: self.sequence,
            received_ns: self.received_ns,
            source: self.source,
            listener: self.listener,
            identity: self.identity.as_deref(),
            bytes: &self.bytes,
        }
    }
}

fn any_address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| Delivery::unmapped(SocketAddr::new(ip, port)))
}

fn any_delivery() -> impl Strategy<Value = Owned> {
    let listener = (prop::sample::select(&Scheme::ALL[..]), any_address())
        .prop_map(|(scheme, address)| Listener { scheme, address });
    let identity = prop::option::of("\\PC{0,60}");
    let bytes = prop::collection::vec(any::<u8>(), 0..2_000);
    (any::<u64>(), any::<i64>(), any_address(), listener, identity, bytes).prop_map(
        |(sequence, received_ns, source, listener, identity, bytes)| Owned {
            sequence,
            received_ns,
            source,
            listener,
            identity,
            bytes,
        },
    )
}

fn sample<'a>(identity: Option<&'a str>, bytes: &'a [u8]) -> Delivery<'a> {
    Delivery {
        sequence: 7,
        received_ns: 1_700_000_000_123_456_789,
        source: "[2001:db8::1]:40000".parse().unwrap(),
        listener: Listener { scheme: Scheme::Tls, address: "10.0.0.1:4740".parse().unwrap() },
        identity,
        bytes,
    }
}

fn encoded(delivery: &Delivery<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    delivery.encode(&mut frame).unwrap();
    frame
}

proptest! {
    #[test]
    fn reads_back_what_it_wrote(delivery in any_delivery()) {
        let frame = encoded(&delivery.borrow());
        prop_assert_eq!(Delivery::decode(&frame), Ok(delivery.borrow()));
    }

    #[test]
    fn what_any_bytes_are_read_as_is_written_and_read_the_same(
        start in (0..3_u8, 0..10_u8, 0..9_u8),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let frame = [&[start.0, start.1, start.2], &rest[..]].concat();
        if let Ok(delivery) = Delivery::decode(&frame) {
            let again = encoded(&delivery);
            prop_assert_eq!(Delivery::decode(&again), Ok(delivery));
        }
    }
}

#[test]
fn lies_on_the_wire_as_its_table_says() {
    let frame = encoded(&sample(Some("core1"), b"data"));
    let mut expected = vec![1, 2, 1 | 4];
    expected.extend(7_u64.to_be_bytes());
    expected.extend(1_700_000_000_123_456_789_i64.to_be_bytes());
    expected.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expected.extend(40_000_u16.to_be_bytes());
    expected.extend([10, 0, 0, 1]);
    expected.extend(4740_u16.to_be_bytes());
    expected.extend(b"\x05core1data");
    assert_eq!(frame, expected);
}

#[test]
fn a_frame_cut_before_its_datagram_is_refused_and_one_cut_inside_it_has_a_shorter_datagram() {
    let delivery = sample(Some("core1"), b"0123456789");
    let frame = encoded(&delivery);
    let datagram_at = frame.len() - 10;
    for length in 0..datagram_at {
        let error = Delivery::decode(&frame[..length]).unwrap_err();
        assert_eq!(error.reason(), "truncated", "{error}");
        assert!(error.offset <= length, "{error}");
    }
    for length in datagram_at..=frame.len() {
        let read = Delivery::decode(&frame[..length]).unwrap();
        assert_eq!(read, Delivery { bytes: &delivery.bytes[..length - datagram_at], ..delivery });
    }
}

#[test]
fn every_flipped_bit_is_refused_or_seen() {
    let delivery = sample(Some("core1"), b"0123456789");
    let frame = encoded(&delivery);
    for bit in 0..frame.len() * 8 {
        let mut flipped = frame.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(Delivery::decode(&flipped), Ok(delivery), "bit {bit}");
    }
}

#[test]
fn names_the_field_that_is_wrong() {
    let frame = encoded(&sample(Some("core1"), b""));
    let check = |at: usize, value: u8, message: &str| {
        let mut wrong = frame.clone();
        wrong[at] = value;
        assert_eq!(Delivery::decode(&wrong).unwrap_err().to_string(), message);
    };
    check(0, 2, "delivery.version: version 2 is not known at byte 0");
    check(1, 9, "delivery.scheme: value 9 is not allowed at byte 1");
    check(2, 8, "delivery.flags: value 8 is not allowed at byte 2");
    check(frame.len() - 6, 6, "delivery.identity: needs 6 bytes, 5 are left at byte 44");
    check(frame.len() - 4, 0xff, "delivery.identity: value 255 is not allowed at byte 45");
}

#[test]
fn takes_the_longest_of_everything_and_nothing_longer() {
    let (identity, bytes) = ("i".repeat(256), vec![0xa5; DATAGRAM_BYTES_MAX + 1]);
    let mut longest = sample(Some(&identity[1..]), &bytes[1..]);
    longest.listener.address = "[::1]:4740".parse().unwrap();
    let mut frame = encoded(&longest);
    assert_eq!(frame.len(), FRAME_BYTES_MAX);
    assert_eq!(Delivery::decode(&frame), Ok(longest));

    frame.push(0);
    let error = Delivery::decode(&frame).unwrap_err();
    assert_eq!((error.field, error.reason()), ("delivery.datagram", "too_long"));

    let mut out = vec![1, 2, 3];
    let error = Delivery { bytes: &bytes, ..longest }.encode(&mut out).unwrap_err();
    assert_eq!((error.field, error.reason()), ("delivery.datagram", "too_long"));
    let error = Delivery { identity: Some(&identity), ..longest }.encode(&mut out).unwrap_err();
    assert_eq!((error.field, error.reason()), ("delivery.identity", "too_long"));
    assert_eq!(out, [1, 2, 3], "nothing is written of what does not fit");
}

#[test]
fn the_shortest_frame_is_an_empty_datagram_over_ipv4() {
    let mut shortest = sample(None, b"");
    shortest.source = "192.0.2.1:1".parse().unwrap();
    let frame = encoded(&shortest);
    assert_eq!(frame.len(), FRAME_BYTES_MIN);
    assert_eq!(Delivery::decode(&frame), Ok(shortest));
}

#[test]
fn mapped_addresses_become_the_ipv4_addresses_that_they_mean() {
    let mut delivery = sample(None, b"x");
    delivery.source = "[::ffff:10.0.0.1]:2055".parse().unwrap();
    let frame = encoded(&delivery);
    assert_eq!(Delivery::decode(&frame).unwrap().source, "10.0.0.1:2055".parse().unwrap());
    assert_eq!(frame[2], 0, "four bytes are enough for it");
}

#[test]
fn a_listener_prints_as_an_endpoint() {
    let listener = Listener { scheme: Scheme::Udp, address: "[::]:6343".parse().unwrap() };
    assert_eq!(listener.to_string(), "udp://[::]:6343");
    for (code, scheme) in Scheme::ALL.into_iter().enumerate() {
        assert_eq!(scheme as usize, code, "{scheme} stands at its own byte");
    }
}
