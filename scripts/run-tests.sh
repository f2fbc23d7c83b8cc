#!/bin/sh
# Run pytest with the given arguments on two processes, or as many as PROCESSES says.
# Without paths among them: every suite, and what is about the dialect of the database a second time, on PostgreSQL.
# TIER=first leaves out the tests of the second tier and the slow ones, TIER=second runs the second tier alone.
# COVERAGE=yes measures coverage of every process and prints it at the end; that takes up to 40 % longer.
set -eu
unset PYTHONDONTWRITEBYTECODE # each of the processes that tests start would compile MOP anew
bin=$PWD/.venv/bin
# what is installed for tests comes last: the machine's own node and PostgreSQL win
PATH="$PATH:$bin"
for folder in /usr/lib/postgresql/*/bin; do
    [ -d "$folder" ] && PATH="$PATH:$folder"
done
export PATH
if ! command -v npm > /dev/null || ! command -v node > /dev/null; then
    echo "installing Node.js for Azurite into .venv"
    "$bin/uv" pip install --quiet --python "$bin/python" --require-hashes -r requirements/node.txt
fi
PYTHONPATH="$PWD/tests${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
processes=${PROCESSES:-2}
measured=${COVERAGE:-no}
[ "$measured" != yes ] || rm -f .coverage .coverage.*
case ${TIER:-all} in
    first) tier="not slow and not second_tier" ;;
    second) tier="second_tier and not slow" ;;
    *) tier="" ;;
esac
status=0

# pytest with the cache folder $1 and further arguments; its exit status
pytest() {
    cache=.pytest_cache/$1
    failed=$cache/v/cache/lastfailed
    shift
    [ "${CI:-}" != true ] || rm -f "$failed"
    result=0
    run_pytest "$@" || result=$?
    # a shared machine stands still now and then: in CI a test that failed has one more try, alone; what passes only
    # then is named by support/budgets.py. Nothing else is forgiven: a skip, a suite far over its budget, many failures
    if [ "$result" -eq 1 ] && [ "${CI:-}" = true ] && [ "$(failures | wc -l)" -le 5 ]; then
        printf 'once more, one after the other:\n%s\n' "$(failures)"
        result=0
        TRIED_AGAIN=yes run_pytest "$@" --last-failed --last-failed-no-failures=none -n 0 || result=$?
    fi
    [ "$result" -ne 5 ] || result=0 # these suites have no test of this tier
    return "$result"
}
run_pytest() {
    set -- -m pytest -p support.budgets -o "cache_dir=$cache" --dist loadgroup --no-loadscope-reorder "$@"
    if [ "$measured" = yes ]; then "$bin/coverage" run "$@"; else "$bin/python" "$@"; fi
}
failures() {
    "$bin/python" -c 'import json, sys; print(*json.load(open(sys.argv[1])), sep="\n")' "$failed"
}

# the files with tests of that mark
marked() {
    grep -rl --include='test_*.py' "mark\.$1\b" tests || true
}
# of the files on standard input those that have a test of this tier
of_this_tier() {
    if [ "${TIER:-}" = second ]; then xargs -r grep -l 'mark\.second_tier\b' || true; else cat; fi
}

# the tests in the browser, those about the dialect of the database, on PostgreSQL, and those that run apart
beside() {
    result_of_both=0
    if [ -n "$(find tests/browser -name 'test_*.py' | of_this_tier)" ]; then
        pytest browser -n 1 ${tier:+-m "$tier"} "$@" tests/browser || result_of_both=$?
    fi
    dialect=$(marked dialect | of_this_tier)
    if [ -n "$dialect" ]; then
        echo "the tests about the dialect of the database, on PostgreSQL"
        MOP_TEST_DATABASE=postgresql
        export MOP_TEST_DATABASE
        # one argument a file; collecting the other files would take as long as many tests
        # shellcheck disable=SC2086
        pytest postgresql -n 1 -m "dialect${tier:+ and $tier}" "$@" $dialect || result_of_both=$?
        unset MOP_TEST_DATABASE
    fi
    if [ -n "$apart" ]; then
        echo "the tests of $apart"
        pytest apart -n 1 ${tier:+-m "$tier"} "$@" "$apart" || result_of_both=$?
    fi
    return "$result_of_both"
}

# of the first tier what mostly waits for processes comes behind those two, so that both parts end at the same time
apart=
[ "${TIER:-}" != first ] || apart=tests/integration

named=
for argument in "$@"; do
    [ -e "${argument%%::*}" ] && named=yes
done
if [ -n "$named" ]; then
    pytest main -n "$processes" ${tier:+-m "$tier"} "$@" || status=$?
else
    # Beside these processes a further one runs, one after the other, what needs a process of its own: the browser's
    # driver keeps an event loop running, beside which no asynchronous test can run; the dialect needs another database.
    # At the end of each part, and while tests wait, the processors would have nothing to do.
    output=$(mktemp)
    trap 'rm -f "$output"' EXIT
    beside "$@" > "$output" 2>&1 &
    # a file that is named is collected although its folder is ignored
    # shellcheck disable=SC2046 # as below
    pytest main -n "$processes" ${tier:+-m "$tier"} "$@" --ignore=tests/browser ${apart:+--ignore="$apart"} $([ "${TIER:-}" != second ] || marked second_tier | grep -v "^tests/browser/") || status=$?
    wait $! || status=$?
    echo "the tests in the browser, those on PostgreSQL${apart:+ and those of $apart}, which ran beside these"
    cat "$output"
fi
if [ "$measured" = yes ]; then
    "$bin/coverage" combine --quiet > /dev/null 2>&1 || true
    "$bin/coverage" report --format=total 2> /dev/null | sed 's/.*/coverage: & % (lines and branches; .venv\/bin\/coverage report tells more)/' || true
fi
exit "$status"
