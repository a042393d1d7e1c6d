# CAS numbers are kept when a server comes back as another process.
# file: agent/core/pass.c
s/if \(!identity_same\(&pass->base.of, &found->identity\)\)/if (false)/
