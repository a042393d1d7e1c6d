/* status_clients.h - the client processes of this host one by one, for 'mcadmin clients'. */
#ifndef MCROSTER_STATUS_CLIENTS_H
#define MCROSTER_STATUS_CLIENTS_H

#include <stdio.h>

#include "daemon/clients_run.h"

/* So many lines at most; those that hold something up come first. */
#define STATUS_CLIENTS_MAX 2000u

/* Lines "client PID uid=U standing=adopted generation=G age-ms=N reason=R", and behind them how
 * many there were no lines for. */
void status_clients_lines(FILE *out, struct clients_run *run, uint64_t now_ms);

#endif
