#include <signal.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/manual_generate.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/wrap.h"
#include "connect.h"
#include "supervisor.h"
#include "worker.h"

struct given {
	const char *queues;
	int64_t slots, lease_ms, grace_ms;
	bool once, drain;
};

static const struct bf_opt options[] = {
	{.name = "queues",
	 .type = BF_OPT_TEXT,
	 .offset = offsetof(struct given, queues),
	 .value = "NAME[:WEIGHT],…",
	 .help = "the queues to take jobs from (default: default)"},
	{.name = "slots",
	 .type = BF_OPT_INT,
	 .offset = offsetof(struct given, slots),
	 .value = "N",
	 .help = "jobs at once (default 8)",
	 .min = 1,
	 .max = 10000},
	{.name = "grace",
	 .type = BF_OPT_DURATION,
	 .offset = offsetof(struct given, grace_ms),
	 .value = "TIME",
	 .help = "how long running jobs may go on after SIGTERM (default 30s)"},
	{.name = "once", .type = BF_OPT_FLAG, .offset = offsetof(struct given, once), .help = "run one job, then leave"},
	{.name = "drain", .type = BF_OPT_FLAG, .offset = offsetof(struct given, drain), .help = "leave when no run of these queues can go on"},
	{.name = NULL},
};

static const struct bf_example examples[] = {
	{"worker", "takes from the queue `default`, eight jobs at once, until SIGTERM"},
	{"worker --queues=backfill:4,default:1 --slots=16", "from two queues, four to one"},
	{"worker --drain", "leaves when there is nothing left to do"},
	{NULL, NULL},
};

static const struct bf_command command = {
	.name = "worker",
	.synopsis = "worker [--queues=NAME:WEIGHT,…] [--slots=N] [--grace=TIME] [--once] [--drain]",
	.summary = "Takes jobs from Redis, executes them, and records in PostgreSQL what became of them.",
	.details = "Runs until SIGTERM: then it takes nothing new, lets running jobs finish for the grace time and hands back the rest. "
			   "A second SIGTERM hands back at once. SIGHUP (its terminal is closed) is a first SIGTERM. Start as many as you want, on "
			   "as many hosts as you want.",
	.options = options,
	.examples = examples,
};

static const struct bf_item environment[] = {
	{"BF_DATABASE_URL", "PostgreSQL with the ledger (else DATABASE_URL, else libpq's own variables)"},
	{"BF_REDIS_URL", "Redis with the queue (default redis://127.0.0.1:6379/0)"},
	{"BF_PIPELINES", "the folder in which pipelines are looked up by name (default deploy/pipelines)"},
	{"BF_LEASE", "after how long without a sign of life the jobs of a worker go to others (default 15s)"},
	{"BF_LOG", "text, or json: an object a line"},
	{"BF_LOG_LEVEL", "debug, info, warn or error"},
	{NULL, NULL},
};

static const struct bf_item exit_codes[] = {
	{"0", "it has left as it was told to"},
	{"1", "it had to give up"},
	{"2", "wrong usage or bad input"},
	{"5", "a server cannot be reached"},
	{NULL, NULL},
};

static const struct bf_command *const commands[] = {&command, NULL};
static const struct bf_manual manual = {.program = "worker",
										.summary = "executes the jobs of runs",
										.commands = commands,
										.environment = environment,
										.exit_codes = exit_codes};

/* "a:4,b" */
static int parse_queues(const char *text, struct bf_worker_options *opt, struct bf_error *err)
{
	BF_AUTOFREE char *copy = bf_strdup(text);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, ","));) {
		int64_t weight = 1;
		char *colon = strchr(word, ':');
		if (colon)
			*colon = '\0';
		if (!bf_name_valid(word) || (colon && bf_text_int(colon + 1, 1, 1000, &weight) < 0))
			return bf_fail(err, BF_E_INPUT,
						   "--queues: found \"%s\", expected names like backfill or backfill:4 (weights 1 to 1000), separated by commas",
						   text);
		if (opt->n_queues == BF_QUEUES_MAX)
			return bf_fail(err, BF_E_INPUT, "--queues: more than %d queues", BF_QUEUES_MAX);
		for (int i = 0; i < opt->n_queues; i++)
			if (strcmp(opt->queues[i].name, word) == 0)
				return bf_fail(err, BF_E_INPUT, "--queues: found %s twice, expected each queue once", word);
		struct bf_queue_slot *q = &opt->queues[opt->n_queues++];
		snprintf(q->name, sizeof(q->name), "%s", word);
		q->weight = (int)weight;
	}
	return 0;
}

static int read_options(const struct given *g, struct bf_worker_options *opt, struct bf_error *err)
{
	const char *lease = getenv("BF_LEASE");
	*opt =
		(struct bf_worker_options){.slots = (int)g->slots, .lease_ms = 15000, .grace_ms = g->grace_ms, .once = g->once, .drain = g->drain};
	if (lease && bf_duration_parse(lease, &opt->lease_ms, err) < 0)
		return bf_error_prefix(err, "BF_LEASE");
	if (opt->lease_ms < 1000 || opt->lease_ms > 3600 * 1000)
		return bf_fail(err, BF_E_INPUT, "BF_LEASE: found %s, expected 1s to 1h", lease);
	return parse_queues(g->queues, opt, err);
}

static int generate(const char *what)
{
	BF_AUTOBUF struct bf_buf text;
	struct bf_error err;
	bf_buf_init(&text, 1u << 20);
	if (bf_manual_generate(&manual, what, &text, &err) < 0) {
		fprintf(stderr, "worker: %s\n", err.text);
		return bf_error_exit_code(&err);
	}
	fputs(text.data, stdout);
	return 0;
}

static int help(void)
{
	BF_AUTOBUF struct bf_buf text;
	bf_buf_init(&text, 1u << 16);
	bf_manual_help(&manual, bf_wrap_width(STDOUT_FILENO), &text);
	fputs(text.data, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct bf_error err;
	struct given given = {.queues = "default", .slots = 8, .grace_ms = 30000};
	struct bf_worker_options opt;
	int n_args;
	bool want_help = false;

	bf_process_open_standard();
	bf_process_keep_private();
	if (strcmp(argv[0], BF_SUPERVISOR_NAME) == 0)
		return bf_supervisor_main(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	bf_signals_hold();
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("worker " BF_VERSION) < 0;
	if (argc == 2 && strncmp(argv[1], BF_GENERATE_OPTION, sizeof(BF_GENERATE_OPTION) - 1) == 0)
		return generate(argv[1] + sizeof(BF_GENERATE_OPTION) - 1);
	const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int rc = bf_log_init("worker", &err);
	if (argc == 2 && strcmp(argv[1], "help") == 0)
		want_help = true; /* as of the other programs */
	else if (rc == 0)
		rc = bf_options_parse(&command, argc - 1, argv + 1, &given, args, &n_args, &want_help, &err);
	free(args);
	if (rc == 0 && want_help)
		return help();
	if (rc == 0)
		rc = read_options(&given, &opt, &err);
	struct bf_upkeep upkeep = {.lease_ms = rc == 0 ? opt.lease_ms : 0};
	if (rc == 0)
		rc = bf_connect_servers(&upkeep, &err);
	if (rc < 0) {
		bf_redis_close(upkeep.redis);
		bf_pg_close(upkeep.pg);
		fprintf(stderr, "%s%s\n", strncmp(err.text, "worker", 6) == 0 ? "" : "worker: ", err.text);
		return bf_error_exit_code(&err);
	}
	return bf_worker_run(&opt, &upkeep);
}
