# A key is told as what it is not.
# file: agent/admin/command_passphrase.c
# test: 14-mcadmin-day-offline
s/"encrypted", encrypted/"encrypted", !encrypted/
