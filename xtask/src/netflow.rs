//! The manual's page on the NetFlow versions without templates: what lies where in a record, and where it is found.

use std::fmt::Write;

use finderscope_flow::registry;
use finderscope_wire::netflow::fixed::{Field, Layout};
use finderscope_wire::netflow::v8;

const HEAD: &str = "# NetFlow without templates

Versions 1, 5, 6, 7 and 8 have records of one layout each; `type` says which version a flow came in. (Versions 9 and IPFIX say what
their records are: [elements](elements.md).)

| version | of | sequence counts | header says sampling | domain |
|---|---|---|---|---|
| 1 | the first routers; MikroTik, softflowd and fprobe still | nothing: what is lost is not known | no | 0 |
| 5 | nearly everybody | flows | yes | engine type * 256 + engine id |
| 6 | few; encapsulation beside version 5 | flows | yes | as in version 5 |
| 7 | Catalyst switches | flows | no | 0 |
| 8 | routers that aggregate; Catalyst switches; NetStream | records, in each aggregation by itself | yes | aggregation * 65536 + engine type * 256 + engine id |

* The **domain** is in the column `observation_domain_id`. Where a header cannot say a sampling rate, `sampling_rate` is null unless
  the configuration gives one.
* A record of version 8 stands for many flows: `bytes` and `packets` are their sums, `extra['deltaFlowCount']` is how many they were, and
  start and end are the first packet's and the last's. What the aggregation left out is null. With prefixes, `src_addr` and `dst_addr` are the
  network's address.
* **A router that runs several aggregations tells of the same packets once in each.** Sum over one of them:
  `where observation_domain_id / 65536 = 5`.
* An aggregation that is not on this page is counted as an unknown set (`aggregation 15` in `finderscope status`).
* Addresses, ports and autonomous systems are as wide as the formats: 4, 2 and 2 bytes. None of them carries IPv6.
* Uptimes become times by the header's clock, and a sampling interval of 0 means unsampled: [semantics](semantics.md).
* Bytes behind the records that the header counts are nothing (Catalyst switches pad); a count of more records than are there is damage,
  and costs what is not there.

`finderscope generate v1`, `v5`, `v6`, `v7` and `v8` make such datagrams.
";

/// The page, without its first line.
pub(crate) fn page() -> String {
    let mut out = HEAD.to_owned();
    for layout in Layout::all() {
        let length = layout.record_length();
        let _ = match layout.version {
            v8::VERSION => {
                write!(out, "\n## Version 8, aggregation {}: {} ({length} bytes)\n", layout.aggregation, layout.name)
            }
            version => write!(out, "\n## Version {version} ({length} bytes)\n"),
        };
        if layout.version == 6 {
            out.push_str("\nVersion 5 is the same up to byte 45; two bytes that say nothing follow.\n");
        }
        out.push_str("\n| byte | field | bytes | found in |\n|---|---|---|---|\n");
        let mut at = 0;
        for field in layout.fields {
            if !field.is_padding() {
                let _ = writeln!(out, "| {at} | {} | {} | {} |", field.name(), field.length(), place(*field));
            }
            at += field.length();
        }
    }
    out
}

fn place(field: Field) -> String {
    let Some(element) = field.element() else { return format!("`extra['{}']`", field.name()) };
    match (element, registry::column_of(None, element)) {
        (22, _) => "`time_flow_start_ns`".to_owned(),
        (21, _) => "`time_flow_end_ns`".to_owned(),
        (_, Some(column)) => format!("`{}`", column.name()),
        (_, None) => {
            let name = registry::element(None, element).map_or("", |element| element.name);
            format!("`extra['{name}']`")
        }
    }
}
