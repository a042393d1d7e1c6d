# A server is asked when the one before has answered.
# file: bindings/python/mcroster/client.py
# test: Phases.test_all_servers_are_asked_before_the_first_answer_is_waited_for
s/waiting.append\(\(connection, keys, group\)\)/answers = connection.call(left, "gets_many", keys)\n                    for look in group:\n                        look.answered(answers.get(look.key))/
