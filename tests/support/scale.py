#!/usr/bin/env python3
"""What each function of the queue's library costs a Redis that holds a backlog of a million and 2,000 leased jobs.

    scale.py SOCKET LIBRARY [--jobs=N] [--rounds=N]

Redis must be empty and serve nobody else. The same calls are made in several rounds, each from an empty database. What a call cost is the
least of what Redis's SLOWLOG and the processor time of Redis's thread said of it in any round: each of them is an upper bound, which the rest of
the machine can only raise. Then a line for each function: its name, how often it was called in a round, and the microseconds of its dearest
call. What the calls should have done is checked in between.
"""
import argparse
import collections
import random
import re
import socket
import time

LEASE = 3600000
EXCHANGE = 300  # what a worker acknowledges and claims in one (worker/exchange.c)
RUN, OTHER = "weather.k3v9qa", "weather.n0thn0"


class Redis:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.replies = self.socket.makefile("rb")

    def read(self):
        line = self.replies.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        return rest.decode()

    def __call__(self, *words):
        out = [b"*%d\r\n" % len(words)]
        for word in words:
            word = str(word).encode()
            out.append(b"$%d\r\n%s\r\n" % (len(word), word))
        self.socket.sendall(b"".join(out))
        return self.read()


def same(what, expected, found):
    if expected != found:
        raise SystemExit(f"{what}: expected {expected}, found {found}")


def chunk(n):
    return f"2012-01-01..2012-01-03#{n}"


