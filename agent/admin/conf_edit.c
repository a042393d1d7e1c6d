/* conf_edit.c - see conf_edit.h.
 *
 * The text is looked at with its comments blanked out, which moves nothing; so a place found there
 * is the place in the text itself.  It is looked at anew after each edit.
 */
#include "admin/conf_edit.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/conftext.h"

struct conf_edit {
	const char *path;
	char *text, *bare;
};

/* From..to, the byte at `to` not in it. */
struct span {
	size_t from, to;
};

/* A section: `kind "name" { ... }`, and the options in it. */
struct section {
	struct span all, title, body;
	struct span last;	   /* its last option, value and all; empty: there is none */
	struct span option, value; /* the one that was looked for; empty: not there */
};

static int edit_no_memory(const struct conf_edit *edit, struct failure *failure)
{
	return failure_set(failure, ENOMEM, "%s: out of memory", edit->path);
}

static int bare_renew(struct conf_edit *edit, struct failure *failure)
{
	free(edit->bare);
	edit->bare = strdup(edit->text);
	if (edit->bare == NULL)
		return edit_no_memory(edit, failure);
	return conftext_prepare(edit->bare, edit->path, failure);
}

int conf_edit_new(const char *path, const char *text, struct conf_edit **edit,
		  struct failure *failure)
{
	struct conf_edit *made = calloc(1, sizeof(*made));
	int error;

	if (made == NULL)
		return failure_set(failure, ENOMEM, "%s: out of memory", path);
	made->path = path;
	made->text = strdup(text);
	error = made->text != NULL ? bare_renew(made, failure) : edit_no_memory(made, failure);
	if (error < 0)
		conf_edit_free(made);
	else
		*edit = made;
	return error;
}

void conf_edit_free(struct conf_edit *edit)
{
	if (edit == NULL)
		return;
	free(edit->text);
	free(edit->bare);
	free(edit);
}

const char *conf_edit_text(const struct conf_edit *edit)
{
	return edit->text;
}

/* ---- looking ---- */

/* The next token at or behind *at: a quoted string, a bracket or '=', or a word.  False at the end.
 */
static bool token_next(const char *text, size_t *at, struct span *token)
{
	size_t i = *at;

	while (isspace((unsigned char)text[i]))
		i++;
	if (text[i] == '\0')
		return false;
	token->from = i;
	if (text[i] == '"' || text[i] == '\'') {
		const char quote = text[i++];

		while (text[i] != '\0' && text[i] != quote)
			i += text[i] == '\\' && text[i + 1] != '\0' ? 2 : 1;
		i += text[i] == quote;
	} else if (strchr("{}=,", text[i]) != NULL) {
		i++;
	} else {
		while (text[i] != '\0' && !isspace((unsigned char)text[i]) &&
		       strchr("{}=,\"'", text[i]) == NULL)
			i++;
	}
	token->to = *at = i;
	return true;
}

static bool token_is(const char *text, const struct span *token, const char *word)
{
	const size_t length = strlen(word);

	return token->to - token->from == length && memcmp(text + token->from, word, length) == 0;
}

/* A title, quoted or not. */
static bool title_is(const char *text, struct span title, const char *name)
{
	if (text[title.from] == '"' || text[title.from] == '\'') {
		title.from++;
		title.to--;
	}
	return token_is(text, &title, name);
}

/* Reads a section's body from behind its '{'; false: it has another form than we know. */
static bool body_read(const char *text, size_t *at, const char *option, struct section *section)
{
	struct span name, token;

	section->body.from = *at;
	while (token_next(text, at, &name)) {
		if (token_is(text, &name, "}")) {
			section->body.to = name.from;
			section->all.to = name.to;
			return true;
		}
		if (!token_next(text, at, &token) || !token_is(text, &token, "=") ||
		    !token_next(text, at, &token) || strchr("{}=,", text[token.from]) != NULL)
			return false;
		section->last = (struct span){name.from, token.to};
		if (option != NULL && token_is(text, &name, option)) {
			section->option = section->last;
			section->value = token;
		}
	}
	return false;
}

/* Steps over the value of an option of the file itself, which may be a list in braces. */
static void value_skip(const char *text, size_t *at)
{
	struct span token;

	if (!token_next(text, at, &token) || !token_is(text, &token, "{"))
		return;
	while (token_next(text, at, &token) && !token_is(text, &token, "}"))
		;
}

/* The section of that name; with `name` NULL the last one of that kind.  `option` may be NULL. */
static bool section_find(const struct conf_edit *edit, const char *kind, const char *name,
			 const char *option, struct section *found)
{
	const char *text = edit->bare;
	struct span word, title, token;
	size_t at = 0;
	bool any = false;

	while (token_next(text, &at, &word)) {
		struct section section = {.all = word};

		if (!token_next(text, &at, &title))
			break;
		if (token_is(text, &title, "=")) {
			value_skip(text, &at);
			continue;
		}
		section.title = title;
		if (!token_next(text, &at, &token) || !token_is(text, &token, "{") ||
		    !body_read(text, &at, option, &section))
			break;
		if (!token_is(text, &word, kind) || (name != NULL && !title_is(text, title, name)))
			continue;
		*found = section;
		any = true;
		if (name != NULL)
			break;
	}
	return any;
}

bool conf_edit_value(const struct conf_edit *edit, const char *option, char *value, size_t size)
{
	const char *text = edit->bare;
	struct span word, token;
	size_t at = 0, depth = 0;

	while (token_next(text, &at, &word)) {
		depth += token_is(text, &word, "{");
		depth -= depth > 0 && token_is(text, &word, "}");
		if (depth > 0 || !token_is(text, &word, option) || !token_next(text, &at, &token) ||
		    !token_is(text, &token, "=") || !token_next(text, &at, &token))
			continue;
		if (text[token.from] == '"' || text[token.from] == '\'') {
			token.from++;
			token.to--;
		}
		(void)snprintf(value, size, "%.*s", (int)(token.to - token.from),
			       text + token.from);
		return true;
	}
	return false;
}

