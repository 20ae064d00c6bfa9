//! What is read at once, beside what the walks say of the same bytes.

use finderscope_wire::packet::{Brief, HeaderProtocol, Packet};
use finderscope_wire::sflow::{Datagram, FlowRecord, Sample, UsualSample};

/// Checks that samples and headers which are read at once are those that are walked over, and counts them.
pub(crate) fn compare(bytes: &[u8]) -> (usize, usize) {
    let Ok(datagram) = Datagram::read(bytes) else { return (0, 0) };
    let (mut samples, mut usual_samples, mut usual_headers) = (datagram.samples(), 0, 0);
    loop {
        let usual = samples.usual();
        let walked = samples.next();
        if let Some((usual, behind)) = usual {
            let Some(Ok(Sample::Flow(walked))) = walked else { panic!("{usual:?} is not {walked:?}") };
            assert_eq!(format!("{behind:?}"), format!("{samples:?}"));
            assert_eq!(usual.head, walked.head());
            assert_eq!(told(&usual), sorted(walked.records().map(|record| format!("{record:?}"))));
            usual_samples += 1;
            usual_headers += usize::from(compare_header(usual.header.protocol, usual.header.header));
        } else if walked.is_none() {
            return (usual_samples, usual_headers);
        }
    }
}

/// The same of a packet's header alone. Says whether it was read at once.
pub(crate) fn compare_header(protocol: HeaderProtocol, bytes: &[u8]) -> bool {
    if protocol != HeaderProtocol::ETHERNET {
        return false;
    }
    let Some(brief) = Brief::read(bytes) else { return false };
    let packet = Packet::parse(protocol, bytes);
    assert_eq!(brief, Brief::of(&packet), "{packet:?} of {bytes:02x?}");
    // What has no place in it must not be there.
    assert_eq!((packet.tunnel, packet.mpls_labels, packet.igmp_type, packet.ipsec_spi), (None, 0, None, None));
    assert!(packet.vlan_tags < 2 && packet.inner_vlan_id.is_none());
    true
}

/// The records that a usual sample stands for, whatever their order was.
fn told(usual: &UsualSample<'_>) -> Vec<String> {
    let header = FlowRecord::SampledHeader(usual.header);
    let switch = usual.switch.map(FlowRecord::ExtendedSwitch);
    let router = usual.router.map(FlowRecord::ExtendedRouter);
    let sound = |record: FlowRecord<'_>| format!("{:?}", Ok::<_, finderscope_wire::WireError>(record));
    sorted([Some(header), switch, router].into_iter().flatten().map(sound))
}

fn sorted(records: impl Iterator<Item = String>) -> Vec<String> {
    let mut records: Vec<String> = records.collect();
    records.sort();
    records
}
