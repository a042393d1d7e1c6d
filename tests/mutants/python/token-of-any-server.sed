# A cas goes out whichever server gave the token.
# file: bindings/python/mcroster/client.py
# test: Phases.test_a_token_is_good_at_its_server_alone
s/plan.owner.id != token.server_id/False/
