# UNWIND and a giveup are adopted while the movers still run.
# file: agent/core/host.c
s/now_ms < host->adopt_after_ms \|\| host->stopping \|\| host_work_cut\(host\)/now_ms < host->adopt_after_ms/
