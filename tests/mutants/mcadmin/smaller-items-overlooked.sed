# Limits of items may differ.
# file: agent/admin/doctor_servers.c
# test: 17-doctor
s/stats\[i\].item_size_max < largest/stats[i].item_size_max > largest/
