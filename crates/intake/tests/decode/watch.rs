//! What an onlooker sees.

use finderscope_intake::{ErrorEvent, OptionsEvent, TemplateEvent, Watch};

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
