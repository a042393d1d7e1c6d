# Movers go on after the step that they worked for has ended.
# file: agent/core/host.c
s/return host->working && !reg_same_step\(&host->known, &host->worked_for\);/return false;/
