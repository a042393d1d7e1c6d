# A client that is gone holds nothing up, though its commands may still be under way.
# file: agent/core/clients.c
s/\tif \(client->gone\)\n\t\treturn !client_over\(clients, client, now_ms\);/\tif (client->gone)\n\t\treturn false;/
