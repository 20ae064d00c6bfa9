//! Names of interfaces, samplers, VRFs and applications: as tables, and as columns that are looked up.

use arrow::array::RecordBatch;
use finderscope_flow::{Builder, Column, FlowType, Table};
use finderscope_query::{
    Database, Filter, FlowsQuestion, Key, Measure, Name, Order, SeriesQuestion, TopQuestion, UserColumn, UserKind,
    Window, columns_by_alias,
};

use crate::common::{Row, SECOND, T0, ask, batch, lines, read, small};

/// One row of options: exporter, domain, second, subject, element, value.
type Told = (&'static str, u32, i64, &'static str, &'static str, &'static str);

fn octets(address: &str) -> Vec<u8> {
    address.parse::<std::net::Ipv4Addr>().unwrap().octets().to_vec()
}

fn options(told: &[Told]) -> RecordBatch {
    let mut options = Builder::new(Table::Options);
    for &(exporter, domain, second, subject, element, value) in told {
        options.word(Column::Type).push(FlowType::NetflowV9 as i32);
        options.time(Column::TimeReceivedNs).push(T0 + second * SECOND);
        options.address(Column::ExporterAddress).push(&octets(exporter));
        options.address(Column::SamplerAddress).push(&octets(exporter));
        options.u32(Column::ObservationDomainId).push(domain);
        options.text(Column::OptionSubject).push(subject.as_bytes());
        options.text(Column::OptionElement).push(element.as_bytes());
        options.text(Column::OptionValue).push(value.as_bytes());
        options.advance(1);
    }
    options.finish()
}

/// sFlow's counters of agent 192.0.2.9: a port's name, and its speed.
fn counters() -> RecordBatch {
    let mut counters = Builder::new(Table::Counters);
    for (structure, name, speed) in [("port_name", Some("swp1"), None), ("if_counters", None, Some(10_000_000_000))] {
        counters.word(Column::Type).push(FlowType::Sflow5 as i32);
        counters.time(Column::TimeReceivedNs).push(T0 + 5 * SECOND);
        counters.address(Column::ExporterAddress).push(&octets("192.0.2.8"));
        counters.address(Column::SamplerAddress).push(&octets("192.0.2.9"));
        counters.text(Column::Structure).push(structure.as_bytes());
        counters.u32(Column::IfIndex).push(1);
        counters.u64(Column::IfSpeed).push_option(speed);
        counters.u32(Column::IfType).push_option(speed.map(|_| 6));
        counters.u32(Column::IfStatus).push_option(speed.map(|_| 3));
        let extra = counters.map(Column::Extra);
        if let Some(name) = name {
            extra.entry("name", name);
        }
        extra.close();
        counters.advance(1);
    }
    counters.finish()
}

const TOLD: [Told; 14] = [
    ("192.0.2.1", 0, 1, "interface=1", "interfaceName", "Gi0/1"),
    ("192.0.2.1", 0, 1, "interface=1", "interfaceDescription", "to core"),
    ("192.0.2.1", 0, 2, "interface=2", "interfaceName", "old"),
    ("192.0.2.1", 0, 9, "interface=2", "interfaceName", "Gi0/2"),
    ("192.0.2.1", 0, 12, "interface=2", "interfaceName", "Gi0/2"),
    ("192.0.2.2", 0, 3, "interface=1", "interfaceName", "eth0"),
    ("192.0.2.1", 0, 1, "sampler=7", "samplerName", "one-in-100"),
    ("192.0.2.1", 0, 1, "sampler=7", "samplerMode", "2"),
    ("192.0.2.1", 0, 1, "sampler=7", "samplerRandomInterval", "100"),
    ("192.0.2.1", 5, 1, "interface=1", "samplingInterval", "64"),
    ("192.0.2.1", 0, 1, "vrf=10", "VRFname", "red"),
    ("192.0.2.1", 0, 1, "application=13:53", "applicationName", "dns"),
    ("192.0.2.1", 0, 1, "application=13:53", "applicationDescription", "Domain Name System"),
    ("192.0.2.1", 0, 1, "application=13:53", "applicationCategoryName", "net-admin"),
];

