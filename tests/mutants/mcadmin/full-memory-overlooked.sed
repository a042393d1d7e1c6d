# A server may be full.
# file: agent/admin/doctor_servers.c
# test: 17-doctor
s/(define MEMORY_WARN[ \t]+)90u/\1190u/
