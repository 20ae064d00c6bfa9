"""Ten thousand exporters with twenty templates each, beside eight: what a flow costs, and memory."""

from . import collect, exchange, workload
from .collectors import MERGED_LATER, Finderscope

RATE = 15_000
TEMPLATES = 20


def run(bench):
    """Passes with many and with few, of the same number of flows and templates."""
    many, flows = (1_000, 1_000_000) if bench.quick else (10_000, 12_000_000)
    captures = [workload.capture(bench, "ipfix", flows, exporters=exporters, templates=TEMPLATES) for exporters in (many, 8)]
    bench.say(f"exporters: {many} beside 8, {TEMPLATES} templates each, {flows} flows, {bench.rounds} rounds")
    try:
        passes = exchange.pairwise(bench.rounds, *(
            (lambda taken=taken: collect.told(bench, exchange.once(
                bench, Finderscope(bench, bench.scratch / "ours", MERGED_LATER), taken, RATE)))
            for taken in captures))
    finally:
        for taken in captures:
            workload.forget(taken)
    return {"exporters": many, "templates": TEMPLATES, "rate": RATE,
            "many": collect.records(passes[0]), "few": collect.records(passes[1])}