fn flows() -> Vec<Row> {
    let row = |exporter, in_if, out_if, bytes| Row { exporter, in_if, out_if, bytes, ..Row::default() };
    vec![
        Row { app: Some("13:53"), ..row("192.0.2.1", 1, 2, 1) },
        Row { app: Some("13:99"), ..row("192.0.2.1", 2, 9, 20) },
        Row { app: Some("ssh"), ..row("192.0.2.2", 1, 2, 300) },
        row("192.0.2.1", 8, 1, 4000),
    ]
}

fn database() -> Database {
    let batches = [(Table::Flows, batch(&flows())), (Table::Options, options(&TOLD)), (Table::Counters, counters())];
    Database::in_memory(batches, small()).unwrap()
}

#[tokio::test]
async fn interfaces_have_the_newest_name_and_since_when() {
    let rows = ask(&database(), "select * from interfaces order by 1, 2, 3").await.unwrap();
    assert_eq!(
        rows,
        [
            "192.0.2.1 192.0.2.1 1 Gi0/1 to core null null null 2026-01-01T00:00:01Z 2026-01-01T00:00:01Z",
            "192.0.2.1 192.0.2.1 2 Gi0/2 null null null null 2026-01-01T00:00:09Z 2026-01-01T00:00:12Z",
            "192.0.2.2 192.0.2.2 1 eth0 null null null null 2026-01-01T00:00:03Z 2026-01-01T00:00:03Z",
            "192.0.2.8 192.0.2.9 1 swp1 null 10000000000 6 3 2026-01-01T00:00:05Z 2026-01-01T00:00:05Z",
        ]
    );
}

#[tokio::test]
async fn samplers_vrfs_and_applications_are_tables_too() {
    let database = database();
    let samplers =
        "select sampler_id, if_index, observation_domain_id, name, algorithm, sampling_rate from samplers order by 1";
    assert_eq!(ask(&database, samplers).await.unwrap(), ["7 null 0 one-in-100 random 100", "null 1 5 null null 64"]);
    assert_eq!(ask(&database, "select exporter_address, vrf_id, name from vrfs").await.unwrap(), ["192.0.2.1 10 red"]);
    let applications = "select application_id, name, description, category from applications";
    assert_eq!(ask(&database, applications).await.unwrap(), ["13:53 dns Domain Name System net-admin"]);
    assert_eq!(
        ask(
            &database,
            "select f.bytes, i.name from flows f join interfaces i on f.sampler_address = i.sampler_address \
            and f.in_if = i.if_index order by 1"
        )
        .await
        .unwrap(),
        ["1 Gi0/1", "20 Gi0/2", "300 eth0"]
    );
}

#[tokio::test]
async fn names_are_columns_where_they_are_asked_for_by_exporter_and_number() {
    let database = database();
    let rows = ask(&database, "select bytes, in_if_name, out_if_name, in_if_alias, app_name from flows order by 1");
    assert_eq!(
        rows.await.unwrap(),
        ["1 Gi0/1 Gi0/2 to core dns", "20 Gi0/2 null null null", "300 eth0 null null ssh", "4000 null Gi0/1 null null"]
    );
    let some = "select count(*) from flows where in_if_name like 'Gi%' and app_name = 'dns'";
    assert_eq!(ask(&database, some).await.unwrap(), ["1"]);
    let nested = "select in_if_name, n from (select in_if_name, count(*) as n from flows group by 1) order by n, 1";
    assert_eq!(ask(&database, nested).await.unwrap(), ["Gi0/1 1", "Gi0/2 1", "eth0 1", "null 1"]);
}

