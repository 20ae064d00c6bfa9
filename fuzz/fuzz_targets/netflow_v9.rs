//! NetFlow v9, in both habits, several datagrams before one cache.
//!
//! The input is datagrams, each behind two bytes of length, as a session's are.

#![no_main]

use finderscope_wire::ipfix::Dialect;
use finderscope_wire::netflow::v9;
use libfuzzer_sys::fuzz_target;

mod shared;

fuzz_target!(|session: &[u8]| {
    for dialect in [Dialect::V9, Dialect::V9Enterprise] {
        let mut cache = shared::Cache::new();
        let mut rest = session;
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
            let (datagram, after) = after.split_at(length);
            rest = after;
            let mut read = 0;
            for message in v9::messages(datagram).flatten() {
                shared::read_sets(message.sets(), dialect, &mut cache);
                read += message.length();
            }
            assert!(read == 0 || read == datagram.len(), "{read} of {} bytes", datagram.len());
        }
    }
});
