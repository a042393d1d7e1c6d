# A clock may be off.
# file: agent/admin/doctor_servers.c
# test: 17-doctor
s/off > CLOCK_WARN_S/off > 1000u/
