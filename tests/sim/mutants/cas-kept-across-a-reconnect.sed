# A mover fills by the CAS of a connection that has ended.
# file: tests/sim/mover_keys.c
s/\(slot->waits_source \? slot->source_generation : slot->destination_generation\)\) \{/(slot->waits_source ? slot->source_generation : connection->generation)) {/
