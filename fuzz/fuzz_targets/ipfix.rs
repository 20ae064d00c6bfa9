//! IPFIX: the messages of one datagram, before one cache.

#![no_main]

use finderscope_wire::ipfix::{Dialect, Extent, messages, stream_message_length};
use libfuzzer_sys::fuzz_target;

mod shared;

fuzz_target!(|datagram: &[u8]| {
    let mut cache = shared::Cache::new();
    let mut end = 0;
    for message in messages(datagram) {
        let Ok(message) = message else { continue };
        assert_eq!(message.offset(), end);
        let length = stream_message_length(&datagram[end..]).expect("a sound header").expect("all of it");
        end += length;
        assert_eq!(message.extent() == Extent::Whole, end <= datagram.len());
        shared::read_sets(message.sets(), Dialect::Ipfix, &mut cache);
    }
});
