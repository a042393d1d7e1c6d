# A register is published and acknowledged before it is on disk.
# file: agent/core/host.c
s/(	host->state.reg = host->known;\n)(	if \(host->known.next_epoch != 0)/\1	host->stored = host->known;\n\2/
s/(	action->type = HOST_STORE;\n)/	host->store_after_ms = now_ms + 3000;\n\1/
