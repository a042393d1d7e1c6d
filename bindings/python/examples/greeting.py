"""greeting.py CLUSTER: stores a value and reads it, wherever its key is, also while it moves."""
import sys

from mcroster import RosterClient

with RosterClient(sys.argv[1]) as client:
    client.set("greeting", "good morning", expire=60)
    print(client.get("greeting").decode())
