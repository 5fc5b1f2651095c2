"""What the measures stand on: the private servers, ledgers of their own in them, worker processes, and what /proc says of those."""
import os
import re
import signal
import socket
import subprocess
import time

REDIS_SOCKET = os.environ["BF_REDIS_URL"].removeprefix("unix://").split("?")[0]
LEDGER_URL = os.environ["BF_DATABASE_URL"]
LOGS = os.environ["BF_LOCAL_DIR"]


class Redis:
    """A connection that speaks just enough of the protocol; several commands may be sent as one message."""

    def __init__(self, db=0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(REDIS_SOCKET)
        self.replies = self.socket.makefile("rb")
        self("SELECT", db)

    def send(self, *commands):
        out = b""
        for command in commands:
            words = [str(word).encode() for word in command]
            out += b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
        self.socket.sendall(out)

    def read(self):
        line = self.replies.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        return rest.decode()

    def __call__(self, *command):
        self.send(command)
        return self.read()

    def used_memory(self):
        return int(re.search(r"used_memory:(\d+)", self("INFO", "memory"))[1])


class World:
    """A migrated ledger of its own and a Redis database that was empty."""

    def __init__(self, name, db):
        self.name, self.db = name, db
        self.database_url = LEDGER_URL.replace("@/backfill?", f"@/{name}?")
        self.env = dict(os.environ, BF_DATABASE_URL=self.database_url, BF_REDIS_URL=f"unix://{REDIS_SOCKET}?db={db}")
        self.redis = Redis(db)
        self.clear()

    def clear(self):
        self.redis("FLUSHDB")
        psql(LEDGER_URL, f"drop database if exists {self.name}")
        psql(LEDGER_URL, f"create database {self.name} template backfill")
        self.sql("create table bench_started (run text primary key, at timestamptz not null)")  # of pipelines/start

    def sql(self, *statements):
        return psql(self.database_url, *statements)

    def number(self, statement):
        return float(self.sql(statement))

    def plan(self, pipeline, jobs=None, **options):
        """Plans and queues a run by the command that a user would give. Returns its name and what that took."""
        command = ["enqueue", "run", pipeline, "--json"] + [f"--{name}={value}" for name, value in options.items()]
        if jobs:
            command += [f"--param=n={jobs}"]
        started = time.monotonic()
        child = subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, text=True)
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        took = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit {child.returncode}: {out}")
        return re.search(r'"run": *"([^"]+)"', out)[1], took, usage.ru_maxrss / 1024

    def settled(self, run):
        """As Redis counts it; cheap enough to be asked all the time."""
        return int(self.redis("HGET", f"bf:run:{run}", "done") or 0)

    def wait_settled(self, run, jobs, seconds=300):
        deadline = time.monotonic() + seconds
        while self.settled(run) < jobs:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{run}: {self.settled(run)} of {jobs} jobs were settled in {seconds} s; logs are in {LOGS}")
            time.sleep(0.02)
        while self.number(f"select count(*) from bf.job where run = '{run}' and state = 'done'") < jobs:
            time.sleep(0.02)

    def checkpoint(self):
        """What was written before is on disk, so that its writing falls into no measure; each page's next change is logged whole."""
        self.sql("checkpoint")

    def spread(self, run, jobs):
        """Seconds from the first start to the last end, by the ledger, which must say that all jobs are done."""
        done, seconds = self.sql(f"select count(*), extract(epoch from max(finished_at) - min(started_at)) from bf.job "
                                 f"where run = '{run}' and state = 'done'").split("|")
        if int(done) != jobs:
            raise RuntimeError(f"{run}: {done} of {jobs} jobs are done")
        return float(seconds)


def psql(url, *statements, options=""):
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url]
    for statement in statements:
        command += ["-c", statement]
    return subprocess.run(command, env=dict(os.environ, PGOPTIONS=options), check=True, capture_output=True, text=True).stdout.strip()


class Worker:
    """A worker process; leaving the block ends it."""

    def __init__(self, world, *arguments):
        self.log = open(f"{LOGS}/worker.log", "a")
        self.process = subprocess.Popen(["worker", *arguments], env=world.env, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self.log.close()


# ---- processes ----


def run_seconds(pid):
    """Seconds that all threads of a process have spent on a processor, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def server_pids():
    """PostgreSQL's main process and Redis's."""
    postgres = int(psql(LEDGER_URL, "select pg_read_file('postmaster.pid')").split()[0])
    return postgres, int(re.search(r"process_id:(\d+)", Redis()("INFO", "server"))[1])


def backends(postmaster):
    with open(f"/proc/{postmaster}/task/{postmaster}/children") as f:
        return [int(pid) for pid in f.read().split()]


def processor_shares(worker_pid):
    """Seconds on a processor so far of the worker, Redis and PostgreSQL (the processes of it that are there now)."""
    postmaster, redis = server_pids()
    ledger = 0.0
    for pid in backends(postmaster):
        try:
            ledger += run_seconds(pid)
        except FileNotFoundError:
            pass
    return run_seconds(worker_pid), run_seconds(redis), ledger


def memory_mib(pid):
    """Resident, and resident with what is shared counted by its share."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        text = f.read()
    return tuple(int(re.search(rf"^{name}: +(\d+)", text, re.M)[1]) / 1024 for name in ("Rss", "Pss"))


def machine():
    def first(path, pattern):
        with open(path) as f:
            found = re.search(pattern, f.read(), re.M)
        return found[1].strip() if found else "?"

    def version(*command):
        return re.search(r"\d+(\.\d+)+", subprocess.run(command, capture_output=True, text=True, check=True).stdout)[0]

    memory = int(first("/proc/meminfo", r"MemTotal: +(\d+)")) / 1024 / 1024
    load = " ".join(f"{load:.1f}" for load in os.getloadavg())
    settings = psql(LEDGER_URL, "select string_agg(name || ' ' || current_setting(name), ', ' order by name) from pg_settings where name in "
                    "('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size', 'wal_sync_method')")
    kept = [Redis()("CONFIG", "GET", name)[1] for name in ("appendonly", "appendfsync")]
    return [("machine", f"{first('/proc/cpuinfo', r'model name.*: (.*)')}, {os.cpu_count()} cores, {memory:.0f} GiB, {os.uname().release}"),
            ("load before", load),
            ("PostgreSQL", f"{psql(LEDGER_URL, 'show server_version').split()[0]}: {settings}"),
            ("Redis", f"{version('redis-server', '--version')}: appendonly {kept[0]}, appendfsync {kept[1]}"),
            ("worker", version("worker", "--version"))]
