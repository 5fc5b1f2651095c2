"""What the program is held against: the servers' own benchmarks, on the same servers and with the same work."""
import os
import re
import subprocess
import time

from world import LEDGER_URL, LOGS, REDIS_SOCKET, Redis, psql

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../common/core/sql")

# What a queue of lists does for each job: it goes to the list of those in work, is counted, and leaves that list.
MOVE = """local job = redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT')
redis.call('HINCRBY', KEYS[3], 'done', 1)
return redis.call('LREM', KEYS[2], 1, job)"""
CLIENTS = 50


def redis_rate(jobs):
    """redis-benchmark, 50 clients: calls of MOVE a second, on a pending list of `jobs` and a list with what the other clients have in work."""
    redis = Redis(9)
    redis("FLUSHDB")
    for first in range(1, jobs + CLIENTS + 1, 1000):
        redis("RPUSH", "pending", *(f"bench-noop.k3v9qa/noop/{n}#{n}" for n in range(first, min(first + 1000, jobs + CLIENTS + 1))))
    redis("RPUSH", "processing", *(f"bench-noop.k3v9qa/noop/in-work-{n}#{n}" for n in range(1, CLIENTS)))
    sha = redis("SCRIPT", "LOAD", MOVE)
    out = subprocess.run(["redis-benchmark", "-s", REDIS_SOCKET, "--dbnum", "9", "-c", str(CLIENTS), "-n", str(jobs), "--csv",
                          "EVALSHA", sha, "3", "pending", "processing", "stats"], check=True, capture_output=True, text=True).stdout
    done = int(redis("HGET", "stats", "done"))
    if done != jobs or redis("LLEN", "processing") != CLIENTS - 1:
        raise RuntimeError(f"redis-benchmark moved {done} of {jobs} jobs")
    redis("FLUSHDB")
    return float(out.strip().splitlines()[-1].split('","')[1])


def statement(name):
    with open(os.path.join(SQL, name + ".sql")) as f:
        return f.read().strip().rstrip(";")


