# What memcached says of itself is not shown.
# file: agent/admin/stats_ask.c
# test: 17-doctor
s/reply->code == MC_ERROR \|\| //
