#!/usr/bin/env bash
# Planted faults in the bindings, the discovery endpoint, mcadmin and in what agents log, show and read: the tests see
# each of them.
# parallel
set -u
cd "$(dirname "$0")/../../.." || exit 1
tests/mutants/run "${BUILD#"$PWD/"}"
