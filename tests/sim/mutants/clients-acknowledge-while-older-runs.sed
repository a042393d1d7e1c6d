# A client acknowledges a generation while it runs an operation of an older one.
# file: tests/sim/registered.c
s/client->unsaid = client->counted != 0 && client->counted != generation;/client->unsaid = false;/
