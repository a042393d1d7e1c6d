# A client that passed no counts and has not answered counts as if it had.
# file: agent/core/clients.c
s/return !client->looked \|\| client->marks\.older;/return client->looked \&\& client->marks.older;/
