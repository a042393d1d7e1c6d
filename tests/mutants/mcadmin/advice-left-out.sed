# What it means is said twice, and what to do not at all.
# file: agent/admin/checkup.c
# test: 17-doctor
s/checks\[check\].means, "",[ \t\n]+checks\[check\].advice/checks[check].means, "", checks[check].means/
