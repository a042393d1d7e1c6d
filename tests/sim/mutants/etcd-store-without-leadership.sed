# A step is stored by whoever has led once.
# file: tests/unit/core/fake_etcd.c
s/: leader == request->leader_revision \&\&/: leader != UINT64_MAX \&\&/
