//! SQL over the tables: literals, operators, computed columns, and what is refused.

use crate::common::{Row, ask, memory, read};
use finderscope_query::{Database, Error, Warning, Window};

fn flows() -> Database {
    memory(&[
        Row {
            src: Some("10.1.2.3"),
            dst: Some("192.0.2.9"),
            bytes: 1000,
            packets: 10,
            rate: Some(1),
            ..Row::default()
        },
        Row { src: Some("10.200.0.1"), bytes: 200, packets: 2, rate: Some(100), received_s: 60, ..Row::default() },
        Row {
            src: Some("2001:db8::1"),
            dst: Some("2001:db8::2"),
            bytes: 30,
            rate: None,
            received_s: 120,
            ..Row::default()
        },
        Row {
            src: Some("::ffff:10.1.2.3"),
            bytes: 4,
            src_mac: Some(0x0011_2233_4455),
            bytes_l3: Some(3),
            ..Row::default()
        },
    ])
}

async fn check(sql: &str, expected: &[&str]) {
    assert_eq!(ask(&flows(), sql).await.unwrap(), expected, "{sql}");
}

async fn refused(sql: &str) -> String {
    match flows().sql(sql, &Window::ALL).await {
        Err(error) => error.to_string(),
        Ok(answer) => read(answer).await.unwrap_err().to_string(),
    }
}

#[tokio::test]
async fn addresses_are_compared_with_text_of_both_families() {
    check("select bytes from flows where src_addr = '10.1.2.3'", &["1000"]).await;
    check("select bytes from flows where '2001:db8::1' = src_addr", &["30"]).await;
    check("select bytes from flows where src_addr = '::ffff:10.1.2.3'", &["4"]).await;
    check("select bytes from flows where src_addr <> '10.1.2.3' order by 1", &["4", "30", "200"]).await;
    check("select bytes from flows where src_addr in ('10.1.2.3', '2001:db8::1') order by 1", &["30", "1000"]).await;
    check("select bytes from flows where src_addr between '10.1.0.0' and '10.1.255.255'", &["1000"]).await;
    check("select bytes from flows where src_addr = ip('10.1.2.3')", &["1000"]).await;
    check("select case src_addr when '10.1.2.3' then 1 else 0 end from flows where bytes = 1000", &["1"]).await;
    check("select bytes from flows where src_addr is distinct from '10.1.2.3' order by 1", &["4", "30", "200"]).await;
}

#[tokio::test]
async fn prefixes_match_their_own_family_only() {
    check("select bytes from flows where src_addr <<= '10.0.0.0/8' order by 1", &["200", "1000"]).await;
    check("select bytes from flows where cidr_match(src_addr, '2001:db8::/32')", &["30"]).await;
    check("select bytes from flows where '10.1.0.0/16' >>= src_addr", &["1000"]).await;
    check(
        "select bytes from flows where not src_addr <<= '10.0.0.0/8' and src_addr <<= '::/0' order by 1",
        &["4", "30"],
    )
    .await;
    check("select cidr_match(ip('10.1.2.3'), '10.0.0.0/8')", &["true"]).await;
    check("select cidr_match('10.1.2.3', '10.0.0.0/8')", &["true"]).await;
    check("select 1 << 2", &["4"]).await;
    check("select '<<=' as text", &["<<="]).await;
}

#[tokio::test]
async fn addresses_print_as_text_wherever_they_come_out() {
    check("select src_addr from flows where bytes = 30", &["2001:db8::1"]).await;
    check("select min(src_addr), max(dst_addr) from flows where bytes in (200, 1000)", &["10.1.2.3 192.0.2.9"]).await;
    check(
        "select src_addr as a, count(*) from (select * from flows) group by a order by a limit 1",
        &["::ffff:10.1.2.3 1"],
    )
    .await;
    check("with f as (select dst_addr d from flows) select distinct d from f order by d desc limit 1", &["192.0.2.9"])
        .await;
}

#[tokio::test]
async fn macs_are_compared_and_print_as_macs() {
    check("select bytes from flows where src_mac = '00:11:22:33:44:55'", &["4"]).await;
    check("select src_mac from flows where src_mac in ('0011.2233.4455')", &["00:11:22:33:44:55"]).await;
    check("select max(src_mac) from flows", &["00:11:22:33:44:55"]).await;
    check("select m from (select min(src_mac) as m from flows) order by m", &["00:11:22:33:44:55"]).await;
}

#[tokio::test]
async fn times_are_compared_with_text() {
    check("select bytes from flows where time_received_ns >= '2026-01-01T00:02:00Z'", &["30"]).await;
    check("select bytes from flows where time_received_ns = '2026-01-01 01:01:00+01:00'", &["200"]).await;
    check("select time_received_ns from flows where bytes = 30", &["2026-01-01T00:02:00Z"]).await;
}

#[tokio::test]
async fn scaled_volumes_count_the_sampling_rate_in() {
    check("select bytes_scaled, packets_scaled from flows where bytes = 200", &["20000 200"]).await;
    check("select bytes_scaled from flows where bytes = 30", &["30"]).await;
    check("select sum(bytes_scaled) from flows", &["21034"]).await;
    let huge = memory(&[Row { bytes: u64::MAX / 2, rate: Some(1000), ..Row::default() }]);
    assert_eq!(ask(&huge, "select bytes_scaled from flows").await.unwrap(), [u64::MAX.to_string()]);
}

#[tokio::test]
async fn bytes_of_the_ip_layer_are_filled_in() {
    check("select bytes, bytes_l3 from flows order by bytes", &["4 3", "30 30", "200 200", "1000 1000"]).await;
}

#[tokio::test]
async fn words_are_text() {
    check("select type, count(*) from flows group by type", &["IPFIX 4"]).await;
    check("select count(*) from flows where time_source = 'absolute'", &["4"]).await;
}