# The settings of the worker's connection for these two statements.
CONTROL = " ".join(f"-c {setting}=off" for setting in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"))


def execute(name, sql, count, known):
    """EXECUTE with an array of `count` elements for each parameter; those that are not known are null."""
    arguments = []
    for number in range(1, max(int(n) for n in re.findall(r"\$(\d+)", sql)) + 1):
        value = known.get(number, ["NULL"] * count)
        arguments.append(f"'{value}'" if isinstance(value, str) else "'{" + ",".join(value) + "}'")
    return f"EXECUTE {name}({', '.join(arguments)});\n"


def open_settle_script(run, step, first, last, batch):
    """What one connection sends: open and settle of each batch, prepared once, as arrays of text."""
    open_jobs, settle_jobs = statement("open_jobs"), statement("settle_jobs")
    yield f"PREPARE open_jobs AS {open_jobs};\nPREPARE settle_jobs AS {settle_jobs};\n"
    for start in range(first, last + 1, batch):
        numbers = [str(n) for n in range(start, min(start + batch, last + 1))]
        count = len(numbers)
        jobs = {1: [run] * count, 2: [step] * count, 3: numbers}
        yield execute("open_jobs", open_jobs, count, {**jobs, 4: "pgbench", 7: ["f"] * count})
        yield execute("settle_jobs", settle_jobs, count, {**jobs, 4: ["1"] * count, 5: ["done"] * count, 6: ["0"] * count})


def ledger_rate(world, run, step, jobs, batch):
    """pgbench, two connections as the worker has: jobs opened and settled a second by the worker's own statements in batches of its size."""
    half = (jobs + 1) // 2
    commands = []
    for first, last in ((1, half), (half + 1, jobs)):
        path = f"{LOGS}/open-settle-{first}.sql"
        with open(path, "w") as f:
            f.writelines(open_settle_script(run, step, first, last, batch))
        commands.append(["pgbench", "-n", "-t", "1", "-f", path, world.database_url])
    env = dict(os.environ, PGOPTIONS=CONTROL)
    children = [subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for command in commands]
    for child in children:
        _, errors = child.communicate()
        if child.returncode:
            raise RuntimeError(f"pgbench: {errors}")
    return jobs / world.spread(run, jobs)


UPSERT = r"""\set n :n + 1
\set seq :client_id * :each + :n
BEGIN ISOLATION LEVEL READ COMMITTED\; SELECT set_config('bf.transaction', pg_current_xact_id()::text, true), set_config('statement_timeout', '3600000', true)\; """


def transaction_rate(world, run, step, jobs, clients, effect):
    """pgbench, simple protocol: transactions a second, each the message that the worker sends for one job, for jobs that are running."""
    each = jobs // clients
    world.sql(f"update bf.run set state = 'running' where run = '{run}'",
              f"update bf.job set state = 'running', epoch = 1, started_at = clock_timestamp() where run = '{run}'", "vacuum bf.job", "checkpoint")
    path = f"{LOGS}/transaction.sql"
    with open(path, "w") as f:
        f.write(UPSERT + effect + rf"\; SELECT bf.settle('{run}', '{step}', :seq, 1)\; COMMIT;" + "\n")
    out = subprocess.run(["pgbench", "-n", "-c", str(clients), "-j", str(min(clients, os.cpu_count())), "-t", str(each), "-D", "n=0",
                          "-D", f"each={each}", "-f", path, world.database_url], check=True, capture_output=True, text=True).stdout
    done = int(world.sql(f"select count(*) from bf.job where run = '{run}' and state = 'done'"))
    if done != each * clients:
        raise RuntimeError(f"pgbench settled {done} of {each * clients} jobs")
    return float(re.search(r"tps = ([\d.]+)", out)[1])


def copy_seconds(world):
    """The rows of bf.job, by psql's \\copy into a table of the same shape."""
    path, columns = f"{LOGS}/jobs.copy", "(run, step, seq, chunk, since, until, key)"
    world.sql(f"\\copy bf.job {columns} to '{path}'",
              "create table bench_copy (like bf.job including all)", "alter table bench_copy set (fillfactor = 45)", "checkpoint")
    started = time.monotonic()
    world.sql(f"\\copy bench_copy {columns} from '{path}'")
    took = time.monotonic() - started
    world.sql("drop table bench_copy")
    os.unlink(path)
    return took


def pop_latency_ms(samples):
    """A bare blocked pop: from the push, by Redis's clock, to the waiting process having the answer."""
    to_parent, from_child = os.pipe()
    redis = Redis(9)
    redis("DEL", "tokens")
    child = os.fork()
    if child == 0:
        try:
            own = Redis(9)
            for _ in range(samples):
                own("BLPOP", "tokens", 10)
                os.write(from_child, b"%d\n" % time.time_ns())
        finally:
            os._exit(0)
    times = []
    with os.fdopen(to_parent) as answers:
        os.close(from_child)
        for _ in range(samples):
            time.sleep(0.01)
            redis.send(("TIME",), ("RPUSH", "tokens", "1"))
            seconds, micros = redis.read()
            redis.read()
            times.append(int(answers.readline()) / 1e6 - (int(seconds) * 1e3 + int(micros) / 1e3))
    os.waitpid(child, 0)
    return sorted(times)


def commit_latency_ms(samples):
    """One connection that commits one small change after the other."""
    psql(LEDGER_URL, "create table if not exists bench_commit (n int)", "truncate bench_commit", "insert into bench_commit values (0)")
    path = f"{LOGS}/commit.sql"
    with open(path, "w") as f:
        f.write("update bench_commit set n = n + 1;\n")
    out = subprocess.run(["pgbench", "-n", "-c", "1", "-t", str(samples), "-f", path, LEDGER_URL], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"latency average = ([\d.]+)", out)[1])
