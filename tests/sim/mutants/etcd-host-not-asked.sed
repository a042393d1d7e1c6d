# A candidate does not go by what its own host has adopted.
# file: agent/core/election.c
s/if \(term < e->seen_term \|\| /if (term != 0 || /
