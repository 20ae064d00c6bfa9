//! The frame in which datagrams are kept: what is read is written again as it was.

#![no_main]

use finderscope_wire::delivery::Delivery;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frame: &[u8]| {
    let Ok(delivery) = Delivery::decode(frame) else { return };
    let mut out = Vec::new();
    delivery.encode(&mut out).expect("it was in a frame");
    assert_eq!(Delivery::decode(&out), Ok(delivery));
});
