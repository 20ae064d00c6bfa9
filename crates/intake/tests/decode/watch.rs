//! What an onlooker sees.

use finderscope_intake::{ErrorEvent, OptionsEvent, PacketSection, TemplateEvent, Watch};

use crate::harness::{Collector, From, PLAIN, field, ipfix, plain};

#[derive(Default)]
struct Notes(Vec<String>);

impl Watch for Notes {
    fn template(&mut self, event: &TemplateEvent<'_>) {
        let (id, fields) = (event.id, event.fields.len());
        self.0.push(format!("{} template {id} {:?} {fields} {:?}", event.exporter, event.kind, event.change));
    }

    fn options(&mut self, event: &OptionsEvent<'_>) {
        self.0.push(format!("options {} {:?}", event.scope, event.values));
    }

    fn error(&mut self, event: &ErrorEvent) {
        self.0.push(format!("error {} at {}", event.error, event.offset));
    }
}

#[test]
fn templates_options_and_errors_are_seen() {
    let mut notes = Notes::default();
    let mut collector = Collector::new(Default::default());
    let from = From::address("10.0.0.1");
    let mut cut = ipfix(1, |encoder| _ = encoder.template(256, &PLAIN).record(300, &plain(1, 1)));
    cut.truncate(cut.len() - 1);
    for bytes in [
        ipfix(0, |encoder| {
            encoder.template(256, &PLAIN).options_template(257, &[field(149, 4)], &[field(34, 4)]);
            encoder.record_with(257, |writer| _ = writer.u32(7).u32(10)).record(300, &plain(1, 1));
        }),
        cut,
        vec![0, 9, 1],
    ] {
        collector.send_watched(from, &bytes, &mut notes);
    }
    assert_eq!(
        notes.0,
        [
            "10.0.0.1 template 256 Data 7 Learned",
            "10.0.0.1 template 257 Options 2 Learned",
            "options observationDomainId=7 [(\"samplingInterval\", \"10\")]",
            "error template_missing at 82",
            "error message.length: length 77 is over its maximum of 76 at byte 2 at 2",
            "10.0.0.1 template 256 Data 7 Refreshed",
            "error set.length: length 25 is over its maximum of 24 at byte 54 at 54",
            "error header: needs 20 bytes, 3 are left at byte 0 at 0",
        ]
    );
}

/// Notes packets, where they are wanted.
struct Packets {
    wanted: bool,
    notes: Vec<String>,
}

impl Watch for Packets {
    fn wants_packets(&self) -> bool {
        self.wanted
    }

    fn packet(&mut self, section: &PacketSection<'_>) {
        let PacketSection { layer, frame_length, input, output, sampling_rate, .. } = section;
        let bytes = section.bytes.len();
        self.notes.push(format!("{layer:?} {frame_length:?} {input:?} {output:?} {sampling_rate:?} {bytes}"));
    }
}

/// A template before its data and one behind it: the packet is handed out when the record is decoded.
#[test]
fn packets_are_handed_to_who_wants_them_with_what_their_records_say() {
    let sections = ipfix(1, |encoder| {
        for (length, size, rate) in [(20_u8, 1500, 0), (18, 64, 512)] {
            encoder.record_with(256, |writer| {
                writer.u16(size).u16(u16::from(length)).u32(3).u32(4).u32(rate).bytes(&[length; 20]);
            });
        }
    });
    let templates = ipfix(0, |encoder| {
        encoder
            .template(256, &[field(312, 2), field(410, 2), field(10, 4), field(14, 4), field(34, 4), field(315, 20)]);
        encoder.options_template(257, &[field(149, 4)], &[field(34, 4)]);
        encoder.record_with(257, |writer| _ = writer.u32(0).u32(100));
    });
    for wanted in [true, false] {
        let mut packets = Packets { wanted, notes: Vec::new() };
        let mut collector = Collector::new(Default::default());
        collector.send_watched(From::address("10.0.0.1"), &sections, &mut packets);
        collector.send_watched(From::address("10.0.0.1"), &templates, &mut packets);
        assert_eq!(collector.flows().len(), 2);
        let expected: &[&str] =
            &["Ethernet Some(1500) Some(3) Some(4) None 20", "Ethernet Some(64) Some(3) Some(4) Some(512) 18"];
        assert_eq!(packets.notes, if wanted { expected } else { &[] });
    }
}
