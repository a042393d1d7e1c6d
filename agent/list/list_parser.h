/* list_parser.h - between the cutter of lines (list_parse.c) and the meaning of each (list_lines.c).
 *
 * Internal to agent/list.
 */
#ifndef MCROSTER_LIST_PARSER_H
#define MCROSTER_LIST_PARSER_H

#include <stdbool.h>
#include <stdint.h>

#include "list/list.h"
#include "list/list_text.h"

#define LIST_WORDS_MAX 8u

struct list_parser {
	struct list *list; /* what was taken so far */
	struct failure *failure;
	uint32_t line; /* number of the line that is pushed, from 1 */
	uint32_t step; /* of list_steps: the line that is waited for */
	bool repeated; /* that step has had a line already */
	uint32_t first_agent_line, first_server_line;
	uint32_t agent_room, server_room; /* elements allocated */
	struct word words[LIST_WORDS_MAX];
	uint32_t word_count;
};

struct list_step {
	const char *keyword;
	const char *shape; /* what the whole line looks like, for the refusal */
	uint32_t words_min, words_max;
	bool optional, repeats;
	/* Takes a line of printable ASCII with that keyword and number of words into the list;
	 * words[0] is the keyword. */
	int (*take)(struct list_parser *parser, const struct word *words);
};

extern const struct list_step list_steps[];
extern const uint32_t list_step_count;

/* -EBADMSG with "line N: ". */
int list_refuse(struct list_parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
