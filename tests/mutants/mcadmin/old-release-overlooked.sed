# A memcached of any release is well.
# file: agent/admin/doctor_servers.c
# test: 17-doctor
s/number < VERSION_TESTED/number < VERSION_NEEDED/
