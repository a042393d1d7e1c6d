/* words.c - errors and phases in words.  Constant strings; safe anywhere. */
#include "mcroster.h"

#include "mcroster_segment.h"

#define TEXT(number)	      TEXT_AS_IT_IS(number)
#define TEXT_AS_IT_IS(number) #number

const char *mcr_strerror(int error)
{
	switch (error) {
	case MCR_OK:
		return "success";
	case MCR_NEWER:
		return "done in time, but a newer generation is out";
	case MCR_REPEAT:
		return "the plan overran: read again, or invalidate again";
	case MCR_NOT_READY:
		return "no list has been published yet";
	case MCR_ISOLATED:
		return "the host holds no lease and may not serve";
	case MCR_LATE:
		return "the plan's deadline is past";
	case MCR_STALE:
		return "the generation is no longer in the ring";
	case MCR_NO_SEGMENT:
		return "there is no segment of that name";
	case MCR_BAD_OWNER:
		return "the segment belongs to a user who is not trusted";
	case MCR_BAD_MODE:
		return "others may write to the segment, or it is not a regular file";
	case MCR_BAD_LAYOUT:
		return "not a segment of layout " TEXT(
		    MCR_SEGMENT_LAYOUT) ", the one that this library reads";
	case MCR_BAD_KEY:
		return "the key is empty or longer than 250 bytes";
	case MCR_NOT_COVERED:
		return "the key does not begin with the list's prefix";
	case MCR_TIMED_OUT:
		return "timed out";
	case MCR_NO_MEMORY:
		return "out of memory";
	case MCR_BAD_ARGUMENT:
		return "bad argument";
	case MCR_CORRUPT:
		return "the segment's content is out of bounds";
	case MCR_MOVED:
		return "the segment was replaced: open it again";
	case MCR_SYSTEM:
		return "the system refused a call (errno says why)";
	case MCR_NOT_REGISTERED:
		return "the list demands registration with the agent (mcr_register says why there "
		       "is none)";
	case MCR_NO_AGENT:
		return "no agent answers where clients register";
	case MCR_TOO_MANY:
		return "the agent has as many clients, in all or of this user, as it takes";
	case MCR_REFUSED:
		return "the agent refuses this client";
	case MCR_FULL:
		return "the agent owes as many keys, in all or of this user, as it may";
	case MCR_NOT_STORED:
		return "the agent cannot put on disk what it is to owe";
	default:
		return "unknown error";
	}
}

const char *mcr_phase_name(enum mcr_phase phase)
{
	static const char *const names[MCR_PHASE_COUNT] = {
	    [MCR_STEADY] = "STEADY", [MCR_PREPARE] = "PREPARE", [MCR_COPY] = "COPY",
	    [MCR_SWITCH] = "SWITCH", [MCR_SETTLE] = "SETTLE",	[MCR_DRAIN] = "DRAIN",
	    [MCR_GIVEUP] = "GIVEUP", [MCR_UNWIND] = "UNWIND",
	};

	return (unsigned)phase < MCR_PHASE_COUNT ? names[phase] : "unknown";
}