static int section_get(const struct conf_edit *edit, const char *kind, const char *name,
		       const char *option, struct section *section, struct failure *failure)
{
	if (section_find(edit, kind, name, option, section))
		return 0;
	return failure_set(failure, ENOENT, "%s: there is no %s \"%s\" { ... }", edit->path, kind,
			   name);
}

/* ---- editing ---- */

static int splice(struct conf_edit *edit, struct span span, const char *put,
		  struct failure *failure)
{
	const size_t put_bytes = strlen(put), rest_bytes = strlen(edit->text + span.to) + 1;
	char *made = malloc(span.from + put_bytes + rest_bytes);

	if (made == NULL)
		return edit_no_memory(edit, failure);
	memcpy(made, edit->text, span.from);
	memcpy(made + span.from, put, put_bytes);
	memcpy(made + span.from + put_bytes, edit->text + span.to, rest_bytes);
	free(edit->text);
	edit->text = made;
	return bare_renew(edit, failure);
}

/* Takes blanks before it and the end of the line with it where nothing else, comment or not, is
 * left of the line. */
static struct span lines_whole(const char *text, struct span span)
{
	size_t from = span.from, to = span.to;

	while (from > 0 && (text[from - 1] == ' ' || text[from - 1] == '\t'))
		from--;
	while (text[to] == ' ' || text[to] == '\t')
		to++;
	if ((from == 0 || text[from - 1] == '\n') && (text[to] == '\n' || text[to] == '\0'))
		return (struct span){from, to + (text[to] == '\n')};
	return span;
}

/* Behind the end of the line. */
static size_t line_end(const char *text, size_t at)
{
	at += strcspn(text + at, "\n");
	return at + (text[at] == '\n');
}

int conf_edit_add(struct conf_edit *edit, const char *kind, const char *name,
		  struct failure *failure)
{
	struct section before;
	struct span at;
	char put[256];

	if (section_find(edit, kind, name, NULL, &before))
		return failure_set(failure, EEXIST, "%s: there is a %s \"%s\" already", edit->path,
				   kind, name);
	at.from = strlen(edit->text);
	if (section_find(edit, kind, NULL, NULL, &before))
		at.from = line_end(edit->text, before.all.to);
	at.to = at.from;
	(void)snprintf(put, sizeof(put), "%s%s \"%s\" {\n}\n",
		       at.from > 0 && edit->text[at.from - 1] != '\n' ? "\n" : "", kind, name);
	return splice(edit, at, put, failure);
}

int conf_edit_remove(struct conf_edit *edit, const char *kind, const char *name,
		     struct failure *failure)
{
	struct section section;
	int error = section_get(edit, kind, name, NULL, &section, failure);

	return error < 0 ? error : splice(edit, lines_whole(edit->text, section.all), "", failure);
}

int conf_edit_rename(struct conf_edit *edit, const char *kind, const char *name, const char *to,
		     struct failure *failure)
{
	struct section section;
	char put[128];
	int error;

	if (strcmp(name, to) != 0 && section_find(edit, kind, to, NULL, &section))
		return failure_set(failure, EEXIST, "%s: there is a %s \"%s\" already", edit->path,
				   kind, to);
	error = section_get(edit, kind, name, NULL, &section, failure);
	(void)snprintf(put, sizeof(put), "\"%s\"", to);
	return error < 0 ? error : splice(edit, section.title, put, failure);
}

/* As a person writes it: numbers bare, the rest in quotes. */
static void value_print(const char *value, char *out, size_t size)
{
	const bool number = value[0] != '\0' && strspn(value, "0123456789") == strlen(value);

	(void)snprintf(out, size, number ? "%s" : "\"%s\"", value);
}

/* What stands between the start of its line and an option, or where that is not blank alone
 * (several options on one line) one blank. */
static void indent_of(const char *text, size_t at, char *out, size_t size)
{
	size_t from = at;

	while (from > 0 && text[from - 1] != '\n')
		from--;
	if (strspn(text + from, " \t") >= at - from)
		(void)snprintf(out, size, "\n%.*s", (int)(at - from), text + from);
	else
		(void)snprintf(out, size, " ");
}

int conf_edit_set(struct conf_edit *edit, const char *kind, const char *name, const char *option,
		  const char *value, struct failure *failure)
{
	struct section section;
	struct span at;
	char put[512], quoted[300], indent[64] = "\n\t";
	int error = section_get(edit, kind, name, option, &section, failure);

	if (error < 0)
		return error;
	value_print(value, quoted, sizeof(quoted));
	if (section.value.to > 0)
		return splice(edit, section.value, quoted, failure);
	at.from = section.body.from;
	if (section.last.to > 0) {
		at.from = section.last.to;
		indent_of(edit->text, section.last.from, indent, sizeof(indent));
		/* A comment behind it on its line is its own. */
		if (indent[0] == '\n')
			at.from += strcspn(edit->text + at.from, "\n");
	}
	at.to = at.from;
	(void)snprintf(put, sizeof(put), "%s%s = %s", indent, option, quoted);
	return splice(edit, at, put, failure);
}

int conf_edit_unset(struct conf_edit *edit, const char *kind, const char *name, const char *option,
		    struct failure *failure)
{
	struct section section;
	int error = section_get(edit, kind, name, option, &section, failure);

	if (error < 0 || section.option.to == 0)
		return error;
	return splice(edit, lines_whole(edit->text, section.option), "", failure);
}
