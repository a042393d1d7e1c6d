# A server without a crawler is well.
# file: agent/admin/doctor_servers.c
# test: 17-doctor
s/stats->crawler == 0/stats->crawler == 7/
