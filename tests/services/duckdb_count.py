#!/usr/bin/env python3
"""What DuckDB counts in a store's folder: flows, bytes and packets for each exporter, as JSON.

    duckdb_count.py FOLDER

The folder may belong to a server that is writing.
"""

import ipaddress
import json
import sys

import duckdb

QUERY = """
    select exporter_address, count(*), sum(bytes), sum(packets),
           sum(bytes * coalesce(sampling_rate, 1)), sum(packets * coalesce(sampling_rate, 1))
    from read_parquet(?, hive_partitioning = true, union_by_name = true)
    group by all
"""
NAMES = ["flows", "bytes", "packets", "bytes_scaled", "packets_scaled"]


def main(folder):
    rows = duckdb.connect().execute(QUERY, [f"{folder}/flows/*/*/*.parquet"]).fetchall()
    totals = {str(ipaddress.ip_address(row[0])): dict(zip(NAMES, map(int, row[1:]))) for row in rows}
    json.dump(totals, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
