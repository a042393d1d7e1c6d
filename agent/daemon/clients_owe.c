/* clients_owe.c - a client hands a key over that it could not delete where it should: checks what
 * it says, and answers once the key is on disk.
 *
 * The delete is carried out by the rule of the phase that is present then, at whatever servers that
 * names (core/owed.h); of what the client says about its plan nothing is needed for it.  It is
 * checked all the same: a server that the plan cannot have had is not a client's of this cluster.
 */
#include "daemon/clients_inside.h"

#include <errno.h>
#include <string.h>

#include "daemon/owed_run.h"

static bool text_clean(const char *text, size_t bytes)
{
	const size_t chars = strnlen(text, bytes);

	for (size_t i = chars; i < bytes; i++)
		if (text[i] != '\0')
			return false;
	return chars < bytes;
}

/* NULL, or what is wrong with it. */
static const char *owe_wrong(const struct clients_run *run, const struct mcr_clients_owe *owe)
{
	if (owe->head.code == 0 || owe->head.code > MCR_KEY_MAX)
		return "a key of no or too many bytes";
	for (size_t i = owe->head.code; i < sizeof(owe->key); i++)
		if (owe->key[i] != 0)
			return "a key with something behind it";
	if (!text_clean(owe->name, sizeof(owe->name)) ||
	    !text_clean(owe->address, sizeof(owe->address)) ||
	    (owe->name[0] == '\0') != (owe->address[0] == '\0'))
		return "a server's name and address that are none";
	/* An older one: whoever has it may name servers that are gone. */
	if (owe->head.generation == run->table.generation && owe->name[0] != '\0' &&
	    !owed_run_has_server(run->options.owed, owe->name, owe->address))
		return "a server that is in no list";
	if (owe->head.generation == 0 || owe->head.generation > run->table.generation)
		return "a plan of a generation that was never published";
	return NULL;
}

static enum mcr_clients_refusal refusal_of(int error)
{
	switch (error) {
	case -EAGAIN:
		return MCR_CLIENTS_NO_LIST;
	case -EINVAL:
	case -ENOENT:
		return MCR_CLIENTS_BAD_KEY;
	case -ENOSPC:
	case -EDQUOT:
		return MCR_CLIENTS_FULL;
	default:
		return MCR_CLIENTS_NOT_STORED;
	}
}

static void on_news(void *context, enum owed_news news)
{
	struct mcr_clients_message answer = {.type = MCR_CLIENTS_OWED};
	struct clients_peer *peer = context;

	if (news == OWED_IS_REFUSED) {
		peer->owing = NULL; /* nothing follows */
		clients_peer_refuse(peer, MCR_CLIENTS_NOT_STORED, "a key cannot be put on disk");
		return;
	}
	(void)clients_peer_send(peer, &answer);
	clients_peer_end(peer);
}

void clients_owe(struct clients_peer *peer, const struct mcr_clients_owe *owe)
{
	struct clients_run *run = peer->run;
	struct failure failure;
	const char *wrong;
	int error;

	if (strncmp(owe->head.text, run->cluster, sizeof(run->cluster)) != 0) {
		clients_peer_refuse(peer, MCR_CLIENTS_OTHER_CLUSTER, "it is of another cluster");
		return;
	}
	if (run->table.generation == 0) {
		clients_peer_refuse(peer, MCR_CLIENTS_NO_LIST, "no list is published yet");
		return;
	}
	wrong = owe_wrong(run, owe);
	if (wrong != NULL) {
		clients_peer_refuse(peer, MCR_CLIENTS_MISUSE, wrong);
		return;
	}
	error = owed_run_add(run->options.owed, owe->key, owe->head.code, peer->uid, on_news, peer,
			     &peer->owing, &failure);
	if (error != 0)
		clients_peer_refuse(peer, refusal_of(error), failure.text);
}

void clients_owe_forget(struct clients_peer *peer)
{
	if (peer->owing != NULL)
		owed_run_forget(peer->run->options.owed, peer->owing);
	peer->owing = NULL;
}
