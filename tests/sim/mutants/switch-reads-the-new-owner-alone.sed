# In SWITCH and DRAIN a reader does not go back to the old owner.
# file: shmlib/plan.c
s/define READ_NON LOOK\(NEW\), READ\(OLD\), LOOK\(NEW\)/define READ_NON LOOK(NEW)/
