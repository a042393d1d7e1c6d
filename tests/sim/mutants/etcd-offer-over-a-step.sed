# A list is taken while a step is being written.
# file: agent/core/coord_change.c
s/(nothing else may take its number. \*\/\n	if \()coord->staged.term != 0/\1coord->staged.term == 1/
