/* log_limit.c - see log_limit.h. */
#include "daemon/log_limit.h"

bool log_limit_take(struct log_limit *limit, uint64_t now_ms, uint32_t *untold)
{
	if (now_ms - limit->began_ms >= LOG_LIMIT_MS) {
		limit->began_ms = now_ms;
		limit->told = 0;
	}
	if (limit->told == LOG_LIMIT_LINES) {
		limit->untold++;
		return false;
	}
	limit->told++;
	*untold = limit->untold;
	limit->untold = 0;
	return true;
}
