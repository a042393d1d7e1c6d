# Where registration is optional, op_timeout is not waited for: who is not registered is forgotten.
# file: agent/core/clients.c
s/    !required \|\| !clients->required \|\| clients->generation == 0 \|\| unknown_still;/    clients->generation == 0 || unknown_still;/
