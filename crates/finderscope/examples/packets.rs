//! Writes the packets inside the samples of a capture as another capture.
//!
//!     cargo run --example packets -- sflow.pcap packets.pcap

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;

use finderscope::packets::capture::{Options, Writer};
use finderscope::packets::{Extractor, Item, Shape};
use finderscope::transport::{capture::Capture, endpoint};
use finderscope::wire::delivery::{Delivery, Listener};

fn main() -> Result<(), Box<dyn Error>> {
    let [from, to] =
        std::env::args_os().skip(1).map(PathBuf::from).collect::<Vec<_>>().try_into().map_err(|_| "two files")?;
    let mut capture = Capture::open(&endpoint::File::Path(from))?;
    let options = Options::default();
    let mut writer = Writer::new(File::create(to)?, options)?;
    let mut shape = Shape::new(options.link, false);
    let mut extractor = Extractor::new();
    let mut written = Ok(());
    while let Some(datagram) = capture.read()? {
        let listener = Listener { scheme: datagram.scheme, address: datagram.destination };
        let (received_ns, source, bytes) = (datagram.received_ns, datagram.source, datagram.bytes);
        extractor.handle(&Delivery { sequence: 0, received_ns, source, listener, identity: None, bytes }, |item| {
            if let Item::Packet(packet) = item
                && let Some(shaped) = shape.fit(&packet)
                && written.is_ok()
            {
                written = writer.packet(&packet, &shaped);
            }
        });
    }
    written?;
    Ok(writer.flush()?)
}
