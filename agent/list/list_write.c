/* list_write.c - the canonical body of a list, the mirror of list_lines.c.
 *
 * What is written is parsed again before anybody gets it, so the rules stand in one place, and a
 * list that would be refused elsewhere is refused where it was made.
 */
#include "list/list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "list/identity.h"

static int coordinators_check(const struct list *list, struct failure *failure)
{
	uint32_t bad = list->coordinator;

	if (list->coordinator_count > LIST_COORDINATORS_MAX)
		return failure_set(failure, EINVAL, "%" PRIu32 " coordinators: at most %u",
				   list->coordinator_count, LIST_COORDINATORS_MAX);
	if (list->coordinator_count > 0 && list->coordinators[0] != list->coordinator)
		return failure_set(failure, EINVAL,
				   "coordinator is agent number %" PRIu32
				   ", but the first of the coordinators is number %" PRIu32,
				   list->coordinator, list->coordinators[0]);
	for (uint32_t i = 0; i < list->coordinator_count && bad < list->agent_count; i++)
		bad = list->coordinators[i];
	if (bad >= list->agent_count)
		return failure_set(failure, EINVAL,
				   "coordinator is agent number %" PRIu32 " of %" PRIu32, bad,
				   list->agent_count);
	return 0;
}

/* Only what is needed to read the fields safely; list_parse judges the text. */
static int fields_check(const struct list *list, struct failure *failure)
{
	int error = coordinators_check(list, failure);

	if (error != 0)
		return error;
	for (uint32_t i = 0; i < list->server_count; i++)
		if (list->servers[i].agent >= list->agent_count)
			return failure_set(failure, EINVAL,
					   "server `%s` names agent number %" PRIu32 " of %" PRIu32,
					   list->servers[i].name, list->servers[i].agent,
					   list->agent_count);
	if ((unsigned)list->distribution >= DISTRIBUTION_COUNT ||
	    (distribution_rules(list->distribution)->hash_said &&
	     distribution_hash_name(list->key_hash) == NULL))
		return failure_set(failure, EINVAL,
				   "distribution %u with hash %" PRIu32 ": there is none",
				   (unsigned)list->distribution, list->key_hash);
	if (list->distribution == DISTRIBUTION_SLOTS &&
	    (list->slot_count < LIST_SLOTS_MIN || list->slot_count > LIST_SLOTS_MAX ||
	     list->slots == NULL))
		return failure_set(failure, EINVAL, "%" PRIu32 " slots: want a table of %u to %u",
				   list->slot_count, LIST_SLOTS_MIN, LIST_SLOTS_MAX);
	return 0;
}

static void head_write(const struct list *list, FILE *out)
{
	char parent[2 * LIST_HASH_BYTES + 1] = "none";
	char distribution[DISTRIBUTION_TEXT_BYTES];

	if (list->has_parent)
		(void)sodium_bin2hex(parent, sizeof(parent), list->parent, LIST_HASH_BYTES);
	fprintf(out, "mcroster-list 1\ncluster %s\nepoch %" PRIu64 "\nparent %s\ncreated %s\n",
		list->cluster, list->epoch, parent, list->created);
	distribution_print(list->distribution, list->key_hash, list->slot_count, distribution);
	fprintf(out, "distribution %s\n", distribution);
	fprintf(out, "lease %" PRIu32 "\nsteady-lease %" PRIu32 "\nop-timeout %" PRIu32 "\n",
		list->lease_ms, list->steady_lease_ms, list->op_timeout_ms);
	fprintf(out, "client-quorum %" PRIu32 "\nregistration %s\nisolation %s\n",
		list->client_quorum, list->registration_required ? "required" : "optional",
		list->isolation == LIST_ISOLATION_BYPASS ? "bypass" : "serve");
	if (list->unaware_poll_ms > 0)
		fprintf(out, "unaware-clients yes\nunaware-poll %" PRIu32 "\n",
			list->unaware_poll_ms);
	if (list->prefix[0] != '\0')
		fprintf(out, "prefix %s\n", list->prefix);
}

static void members_write(const struct list *list, FILE *out)
{
	for (uint32_t i = 0; i < list->agent_count; i++) {
		const struct list_agent *agent = &list->agents[i];
		char key[DOCUMENT_KEY_CHARS + 1];

		document_key_print(agent->key, key);
		fprintf(out, "agent %s %s key=%s\n", agent->name, agent->address, key);
	}
	if (list->coordinator_count == 0)
		fprintf(out, "coordinator %s\n", list->agents[list->coordinator].name);
	for (uint32_t i = 0; i < list->coordinator_count; i++)
		fprintf(out, "coordinator %s\n", list->agents[list->coordinators[i]].name);
	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *server = &list->servers[i];

		fprintf(out, "server %s %s weight=%" PRIu32 " agent=%s", server->name,
			server->address, server->weight, list->agents[server->agent].name);
		if (server->label[0] != '\0')
			fprintf(out, " label=%s", server->label);
		if (server->has_wipe)
			fprintf(out, " wipe=%" PRIu64, server->wipe);
		fputc('\n', out);
	}
}

static int slots_write(const struct list *list, FILE *out)
{
	const int variant = sodium_base64_VARIANT_ORIGINAL;
	const size_t bytes = (size_t)list->slot_count * 2;
	const size_t chars = sodium_base64_encoded_len(bytes, variant);
	uint8_t *table = malloc(bytes);
	char *text = malloc(chars);
	int error = -ENOMEM;

	if (table != NULL && text != NULL) {
		for (uint32_t i = 0; i < list->slot_count; i++) {
			table[2 * i] = (uint8_t)(list->slots[i] & 0xff);
			table[2 * i + 1] = (uint8_t)(list->slots[i] >> 8);
		}
		fprintf(out, "slots %s\n", sodium_bin2base64(text, chars, table, bytes, variant));
		error = 0;
	}
	free(text);
	free(table);
	return error;
}

static int list_print(const void *what, FILE *out)
{
	const struct list *list = what;
	int error;

	head_write(list, out);
	members_write(list, out);
	error = identity_print("giveup", list->giveups, list->giveup_count, out);
	if (error == 0 && list->distribution == DISTRIBUTION_SLOTS)
		error = slots_write(list, out);
	return error;
}

int list_write(const struct list *list, void **body, size_t *body_bytes, struct failure *failure)
{
	struct list *again = NULL;
	struct failure reason;
	char *text = NULL;
	size_t bytes = 0;
	int error = fields_check(list, failure);

	if (error != 0)
		return error;
	error = lines_write(list_print, list, &text, &bytes);
	if (error == 0)
		error = list_parse(text, bytes, &again, &reason);
	/* A newline inside a name would make lines that the fields do not have. */
	if (error == 0 &&
	    (again->agent_count != list->agent_count || again->server_count != list->server_count ||
	     again->giveup_count != list->giveup_count))
		error = failure_set(&reason, EINVAL, "a name, address or prefix contains lines");
	list_free(again);
	if (error == 0) {
		*body = text;
		*body_bytes = bytes;
		return 0;
	}
	free(text);
	if (error == -ENOMEM)
		return failure_set(failure, ENOMEM, "no memory to write the list");
	return failure_set(failure, EINVAL, "the list breaks a rule: %s", reason.text);
}
