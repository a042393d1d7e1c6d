#!/usr/bin/env bash
# The register in etcd, three candidates: the leading one is killed in each phase and comes back
# later.  Another one takes over and the change goes on by itself; nothing is passed twice, stale or
# missed.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"
# shellcheck source=tests/lab/etcd_phases.sh
. "$(dirname "$0")/../../lab/etcd_phases.sh"

harm_begins() { lab_agent_kill "$1"; }
harm_ends() { lab_agent_start "$1"; }

phases_all
