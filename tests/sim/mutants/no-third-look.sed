# A reader that misses at the old owner does not look at the new one again.
# file: shmlib/plan.c
s/define READ_NON LOOK\(NEW\), READ\(OLD\), LOOK\(NEW\)/define READ_NON LOOK(NEW), READ(OLD)/
