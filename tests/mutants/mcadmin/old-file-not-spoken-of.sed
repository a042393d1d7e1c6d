# Nobody is told what became of the old file.
# file: agent/admin/file.c
# test: 16-full-disk
s/there \? "; it is as it was" : ""/there ? "" : ""/
