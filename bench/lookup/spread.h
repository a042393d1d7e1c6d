/* spread.h - how evenly a distribution shares keys out, and how many of them a change moves. */
#ifndef MCROSTER_BENCH_SPREAD_H
#define MCROSTER_BENCH_SPREAD_H

#include "fleet.h"

/* The largest server's share over the mean one, among `servers` equal servers. */
double spread_balance(const struct fleet_kind *kind, uint32_t servers);

/* The fraction of keys whose owner another equal server changes. */
double spread_moved(const struct fleet_kind *kind, uint32_t servers);

#endif
