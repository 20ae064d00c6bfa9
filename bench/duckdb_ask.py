"""Asks DuckDB one statement about a store's flows: FOLDER THREADS MEMORY_GB STATEMENT. Run by the Python that has it."""

import ipaddress
import json
import sys
import time

import duckdb

folder, threads, memory_gb, statement = sys.argv[1:]
connection = duckdb.connect(config={"threads": int(threads), "memory_limit": f"{memory_gb}GB"})
connection.execute("set TimeZone = 'UTC'")
connection.execute(f"create view flows as select * from read_parquet('{folder}/flows/*/*/*.parquet', union_by_name = true)")
began, began_cpu = time.perf_counter(), time.process_time()
answer = connection.execute(statement)
names = [column[0] for column in answer.description]
rows = answer.fetchall()
wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu


def plain(value):
    """Addresses are bytes, 4 or 16 of them."""
    if isinstance(value, bytes):
        return str(ipaddress.ip_address(value))
    return value if isinstance(value, (int, float, str)) or value is None else str(value)


json.dump({"wall": wall, "cpu": cpu, "rows": [dict(zip(names, map(plain, row))) for row in rows]}, sys.stdout)
