# A candidate takes the leader key though it is held.
# file: tests/unit/core/fake_etcd.c
s/\? leader == 0/? leader + 1 != 0/
