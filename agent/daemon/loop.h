/* loop.h - the event loop that the agent runs on. */
#ifndef MCROSTER_LOOP_H
#define MCROSTER_LOOP_H

#include <event2/event.h>

/* With timers to the microsecond: libevent's usual ones go by the kernel's tick (up to 10 ms), and
 * a mover's pauses and probes are shorter.  NULL: no memory. */
struct event_base *loop_new(void);

#endif
