/* config_on_change.c - on-change and on-change-timeout: the command that is told of another list.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config_reading.h"

#define ON_CHANGE_WORDS_MAX  64u
#define ON_CHANGE_TIMEOUT_MS 30000u
#define ON_CHANGE_MS_MAX     3600000u

int config_take_on_change(const struct config_reading *r, struct config *config,
			  struct failure *failure)
{
	const char *name = config_options[OPTION_ON_CHANGE].name;
	unsigned count = cfg_size(r->cfg, name);
	uint64_t timeout_ms = ON_CHANGE_TIMEOUT_MS;
	int error =
	    config_number(r, OPTION_ON_CHANGE_TIMEOUT, 1, ON_CHANGE_MS_MAX, &timeout_ms, failure);

	if (error != 0)
		return error;
	config->on_change_timeout_ms = (uint32_t)timeout_ms;
	if (r->line[OPTION_ON_CHANGE] == 0)
		return 0;
	if (count == 0 || count > ON_CHANGE_WORDS_MAX)
		return config_refuse(r, OPTION_ON_CHANGE, failure,
				     "%u words, expected a program and its arguments, %u at most",
				     count, ON_CHANGE_WORDS_MAX);
	if (cfg_getnstr(r->cfg, name, 0)[0] != '/' ||
	    strlen(cfg_getnstr(r->cfg, name, 0)) > CONFIG_PATH_MAX ||
	    access(cfg_getnstr(r->cfg, name, 0), X_OK) != 0)
		return config_refuse(
		    r, OPTION_ON_CHANGE, failure,
		    "'%.200s', expected the absolute path of a program that may be run",
		    cfg_getnstr(r->cfg, name, 0));
	config->on_change = calloc(count + 1, sizeof(*config->on_change));
	for (unsigned i = 0; config->on_change != NULL && i < count; i++) {
		config->on_change[i] = strdup(cfg_getnstr(r->cfg, name, i));
		if (config->on_change[i] == NULL)
			config_on_change_free(config);
	}
	return config->on_change != NULL ? 0
					 : failure_set(failure, ENOMEM, "%s: no memory", r->path);
}

void config_on_change_free(struct config *config)
{
	for (char **word = config->on_change; word != NULL && *word != NULL; word++)
		free(*word);
	free(config->on_change);
	config->on_change = NULL;
}
