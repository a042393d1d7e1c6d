# A registered client is found to run an older operation, and is not waited for.
# file: agent/core/clients.c
s/return !client->looked \|\| client->marks\.older;/return !client->looked;/
