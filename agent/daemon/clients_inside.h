/* clients_inside.h - what the files of the registered clients share; nobody else includes it. */
#ifndef MCROSTER_CLIENTS_INSIDE_H
#define MCROSTER_CLIENTS_INSIDE_H

#include <event2/listener.h>
#include <mcroster_clients.h>

#include "daemon/clients_run.h"
#include "net/local_socket.h"

#define CLIENTS_HALF_OPEN_MAX	   256u
#define CLIENTS_HALF_OPEN_UID	   64u
#define CLIENTS_HALF_OPEN_MS	   3000u
#define CLIENTS_MESSAGES_PER_S	   256u
#define CLIENTS_MESSAGES_AT_A_TIME 16u
#define CLIENTS_DISPOSING_MAX	   4

/* A connection. */
struct clients_peer {
	struct clients_run *run;
	struct clients_peer *next, *previous; /* of those that are not registered yet */
	struct event *readable;
	int fd;
	uint32_t uid;
	int32_t pid;
	bool registered, watching;
	uint32_t number;	 /* registered: in the table */
	struct owed_wait *owing; /* it has handed a key over and is to be answered; or NULL */
	struct mcr_marks *marks; /* mapped; NULL: it passed none */
	uint32_t attempt;	 /* the client's number of this registration */
	uint64_t since_ms;	 /* connected */
	uint64_t second_ms;	 /* the second in which `messages` came */
	uint32_t messages;
};

struct clients_run {
	struct event_base *base;
	struct clients_options options;
	char path[sizeof(((struct local_socket *)0)->path)];
	char cluster[MCR_CLIENTS_TEXT];
	void (*changed)(void *context);
	void *context;

	struct clients table;
	struct clients_peer **peer; /* by number in the table; NULL: gone */
	struct clients_peer *half_open;
	uint32_t half_open_count;

	struct local_socket local;
	struct evconnlistener *accepting;
	struct event *resume; /* accepting, after it failed */
	struct event *look;   /* while clients are waited for */
	struct event *keep;   /* housekeeping */
	bool barrier;	      /* there is a membarrier */
	bool closing;
	bool quorum_waited; /* the quorum was missing when it was last asked for */
	uint64_t misused;
	char last_refusal[FAILURE_BYTES];
};

uint64_t clients_now_ms(void);

/* clients_socket.c */
int clients_socket_open(struct clients_run *run, unsigned mode, struct failure *failure);
void clients_socket_close(struct clients_run *run);
/* Ends a connection.  A client that was registered is gone. */
void clients_peer_end(struct clients_peer *peer);
void clients_peer_generation(struct clients_peer *peer, uint32_t generation);
/* Those that have not registered in time. */
void clients_half_open_end(struct clients_run *run);

/* Refuses and ends it. */
void clients_peer_refuse(struct clients_peer *peer, enum mcr_clients_refusal code, const char *why);
/* False: it cannot be sent. */
bool clients_peer_send(const struct clients_peer *peer, struct mcr_clients_message *message);

/* clients_owe.c */
/* A key that is handed over, from a connection that has not registered.  Answers, now or once it is
 * on disk, and ends the connection. */
void clients_owe(struct clients_peer *peer, const struct mcr_clients_owe *owe);
/* The connection has ended before the answer. */
void clients_owe_forget(struct clients_peer *peer);

/* clients_marks.c */
/* Maps a client's memfd; takes the descriptor, whatever it is.  -EINVAL where it is not to be
 * trusted. */
int clients_marks_map(int fd, struct mcr_marks **marks);
/* `attempt`: this registration of the client is over, and it is told so in its own memory.  0: an
 * agent that stops leaves it as it is: nothing is adopted here until the next one has come. */
void clients_marks_unmap(struct mcr_marks *marks, uint32_t attempt);
/* Is there a membarrier that reaches other processes?  Then it is issued. */
bool clients_marks_barrier(void);
/* Older operations are those planned from generation `since` on. */
void clients_marks_look(const struct mcr_marks *marks, uint32_t since, uint32_t generation,
			struct client_marks *seen);
/* Closes a descriptor that may be anything, without waiting for it; so many of them are being
 * closed that no more should be taken. */
void clients_dispose(int fd);
bool clients_dispose_busy(void);

/* clients_run.c: looks at one client's counts. */
void clients_look(struct clients_run *run, struct clients_peer *peer);
/* Something was learnt of a client. */
void clients_learnt(struct clients_run *run);

#endif
