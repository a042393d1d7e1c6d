# UNWIND and a giveup are adopted while the movers still run.
# file: agent/core/host.c
s/host->stopping \|\| host_work_cut\(host\)/false/
