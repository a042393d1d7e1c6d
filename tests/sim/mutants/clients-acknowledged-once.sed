# An acknowledgement of any generation is taken for one of the present one.
# file: agent/core/clients.c
s/if \(client->acknowledged == clients->generation\)(\n\t\treturn false;)/if (client->acknowledged != 0)\1/