#[tokio::test]
async fn a_star_is_what_is_stored_and_no_name_twice() {
    let database = database();
    let width = |sql: &'static str| {
        let database = &database;
        async move { database.sql(sql, &Window::ALL).await.unwrap().schema().fields().len() }
    };
    let all = width("select * from flows").await;
    assert_eq!(width("select * from flows where in_if_name = 'Gi0/1'").await, all);
    assert_eq!(width("select *, in_if_name, app_name from flows").await, all + 2);
    assert_eq!(width("select f.*, f.in_if_name from flows as f").await, all + 1);
    assert_eq!(width("select * exclude (bytes), in_if_name from flows").await, all);
    let columns = ask(&database, "describe flows").await.unwrap();
    assert!(columns.iter().any(|line| line.starts_with("in_if_name ")), "{columns:?}");
    let error = ask(&database, "select in_if_nam from flows").await.unwrap_err().to_string();
    assert!(error.contains("in_if_name"), "{error}");
}

#[tokio::test]
async fn a_question_about_an_hour_knows_names_of_any_time() {
    let window = Window { since_ns: Some(T0 - SECOND), until_ns: Some(T0 + SECOND), ..Window::ALL };
    let answer = database().sql("select bytes, in_if_name from flows order by bytes", &window).await.unwrap();
    assert_eq!(read(answer).await.unwrap().0, ["1 Gi0/1", "20 Gi0/2", "300 eth0", "4000 null"]);
}

#[tokio::test]
async fn tops_series_lists_and_filters_take_names() {
    let database = database();
    let top = |name: Name, filter: Option<&str>| TopQuestion {
        columns: vec![Key::Name(name)],
        by: Measure::Bytes,
        count: 10,
        filter: filter.map(|filter| Filter::parse(filter).unwrap()),
        window: Window::ALL,
    };
    let rows = database.top(&top(Name::InIfName, None)).await.unwrap().rows;
    // The number stands in for a name that nobody told.
    assert_eq!(lines(&rows), ["8 1 1 4000", "eth0 1 1 300", "Gi0/2 1 1 20", "Gi0/1 1 1 1"]);
    let named = database.top(&top(Name::AppName, Some("in_if_name in [Gi0/1 \"Gi0/2\"]"))).await.unwrap();
    assert_eq!(lines(&named.rows), ["13:99 1 1 20", "dns 1 1 1"]);
    assert_eq!(named.summary.flows, 2);

    let by = Some(Key::Name(Name::OutIfName));
    let filter = Some(Filter::parse("in_if_name != Gi0/1 and bytes > 20").unwrap());
    let series = SeriesQuestion { bin: finderscope_query::Bin::DAY, by, filter, window: Window::ALL };
    let (rows, _) = read(database.series(&series).await.unwrap()).await.unwrap();
    // They ended as the day began, and so their volumes are of the day before.
    let expected = ["2025-12-31T00:00:00Z 2 0 1 300", "2025-12-31T00:00:00Z Gi0/1 0 1 4000"];
    assert_eq!(rows, [&expected[..], &["2026-01-01T00:00:00Z 2 1 0 0", "2026-01-01T00:00:00Z Gi0/1 1 0 0"]].concat());

    let question = FlowsQuestion {
        columns: vec!["bytes".to_owned(), "in_if_name".to_owned()],
        order: Order::By { column: "in_if_name".to_owned(), descending: true },
        filter: Some(Filter::parse("exporter 192.0.2.1").unwrap()),
        ..FlowsQuestion::default()
    };
    let (rows, _) = read(database.flows(&question).await.unwrap()).await.unwrap();
    assert_eq!(rows, ["20 Gi0/2", "1 Gi0/1", "4000 null"]);
    let all = FlowsQuestion { columns: Vec::new(), ..question };
    let width = database.flows(&all).await.unwrap().schema().fields().len();
    assert_eq!(width, Table::Flows.columns().len() + finderscope_query::COMPUTED.len());
    let error = Filter::parse("in_if_nam = x").unwrap_err().to_string();
    assert!(error.contains("in_if_name"), "{error}");
}

