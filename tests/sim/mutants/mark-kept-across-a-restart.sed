# CAS numbers of a memcached process are compared with those of the next one.
# file: agent/core/pass.c
s/if \(!identity_same\(&pass->base.of, &found->identity\)\)/if (false)/
