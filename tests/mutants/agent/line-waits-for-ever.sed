# Lines that take turns hold another one up for ever.
# file: agent/daemon/log_often.c
# test: daemon/test_log_often
s/return line;\n\t\}\n\treturn NULL;\n\}\n\nstatic bool line_paused/;\n\t}\n\treturn NULL;\n}\n\nstatic bool line_paused/
