# CAS numbers are kept when a server comes back as another process.
# file: agent/core/pass.c
s/if \(!same\)\n\t\tpass->base/if (false)\n\t\tpass->base/
