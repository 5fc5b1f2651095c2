# Leaks, in a small form of tests/chaos/leaks, which has the numbers that are promised: 1,000,000 jobs and 1,000 reconnects.
#
# celery/kombu#462: descriptors leak with each try to connect again to a Redis that is gone. OptimalBits/bull#293: they grow until the process is started again.
bats_require_minimum_version 1.5.0
load ../support/lib.bash

# bats test_tags=long
@test "a worker that did thousands of jobs of every kind, and lost its connections dozens of times, has the memory and descriptors it had after the first tenth" {
	# the sanitizer keeps nothing of what was freed, so that what grows is the worker's; what it cannot reach any more fails it at its end
	ASAN_OPTIONS=quarantine_size_mb=0:thread_local_quarantine_size_kb=0:malloc_context_size=0 \
		"$bf_top/tests/chaos/leaks" --jobs=20000 --reconnects=200 --allow=2048
}