#[tokio::test]
async fn tables_without_rows_are_there() {
    for table in ["counters", "drops", "events", "options", "interfaces", "samplers"] {
        check(&format!("select count(*) from {table}"), &["0"]).await;
    }
}

#[tokio::test]
async fn a_plain_sum_over_sampled_rows_is_told_of_the_scaled_column() {
    let warnings =
        |sql: &'static str| async move { read(flows().sql(sql, &Window::ALL).await.unwrap()).await.unwrap().1 };
    let unscaled = Warning::Unscaled { column: "bytes", scaled: "bytes_scaled" };
    assert_eq!(warnings("select sum(bytes) from flows").await, std::slice::from_ref(&unscaled));
    assert_eq!(
        warnings("select src_addr, sum(f.bytes) b from flows f group by 1 order by b").await,
        std::slice::from_ref(&unscaled)
    );
    assert_eq!(warnings("select sum(bytes) from flows where src_addr = '10.1.2.3'").await, []);
    assert_eq!(warnings("select sum(bytes_scaled), max(bytes) from flows").await, []);
    let both = warnings("select sum(bytes), sum(packets) from flows").await;
    assert_eq!(both, [unscaled, Warning::Unscaled { column: "packets", scaled: "packets_scaled" }]);
}

#[tokio::test]
async fn a_watched_sum_keeps_its_name_and_value() {
    let answer = flows().sql("select sum(bytes) from flows", &Window::ALL).await.unwrap();
    assert_eq!(answer.schema().field(0).name(), "sum(flows.bytes)");
    check("select sum(bytes) from flows", &["1234"]).await;
    check("select sum(bytes) filter (where packets > 1) from flows", &["1200"]).await;
}

#[tokio::test]
async fn a_literal_that_is_no_address_is_named() {
    assert_eq!(
        refused("select * from flows where src_addr = '10.1.2.300'").await,
        "'10.1.2.300' is not an IP address such as 10.1.2.3 or 2001:db8::1"
    );
    assert!(refused("select * from flows where src_addr = '10.0.0.0/8'").await.contains("<<="));
    assert!(refused("select * from flows where src_addr like '10.%'").await.contains("<<="));
    assert!(refused("select * from flows where src_addr in ('10.1.2.3', 'x')").await.contains("'x'"));
    assert!(refused("select * from flows where src_mac = '00:11'").await.contains("'00:11' is not a MAC"));
    assert!(refused("select * from flows where time_received_ns > 'soon'").await.contains("'soon' is not a time"));
    assert!(refused("select * from flows where src_addr <<= '10.0.0.0/99'").await.contains("'10.0.0.0/99'"));
    assert!(refused("select ip('nobody')").await.contains("'nobody'"));
}

#[tokio::test]
async fn a_wrong_name_gives_one_line_with_the_nearest_names() {
    let text = refused("select src_adr from flows").await;
    assert!(text.starts_with("no column src_adr; the nearest are src_addr"), "{text}");
    let text = refused("select f.byts from flows f").await;
    assert!(text.starts_with("no column f.byts; the nearest is bytes"), "{text}");
    assert!(refused("select 1 from flws").await.starts_with("no table flws; there are flows, counters"));
    assert!(refused("select summ(bytes) from flows").await.starts_with("no function summ"));
    for sql in
        ["select src_adr from flows", "select 1 from flws", "select summ(bytes) from flows", "selec 1", "select ("]
    {
        assert_eq!(refused(sql).await.lines().count(), 1, "{sql}");
    }
}

#[tokio::test]
async fn statements_that_write_or_read_files_are_off() {
    for sql in [
        "create table t as select 1",
        "create view v as select 1",
        "create external table t stored as parquet location '/etc/passwd'",
        "drop table flows",
        "insert into flows select * from flows",
        "delete from flows",
        "update flows set bytes = 1",
        "copy flows to '/tmp/x'",
        "copy (select 1) to '/tmp/x'",
        "set datafusion.execution.batch_size = 1",
        "explain analyze select 1",
        "explain insert into flows select * from flows",
        "select * into t from flows",
        "select * from '/etc/passwd'",
        "select * from 'flows.parquet'",
        "select * from read_parquet('x.parquet')",
        "select * from generate_series(1, 10)",
        "select 1; select 2",
        "",
    ] {
        let error = flows().sql(sql, &Window::ALL).await.unwrap_err();
        assert!(error.is_wrong_question(), "{sql}: {error:?}");
    }
    let off = flows().sql("drop table flows", &Window::ALL).await.unwrap_err();
    assert!(matches!(off, Error::NotAllowed(_)));
    assert!(off.to_string().starts_with("DROP TABLE is off: only SELECT"), "{off}");
}

#[tokio::test]
async fn what_only_looks_is_allowed() {
    for sql in [
        "explain select src_addr from flows",
        "describe flows",
        "show tables",
        "values (1), (2)",
        "with a as (select 1) select * from a",
    ] {
        assert!(!ask(&flows(), sql).await.unwrap().is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn subqueries_and_joins_read_their_literals_too() {
    check(
        "select count(*) from flows where src_addr in (select src_addr from flows where src_addr = '10.1.2.3')",
        &["1"],
    )
    .await;
    check("select count(*) from flows a join flows b on a.src_addr = b.src_addr and b.src_addr = '10.1.2.3'", &["1"])
        .await;
    check(
        "select bytes from flows f where exists (select 1 from flows where dst_addr = '192.0.2.9' and src_addr = f.src_addr)",
        &["1000"],
    )
    .await;
    check("select count(*) from flows having min(src_addr) = '::ffff:10.1.2.3'", &["4"]).await;
}
