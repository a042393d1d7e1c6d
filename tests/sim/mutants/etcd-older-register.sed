# A candidate leads from a register older than one it has seen.
# file: agent/core/election_reply.c
s/if \(!older \|\| election_fails_over\(e, reg->term\)\)/if (!older || e != NULL)/
