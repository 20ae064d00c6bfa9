#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use finderscope_wire::delivery::{Delivery, Listener, Scheme};

use super::*;

const BYTES: [u8; 1_000] = [7; 1_000];

fn tap(subscribers: usize, queue_bytes: usize) -> (Arc<Tap>, Spout) {
    let tap = Tap::new(Limits { subscribers, queue_bytes });
    let spout = Spout::new(Arc::clone(&tap));
    (tap, spout)
}

fn guest() -> Who {
    Who::Guest { peer: "127.0.0.1:1".parse().unwrap(), agent: "test".to_owned(), stream: "deliveries" }
}

/// A batch of so many datagrams, as a shard takes it: whether anybody listened.
fn batch(spout: &mut Spout, datagrams: u64) -> bool {
    let is_wanted = spout.is_wanted();
    if is_wanted {
        (0..datagrams).for_each(|sequence| spout.add(&delivery(sequence)));
        spout.hand_over();
    }
    is_wanted
}

fn delivery(sequence: u64) -> Delivery<'static> {
    let listener = Listener { scheme: Scheme::Udp, address: "127.0.0.1:6343".parse().unwrap() };
    let source = "10.0.0.1:5000".parse().unwrap();
    Delivery { sequence, received_ns: 1, source, listener, identity: None, bytes: &BYTES }
}

/// What is in a mailbox now, as the sequences of its datagrams.
fn read(mailbox: &mut Mailbox) -> Vec<u64> {
    let mut all = Vec::new();
    while let Some(parcel) = mailbox.next_if_here() {
        all.extend(parcel.deliveries().map(|delivery| delivery.sequence));
        mailbox.passed_on(&parcel);
    }
    all
}

#[test]
fn a_shard_hears_of_who_comes_and_who_leaves() {
    let (tap, mut spout) = tap(8, 1 << 20);
    assert!(!batch(&mut spout, 3));
    let (mut mailbox, seat) = tap.subscribe(Wanted::Deliveries, guest()).unwrap();
    assert!(batch(&mut spout, 3));
    assert_eq!(read(&mut mailbox), [0, 1, 2]);
    drop(seat);
    assert!(!batch(&mut spout, 3));
    assert!(mailbox.next().is_none(), "the stream of who has left is at its end");
    assert_eq!(tap.figures().total, Sent { datagrams: 3, lost: 0 });
}

#[test]
fn who_does_not_read_loses_its_own_datagrams_and_nobody_elses() {
    let (tap, mut spout) = tap(8, 50_000);
    let (mut slow, slow_seat) = tap.subscribe(Wanted::Deliveries, guest()).unwrap();
    let (mut quick, _seat) = tap.subscribe(Wanted::Deliveries, guest()).unwrap();
    let mut seen = 0;
    for _ in 0..100 {
        batch(&mut spout, 10);
        seen += read(&mut quick).len();
    }
    assert_eq!(seen, 1_000);
    assert_eq!(quick.sent(), Sent { datagrams: 1_000, lost: 0 });
    // Four parcels of some ten kilobytes fit, and a fifth does not.
    assert_eq!(slow.sent(), Sent { datagrams: 40, lost: 960 });
    assert_eq!(slow_seat.sent(), slow.sent());
    assert_eq!(read(&mut slow).len(), 40);
    batch(&mut spout, 10);
    assert_eq!(read(&mut slow).len(), 10, "there is room again");
    assert_eq!(tap.figures().total, Sent { datagrams: 1_060, lost: 960 });
}

#[test]
fn a_parcel_larger_than_the_queue_goes_alone() {
    let (tap, mut spout) = tap(8, 100);
    let (mut mailbox, _seat) = tap.subscribe(Wanted::Deliveries, guest()).unwrap();
    batch(&mut spout, 2);
    batch(&mut spout, 2);
    assert_eq!(read(&mut mailbox), [0, 1]);
    assert_eq!(mailbox.sent(), Sent { datagrams: 2, lost: 2 });
}

#[test]
fn guests_are_limited_and_the_servers_own_are_not() {
    let (tap, _spout) = tap(2, 1 << 20);
    let seats: Vec<_> = (0..2).map(|_| tap.subscribe(Wanted::Deliveries, guest()).unwrap()).collect();
    assert_eq!(tap.subscribe(Wanted::Packets, guest()).unwrap_err(), Refused::Full(2));
    assert!(tap.subscribe(Wanted::Deliveries, Who::Own).is_ok());
    assert_eq!((tap.figures().guests.len(), tap.figures().refused), (2, 1));
    drop(seats);
    assert!(tap.subscribe(Wanted::Packets, guest()).is_ok());
}

#[test]
fn closing_ends_streams_behind_what_was_sent() {
    let (tap, mut spout) = tap(2, 1 << 20);
    let (mut mailbox, _seat) = tap.subscribe(Wanted::Deliveries, guest()).unwrap();
    batch(&mut spout, 1);
    tap.close();
    assert_eq!(mailbox.next().unwrap().datagrams(), 1);
    assert!(mailbox.next().is_none());
    assert_eq!(tap.subscribe(Wanted::Deliveries, guest()).unwrap_err(), Refused::Stopping);
}

#[test]
fn memory_is_used_again_when_all_have_read_and_never_before() {
    let (tap, mut spout) = tap(2, 1 << 30);
    let (mut mailbox, _seat) = tap.subscribe(Wanted::Deliveries, guest()).unwrap();
    batch(&mut spout, 1);
    let held = mailbox.next().unwrap();
    (0..100).for_each(|_| assert!(batch(&mut spout, 2)));
    assert_eq!(held.deliveries().map(|delivery| delivery.bytes.len()).collect::<Vec<_>>(), [1_000]);
    assert_eq!(read(&mut mailbox).len(), 200);
}
