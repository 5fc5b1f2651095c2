"""The measures, and the table. Started by tests/bench/run, which says how."""
import argparse
import os
import random
import re
import subprocess
import sys
import time
from statistics import median

import limits
from world import Worker, World, machine, memory_mib, processor_shares, run_seconds

rows = []


def show(what, here, limit="", ratio="", target="", met=None):
    rows.append((what, here, limit, ratio, target, "" if met is None else "met" if met else "MISSED"))
    print("  " + " | ".join(filter(None, rows[-1])), file=sys.stderr, flush=True)


def a_second(rate):
    return f"{rate:,.0f}/s"


def pairs(rounds, here, limit):
    """Measures here and limit in turns (a machine's speed drifts): the medians, and the median of the rounds' ratios."""
    results = []
    for i in range(rounds):
        first, second = (here, limit) if i % 2 == 0 else (limit, here)
        a, b = first(), second()
        results.append((a, b) if i % 2 == 0 else (b, a))
    return median(a for a, _ in results), median(b for _, b in results), median(a / b for a, b in results)


# ---- noop ----


def measure_noop(quick):
    jobs, rounds = (2000, 1) if quick else (100_000, 5)
    slots = 2000
    world = World("bench_noop", 1)
    shares, batches = [], []

    def here():
        world.clear()
        run, _, _ = world.plan("noop", jobs)
        world.checkpoint()
        with Worker(world, f"--slots={slots}") as worker:
            before = processor_shares(worker.pid)
            world.wait_settled(run, jobs)
            shares.append([after - was for after, was in zip(processor_shares(worker.pid), before)])
        batches.append(jobs / world.number(f"select count(distinct xmin::text) from bf.job where run = '{run}'"))
        return jobs / world.spread(run, jobs)

    def ledger():
        world.clear()
        run, _, _ = world.plan("noop", jobs)
        world.sql("update bf.run set state = 'running'", "update bf.step set state = 'released'")
        world.checkpoint()
        return limits.ledger_rate(world, run, "noop", jobs, max(1, round(median(batches))))

    rate, limit, ratio = pairs(rounds, here, lambda: limits.redis_rate(jobs))
    show(f"noop, backlog {jobs:,}: against redis-benchmark", a_second(rate), a_second(limit), f"{ratio:.2f}", "≥ 0.35", ratio >= 0.35)
    rate, limit, ratio = pairs(max(1, rounds // 2 + 1), here, ledger)
    show(f"  against pgbench, the same statements by {median(batches):.0f} jobs", a_second(rate), a_second(limit), f"{ratio:.2f}")
    worker, redis, postgres = (median(share) / jobs * 1e6 for share in zip(*shares))
    show("  processor time a job: worker, Redis, PostgreSQL", f"{worker:.1f}, {redis:.1f}, {postgres:.1f} µs")


# ---- sql ----


def measure_sql(quick):
    jobs, rounds = (400, 1) if quick else (20_000, 5)
    slots = 8
    table = "create table bench_daily (day int primary key, total int not null)"
    effect = "insert into bench_daily (day, total) values (:seq, 1) on conflict (day) do update set total = bench_daily.total + 1"
    world = World("bench_sql", 1)

    def here():
        world.clear()
        world.sql(table)
        run, _, _ = world.plan("upsert", jobs)
        world.checkpoint()
        with Worker(world, f"--slots={slots}"):
            world.wait_settled(run, jobs)
        if world.number("select sum(total) from bench_daily") != jobs:
            raise RuntimeError("the effects are not there exactly once")
        return jobs / world.spread(run, jobs)

    def limit():
        world.clear()
        world.sql(table)
        run, _, _ = world.plan("upsert", jobs)
        return limits.transaction_rate(world, run, "upsert", jobs, slots, effect)

    rate, most, ratio = pairs(rounds, here, limit)
    show(f"sql, {slots} slots: against pgbench, {slots} clients", a_second(rate), a_second(most), f"{ratio:.2f}", "≥ 0.70", ratio >= 0.7)


# ---- plan ----


def measure_plan(quick):
    jobs = 5000 if quick else 1_000_000
    world = World("bench_plan", 1)
    world.plan("start")  # loads the function libraries, which are not part of a job's memory
    before = world.redis.used_memory()
    _, seconds, mib = world.plan("noop", jobs)
    time.sleep(1)
    each = (world.redis.used_memory() - before) / jobs
    copying = limits.copy_seconds(world)
    show(f"plan and queue {jobs:,} jobs: against \\copy of the rows", f"{seconds:.2f} s", f"{copying:.2f} s", f"{seconds / copying:.2f}",
         "< 10 s", seconds < 10)
    show("  memory of enqueue, most", f"{mib:.0f} MiB", "", "", "< 200 MiB", mib < 200)
    show("  memory of Redis for a pending job", f"{each:.1f} bytes", "", "", "≤ 40 bytes", each <= 40)
    world.clear()


# ---- backlog ----


def measure_backlog(quick):
    small, large, rounds = (1000, 5000, 1) if quick else (10_000, 1_000_000, 63)  # one round's ratio is off by 15 %
    worlds = [(World("bench_large", 1), large), (World("bench_small", 2), small)]
    runs = {}
    for world, backlog in worlds:
        runs[world], _, _ = world.plan("noop", backlog, concurrency=SLOTS_BACKLOG)

    def rate_of_first(world, backlog):
        """The rate over the first jobs of the round, but for those of the start and of the end, when batches are smaller."""
        if backlog == small or world.settled(runs[world]) > backlog / 4:
            world.clear()
            runs[world], _, _ = world.plan("noop", backlog, concurrency=SLOTS_BACKLOG)
        world.sql("vacuum analyze bf.job")  # autovacuum would come to the large one only, in the middle of a round
        run = runs[world]
        done = world.settled(run)
        world.checkpoint()
        with Worker(world, f"--slots={SLOTS_BACKLOG}"):
            world.wait_settled(run, done + small)
        first, last = done + small * 0.1, done + small * 0.9
        return world.number(
            "select (max(place) - min(place)) / extract(epoch from max(finished_at) - min(finished_at)) from ("
            f"select finished_at, row_number() over (order by finished_at) as place from bf.job where run = '{run}' and state = 'done') j "
            f"where place between {first} and {last}")

    rate, base, ratio = pairs(rounds, lambda: rate_of_first(*worlds[0]), lambda: rate_of_first(*worlds[1]))
    show(f"noop, backlog {large:,} against {small:,}", a_second(rate), a_second(base), f"{ratio:.2f}", "0.95 to 1.05", 0.95 <= ratio <= 1.05)
    for world, _ in worlds:
        world.clear()


SLOTS_BACKLOG = 200

# ---- idle ----


def measure_idle(quick):
    seconds = 2 if quick else 30
    world = World("bench_idle", 1)
    with Worker(world) as worker:
        time.sleep(1 if quick else 5)
        before = run_seconds(worker.pid)
        time.sleep(seconds)
        share = (run_seconds(worker.pid) - before) / seconds * 100
        resident, proportional = memory_mib(worker.pid)
    show(f"idle worker, {seconds} s: share of a core", f"{share:.3f} %", "", "", "< 0.2 %", share < 0.2)
    show("  resident memory (its share of what is shared)", f"{resident:.1f} MiB ({proportional:.1f})", "", "", "< 12 MiB", resident < 12)


# ---- latency ----


class Session:
    """One connection to the ledger that stays open."""

    def __init__(self, world):
        self.psql = subprocess.Popen(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", world.database_url], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, bufsize=1)

    def __call__(self, statement):
        self.psql.stdin.write(f"{statement};\n\\echo end\n")
        lines = []
        while (line := self.psql.stdout.readline().strip()) != "end":
            if not line and self.psql.poll() is not None:
                raise RuntimeError(f"psql ended at: {statement}")
            lines.append(line)
        return "\n".join(lines)


# A run like the one that was planned, known to the ledger and not yet to Redis.
CLONE = """with run as (
    insert into bf.run (run, pipeline, sha256, dir, queue, params, identity, options, concurrency, interval_ms, state, requested_by)
    select '{new}', pipeline, sha256, dir, queue, params, identity, options, concurrency, interval_ms, 'running', requested_by
      from bf.run where run = '{old}'
), step as (
    insert into bf.step (run, step, ordinal, kind, state, planned, needs, on_failure, concurrency, released_at)
    select '{new}', step, ordinal, kind, 'released', planned, needs, on_failure, concurrency, now() from bf.step where run = '{old}'
)
insert into bf.job (run, step, seq, chunk, key) select '{new}', step, seq, chunk, key from bf.job where run = '{old}'"""


def push_one(world, session, old, new):
    """Pushes the run's one job as enqueue does, and returns the moment by Redis's clock, in ms."""
    generation = world.redis("GET", "bf:generation")
    session(CLONE.format(old=old, new=new))
    fields = ["state", "running", "pipeline", "bench-start", "queue", "default", "steps", "start", "version", 0, "concurrency", 3, "interval_ms", 0]
    world.redis("FCALL", "bf_v1_sync_run", 0, generation, new, len(fields) // 2, *fields, "start", 0, "released", 1, 0, 0, 1)
    world.redis.send(("TIME",), ("FCALL", "bf_v1_push", 0, generation, new, "start", 0, 1, "1#1"))
    seconds, micros = world.redis.read()
    world.redis.read()
    return int(seconds) * 1e3 + int(micros) / 1e3


def wait_idle(world, run):
    while world.settled(run) < 1 or world.redis("SCARD", "bf:idle:default") < 1 or world.redis("HGET", f"bf:run:{run}", "state") != "done":
        time.sleep(0.005)
    time.sleep(0.03 + 0.05 * random.random())


def measure_latency(quick):
    samples, warm = (10, 3) if quick else (200, 20)
    world = World("bench_latency", 1)
    session = Session(world)
    pushed = {}
    with Worker(world):
        old, _, _ = world.plan("start")
        wait_idle(world, old)
        for i in range(samples + warm):
            run = f"bench-start.{i}"
            at = push_one(world, session, old, run)
            if i >= warm:
                pushed[run] = at
            wait_idle(world, run)
    moments = {}
    for line in world.sql("select run, extract(epoch from j.started_at) * 1000, extract(epoch from s.at) * 1000 "
                          "from bf.job j join bench_started s using (run)").splitlines():
        run, opened, started = line.split("|")
        moments[run] = float(opened), float(started)
    opened = sorted(moments[run][0] - at for run, at in pushed.items())
    started = sorted(moments[run][1] - at for run, at in pushed.items())
    pop = median(limits.pop_latency_ms(20 if quick else 200))
    commit = limits.commit_latency_ms(20 if quick else 1000)
    show(f"push to the job's first statement, median of {samples}", f"{median(started):.2f} ms", f"{pop + commit:.2f} ms",
         f"{median(started) / (pop + commit):.1f}", "< 2 ms", median(started) < 2)
    show("  95 of 100 below", f"{started[int(len(started) * 0.95)]:.2f} ms")
    show("  push to its being opened in the ledger, median", f"{median(opened):.2f} ms", "", "", "< 2 ms", median(opened) < 2)
    show("  limit: a bare blocked pop and one commit", "", f"{pop:.2f} + {commit:.2f} ms")


# ---- scale ----


def measure_scale(quick):
    script = os.path.join(os.path.dirname(__file__), "../chaos/scale")
    small = ["--jobs=100000", "--rounds=1"] if quick else []
    out = subprocess.run([script, *small], stdout=subprocess.PIPE, text=True).stdout
    costs = sorted(((int(us), name) for name, us in re.findall(r"^(\w+) +\d+ calls +(\d+) µs", out, re.M)), reverse=True)
    if not costs:
        raise RuntimeError("tests/chaos/scale measured nothing")
    most, name = costs[0]
    show(f"dearest call of a queue function, {'100,000' if quick else '1,000,000'} jobs: {name}", f"{most / 1000:.1f} ms", "", "", "< 5 ms", most < 5000)
    show("  the next ones", ", ".join(f"{name} {us / 1000:.1f}" for us, name in costs[1:4]))


# ---- all ----

MEASURES = {"noop": measure_noop, "sql": measure_sql, "plan": measure_plan, "backlog": measure_backlog, "idle": measure_idle,
            "latency": measure_latency, "scale": measure_scale}
SETTINGS = """noop     worker --slots=2000, the pipeline's concurrency 2000: one process; each job is opened and settled in PostgreSQL.
         redis-benchmark: 50 clients, EVALSHA of LMOVE pending → processing, HINCRBY, LREM of that job, on a list as long as the backlog.
         pgbench: two connections, open_jobs.sql and settle_jobs.sql, prepared, in batches of the worker's mean size.
sql      worker --slots=8 (the default), the pipeline's concurrency 104. pgbench: 8 clients, the whole message that the worker sends for a job, settle included.
plan     enqueue run, keys from a query; memory of Redis by used_memory before and after.
backlog  worker --slots=200, concurrency 200, ledgers and queues of their own, in turns; the rate over the first jobs of each round.
idle     worker with its default settings and nothing to do; the time of all its threads.
scale    each of the queue's functions with 2,000 leased jobs, on a Redis of its own: tests/chaos/scale.
latency  one job at a time to an idle worker; from Redis's TIME before the push to clock_timestamp() in the job's own SQL, one machine's clock.
Each round has a fresh ledger and begins with a checkpoint. Medians of rounds in turns (A B B A …); the ratio is the median of the rounds' ratios."""


def table():
    head = ("MEASURE", "HERE", "LIMIT", "RATIO", "TARGET", "")
    widths = [max(len(row[i]) for row in rows + [head]) for i in range(6)]
    for row in [head] + rows:
        print("  ".join(cell.ljust(width) if i in (0, 5) else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(MEASURES))
    options = parser.parse_args()
    wanted = options.only.split(",")
    for name in wanted:
        if name not in MEASURES:
            sys.exit(f"tests/bench/run: --only: found \"{name}\", expected {', '.join(MEASURES)}")
    facts = machine()
    subprocess.run(["enqueue", "migrate"], check=True, stdout=subprocess.DEVNULL)
    for name in wanted:
        print(f"{name} …", file=sys.stderr, flush=True)
        MEASURES[name](options.quick)
    for name, value in facts:
        print(f"{name:<12}{value}")
    print()
    table()
    print()
    print(SETTINGS)
    if options.quick:
        print("\nThese are small numbers, from --quick: they say nothing about speed.")


main()
