# A server without CAS is well.
# file: agent/admin/doctor_servers.c
# test: 17-doctor
s/stats->cas == 0 \? CHECKUP_FAULT/stats->cas == 0 ? CHECKUP_OK/
