# A step is stored whatever stands there.
# file: tests/unit/core/fake_etcd.c
s/revision_of\(&etcd->reg, false\) == request->register_revision/etcd != NULL/
