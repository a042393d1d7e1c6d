# The register is stored without the list that it names.
# file: agent/core/election.c
s/e->write = list_count > 0 \? ELECTION_WRITE_LIST : ELECTION_WRITE_REGISTER;/e->write = ELECTION_WRITE_REGISTER;/
