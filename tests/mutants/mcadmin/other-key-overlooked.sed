# A host key that the list does not have is well.
# file: agent/admin/doctor_files.c
# test: 17-doctor
s/(list->agents\[at\]\.key, sizeof\(public_key\)\)) != 0/\1 == 999/
