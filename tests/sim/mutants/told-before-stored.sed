# A step is told before it is on disk.
# file: agent/core/coord.c
s/coord->staged = \*next;/coord->staged = *next;\n	coord->reg = *next;\n	coord->tell = true;/
