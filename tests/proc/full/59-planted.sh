#!/usr/bin/env bash
# Planted faults in the bindings and in mcadmin: the tests see each of them.
# parallel
set -u
cd "$(dirname "$0")/../../.." || exit 1
tests/mutants/run "${BUILD#"$PWD/"}"