#[tokio::test]
async fn samplers_of_a_domain_come_before_those_of_the_exporter() {
    let told = [
        ("192.0.2.1", 1, 1, "sampler=1", "samplerName", "one"),
        ("192.0.2.1", 2, 2, "sampler=1", "selectorName", "two"),
        ("192.0.2.1", 2, 2, "sampler=9", "samplerName", "nine"),
    ];
    let mut flows = Builder::new(Table::Flows);
    for (domain, sampler) in [(1, 1), (2, 1), (3, 1), (1, 9), (1, 5)] {
        flows.time(Column::TimeReceivedNs).push(T0);
        flows.address(Column::ExporterAddress).push(&octets("192.0.2.1"));
        flows.address(Column::SamplerAddress).push(&octets("192.0.2.1"));
        flows.u32(Column::ObservationDomainId).push(domain);
        flows.u64(Column::SamplerId).push(sampler);
        flows.u32(Column::IngressVrfId).push(10);
        flows.advance(1);
    }
    let batches = [(Table::Flows, flows.finish()), (Table::Options, options(&told))];
    let database = Database::in_memory(batches, small()).unwrap();
    let rows = ask(
        &database,
        "select observation_domain_id, sampler_id, sampler_name, ingress_vrf_name from flows order by 1, 2",
    );
    assert_eq!(rows.await.unwrap(), ["1 1 one null", "1 5 null null", "1 9 nine null", "2 1 two null", "3 1 two null"]);
}

#[tokio::test]
async fn what_the_user_declared_is_a_column_of_its_kind() {
    let mut flows = Builder::new(Table::Flows);
    for (rtt, server, label) in [("12", "10.0.0.1", "a"), ("300", "nonsense", "b"), ("x", "2001:db8::1", "c")] {
        flows.time(Column::TimeReceivedNs).push(T0);
        flows.u64(Column::Bytes).push(100);
        let extra = flows.map(Column::Extra);
        extra.entry("rtt", rtt);
        extra.entry("server", server);
        extra.entry("label", label);
        extra.close();
        flows.advance(1);
    }
    let column = |name: &str, kind| UserColumn { name: name.to_owned(), kind };
    let columns =
        vec![column("rtt", UserKind::Number), column("server", UserKind::Address), column("label", UserKind::Text)];
    let database =
        Database::in_memory([(Table::Flows, flows.finish())], small()).unwrap().with_columns(columns.clone());
    let rows = ask(&database, "select label, rtt + 1, server from flows where rtt is null or rtt > 10 order by label");
    assert_eq!(rows.await.unwrap(), ["a 13 10.0.0.1", "b 301 null", "c null 2001:db8::1"]);
    let filter = |text: &str| Some(Filter::parse_with(text, &columns).unwrap());
    let top = TopQuestion {
        columns: columns_by_alias("label", &columns).unwrap(),
        by: Measure::Bytes,
        count: 10,
        filter: filter("rtt >= 12 and server = 10.0.0.1"),
        window: Window::ALL,
    };
    assert_eq!(lines(&database.top(&top).await.unwrap().rows), ["a 1 null 100"]);
    assert!(Filter::parse("rtt > 1").is_err());
}

/// The manual's page lists every column and table of names.
#[tokio::test]
async fn the_manual_lists_every_name() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/names.md")).unwrap();
    for name in Name::ALL {
        let line = format!("| `{}` | `{}` |", name.name(), name.number());
        assert!(page.contains(&line), "docs/names.md lacks {line}");
    }
    for table in ["interfaces", "samplers", "vrfs", "applications"] {
        let answer = database().sql(&format!("select * from {table}"), &Window::ALL).await.unwrap();
        let columns: Vec<String> = answer.schema().fields().iter().map(|field| format!("`{}`", field.name())).collect();
        let line = format!("| `{table}` | {} |", columns.join(", "));
        assert!(page.contains(&line), "docs/names.md lacks {line}");
    }
}

#[test]
fn every_column_that_is_no_tables_is_known_as_such() {
    let computed = finderscope_query::COMPUTED.iter().map(|(name, _)| *name);
    let derived: Vec<&str> = computed.chain(Name::ALL.iter().map(|name| name.name())).collect();
    assert_eq!(derived, Column::DERIVED);
}