class Round:
    """One pass through everything. `numbers` are the exchanges' numbers by worker; `calls` are (function, microseconds of the processor)."""

    def __init__(self, redis, pid, jobs):
        self.redis, self.jobs, self.numbers, self.calls = redis, jobs, collections.Counter(), []
        self.schedstat = open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii")

    def processor_us(self):
        """Once it has nothing to do any more: what a thread has used is written down when it goes to sleep."""
        before = None
        while True:
            self.schedstat.seek(0)
            now = self.schedstat.read()
            if now == before:
                return int(now.split()[0]) / 1000
            before = now
            time.sleep(0.0001)

    def fcall(self, function, *arguments):
        before = self.processor_us()
        self.redis("SLOWLOG", "RESET")
        reply = self.redis("FCALL", "bf_v1_" + function, 0, 1, *arguments)
        used = self.processor_us() - before
        log = [entry[2] for entry in self.redis("SLOWLOG", "GET", 5) if entry[3][0] == "FCALL"]
        self.calls.append((function, min([used, *log])))
        return reply

    def call(self, function, *arguments):
        reply = self.fcall(function, *arguments)
        if reply[0] != "ok":
            raise SystemExit(f"{function}: {reply}")
        return reply

    def sync(self, run, state, window, jobs):
        self.call("sync_run", run, 6, "state", state, "queue", "default", "concurrency", window, "version", 1, "interval_ms", 0, "steps", "daily",
                  "daily", 0, "released", jobs, 0, 0, 1)

    def push(self, run, jobs):
        """All of it; every tenth page is measured."""
        for at in range(0, jobs, 1000):
            upto = min(at + 1000, jobs)
            page = ("push", run, "daily", at, upto, *[chunk(n) for n in range(at + 1, upto + 1)])
            reply = self.call(*page) if at % 10000 == 0 else self.redis("FCALL", "bf_v1_" + page[0], 0, 1, *page[1:])
            same("pushed", upto, reply[1])

    def hello(self, worker):
        self.call("hello", worker, LEASE, "host", "h", "queues", "default")

    def exchange(self, worker, want, *groups):
        """groups: (verb, delay, jobs). The jobs that were handed out."""
        self.numbers[worker] += 1
        words = [word for verb, delay, jobs in groups for word in (verb, delay, len(jobs), *jobs)]
        return self.call("exchange", worker, self.numbers[worker], LEASE, len(groups), *words, 1, RUN, 1, "default", want)[3]

    def fill(self, worker, jobs):
        held = []
        while len(held) < jobs:
            held += self.exchange(worker, min(EXCHANGE, jobs - len(held)))
        return held

    def number(self, worker):
        """Of its last exchange, as Redis has it."""
        return self.redis("HGET", f"bf:worker:{worker}", "number")

    def hold(self, worker, jobs):
        """Until all is settled; what was lost."""
        lost = []
        while True:
            reply = self.call("hold", worker, self.number(worker), *jobs)
            lost += reply[1]
            if reply[2] == 0:
                return lost

    def expire(self, worker):
        self.redis("ZADD", "bf:workers", 1, worker)
        self.redis("SET", "bf:grace", 0)

    def run(self):
        self.redis("FLUSHALL")
        self.redis("SET", "bf:generation", 1)
        self.sync(RUN, "running", 4000, self.jobs)
        self.push(RUN, self.jobs)
        self.hello("w")
        held = self.fill("w", 2000)
        self.claim_and_acknowledge(held)
        self.retries(held)
        self.stop(held)
        self.lost_and_found(self.fill("w", 2000))
        self.dead_worker()
        self.upkeep()
        self.rebuild()

    def claim_and_acknowledge(self, held):
        for _ in range(8):
            some = held[:EXCHANGE]
            del held[:EXCHANGE]
            held += self.exchange("w", EXCHANGE, ("done", 0, some))
        same("held", 2000, len(held))
        same("done", str(8 * EXCHANGE), self.redis("HGET", f"bf:run:{RUN}", "done"))

    def retries(self, held):
        """30,000 jobs of which each try failed, due at once and in any order, while the window is full."""
        for _ in range(6):
            self.sync(RUN, "running", 4000, self.jobs)
        last = self.redis("LRANGE", f"bf:run:{RUN}:pending:daily", 0, 29999)
        self.redis("LTRIM", f"bf:run:{RUN}:pending:daily", 30000, -1)
        random.Random(1).shuffle(last)
        for at in range(0, len(last), 1000):
            self.redis("ZADD", "bf:delayed:default", *[word for rest in last[at:at + 1000] for word in (1, f"{RUN}/daily/{rest}")])
        for _ in range(len(last) // 200):
            self.exchange("w", 0)
        same("delayed", 0, self.redis("ZCARD", "bf:delayed:default"))
        before = self.redis("HGET", f"bf:run:{RUN}", "done")
        for _ in range(34): # the window moves on: they come in their order
            some = held[:300]
            del held[:300]
            held += self.exchange("w", 300, ("done", 0, some))
        numbers = [int(job.split("#")[1]) for job in held]
        same("the order", sorted(numbers), numbers)
        same("held", int(before) + 10200 + 1, numbers[0])

    def stop(self, held):
        self.sync(RUN, "stopping", 4000, self.jobs)
        random.Random(2).shuffle(held)
        for at in range(0, 2000, EXCHANGE):
            self.exchange("w", 0, ("return", 0, held[at:at + EXCHANGE]))
        waiting = self.redis("LLEN", f"bf:run:{RUN}:pending:daily") + self.redis("ZCARD", f"bf:run:{RUN}:returned:daily")
        ready = self.redis("LLEN", "bf:queue:default")
        same("waiting", self.jobs, waiting + ready + int(self.redis("HGET", f"bf:run:{RUN}", "done")))
        self.sync(RUN, "running", 4000, self.jobs)
        for _ in range(14):
            self.exchange("w", 0, ("drop", 0, [f"{RUN}/daily/none#1"]))
            self.sync(RUN, "running", 4000, self.jobs)
        same("released", 4000, self.redis("SCARD", f"bf:run:{RUN}:released"))

    def lost_and_found(self, held):
        same("lost", [], self.hold("w", held))
        # an older image: the jobs stand in the queue, some of them behind those of another run
        self.sync(OTHER, "running", 3000, 6000)
        self.push(OTHER, 6000)
        self.redis("DEL", "bf:worker:w:jobs")
        self.redis("LPUSH", "bf:queue:default", *held[:1950])
        self.redis("RPUSH", "bf:queue:default", *held[1950:])
        same("lost", [], self.hold("w", held))
        same("held", 2000, self.redis("HLEN", "bf:worker:w:jobs"))
        # all of them are another's by now
        self.redis("RENAME", "bf:worker:w:jobs", "bf:worker:x:jobs")
        same("lost", 2000, len(set(self.hold_once_each(held))))
        self.redis("RENAME", "bf:worker:x:jobs", "bf:worker:w:jobs")
        # it holds nothing
        ready = self.redis("LLEN", "bf:queue:default")
        same("lost", [], self.hold("w", []))
        same("ready", ready + 2000, self.redis("LLEN", "bf:queue:default"))

    def hold_once_each(self, held):
        lost, left = [], held
        while left:
            some = self.call("hold", "w", self.number("w"), *left)[1]
            same("something was lost", True, len(some) > 0)
            lost += some
            left = [job for job in left if job not in set(some)]
        return lost

    def dead_worker(self):
        self.fill("w", 2000)
        ready = self.redis("LLEN", "bf:queue:default")
        self.hello("alive")
        self.hello("also")
        self.exchange("also", 5)
        self.exchange("alive", 0)
        for _ in range(12):
            for worker in ("w", "also"):
                if self.redis("ZSCORE", "bf:workers", worker):
                    self.expire(worker)
            self.call("sweep", LEASE)
        same("dead workers", ["alive"], self.redis("ZRANGE", "bf:workers", 0, -1))
        same("ready", ready + 2000, self.redis("LLEN", "bf:queue:default"))

    def upkeep(self):
        self.fill("alive", 2000)
        head = self.redis("LRANGE", f"bf:run:{RUN}:pending:daily", 0, 1999)
        lost, kept = head[:1000], head[1000:]
        self.redis("LTRIM", f"bf:run:{RUN}:pending:daily", 1000, -1)
        for at in range(0, 1000, 100):
            for some in (lost[at:at + 100], kept[at:at + 100], [chunk(n) for n in range(self.jobs - at - 99, self.jobs - at + 1)]):
                self.call("missing", RUN, *[word for rest in some for word in ("daily", rest)])
        same("missing", list(range(1, 101)), self.call("missing", RUN, *[word for rest in lost[:100] for word in ("daily", rest)])[1])
        for at in range(0, 1000, 100):
            names = [word for rest in lost[at:at + 100] for word in ("daily", rest, "dead" if at % 200 else "alive")]
            same("adopted", 100, self.call("adopt", RUN, LEASE, 0, *names)[1])
        for _ in range(3):
            self.call("repair", RUN, "daily", 14000, 0, 0, 0)
            self.call("recount", RUN, "daily", 14000, 0, 0, 0, 14000, 0, 0, 0)
        self.redis("LTRIM", "bf:queue:default", 300, -1)
        back = sum(self.call("repair", run)[1] for run in (RUN, OTHER) * 8)
        same("put back some, and none that was not lost", True, 0 < back <= 300)

    def rebuild(self):
        self.call("rebuild_begin", 1, "default", RUN, 1, "daily", OTHER, 1, "daily")
        self.sync(RUN, "running", 4000, self.jobs)
        for at in range(0, 2000, 100):
            self.call("adopt", RUN, LEASE, 1, *[word for n in range(at + 1, at + 101) for word in ("daily", chunk(n), "alive")])
        self.push(RUN, 5000)
        self.call("repair", RUN, "daily", 14000, 0, 0, 0)
        self.call("rebuild_end", LEASE)
        same("held", 2000, self.redis("HLEN", "bf:worker:alive:jobs"))
        self.call("end_run", RUN, 1, "daily", 14000, 0, 0, 0)
        self.hold("alive", [])
        self.call("goodbye", "alive", "default")


def cheapest(*measures):
    """Of several measures of the same calls: the least of each call."""
    for other in measures[1:]:
        same("calls", [name for name, _ in measures[0]], [name for name, _ in other])
    return [(calls[0][0], min(us for _, us in calls)) for calls in zip(*measures)]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("socket")
    options.add_argument("library")
    options.add_argument("--jobs", type=int, default=1000000)
    options.add_argument("--rounds", type=int, default=4)
    options = options.parse_args()
    redis = Redis(options.socket)
    pid = int(re.search(r"process_id:(\d+)", redis("INFO", "server"))[1])
    redis("CONFIG", "SET", "slowlog-log-slower-than", 0)
    with open(options.library, encoding="utf-8") as library:
        redis("FUNCTION", "LOAD", "REPLACE", library.read())
    measures = []
    for _ in range(options.rounds):
        this = Round(redis, pid, options.jobs)
        this.run()
        measures.append(this.calls)
    costs = collections.defaultdict(list)
    for name, us in cheapest(*measures):
        costs[name].append(us)
    for name, us in sorted(costs.items()):
        print(name, len(us), round(max(us)))


if __name__ == "__main__":
    main()
