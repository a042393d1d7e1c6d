/* list_parser.h - between the making of a list (list_parse.c) and its lines (list_lines.c).
 *
 * Internal to agent/list.
 */
#ifndef MCROSTER_LIST_PARSER_H
#define MCROSTER_LIST_PARSER_H

#include "list/identity.h"
#include "list/lines.h"

/* What lines->made points to while a list is parsed. */
struct list_parser {
	struct list *list; /* what was taken so far */
	uint32_t first_agent_line, first_server_line;
	uint32_t unaware_line;		  /* `unaware-clients yes`; 0: not there */
	uint32_t agent_room, server_room; /* elements allocated */
	struct identities giveups;	  /* the array is the list's */
};

extern const struct lines_form list_form;

#endif
