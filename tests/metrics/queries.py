#!/usr/bin/python3
"""What alerts and dashboard ask for, against a page of an agent's metrics.
queries.py PAGE RULES DASHBOARD: a line for each metric, label or value that no such page has.
queries.py --rules DASHBOARD: the dashboard's queries as rules, for promtool to parse."""
import json
import re
import sys

PROMETHEUS_OWN = {"job", "instance"}
SERIES = re.compile(r"(mcroster_[a-z_]+)\{([^}]*)\}")
LABEL = re.compile(r'([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


def queries_of(dashboard):
    found = []

    def look(node):
        for name, value in node.items() if isinstance(node, dict) else enumerate(node):
            if name == "expr":
                found.append(value)
            elif isinstance(value, (dict, list)):
                look(value)

    with open(dashboard, encoding="utf-8") as file:
        look(json.load(file))
    return found


def page_of(path):
    """The label values of each metric; one without a value at the moment has none."""
    page = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("# TYPE "):
                page[line.split()[2]] = {}
            elif line.startswith("mcroster_"):
                name = re.match(r"[a-z_]+", line)[0]
                for label, _, value in LABEL.findall(line):
                    page[name].setdefault(label, set()).add(value)
    return page


def judge(page, query):
    for name in re.findall(r"mcroster_[a-z_]+", query):
        if name not in page:
            yield f"no metric {name}"
    for name, labels in SERIES.findall(query):
        for label, relation, value in LABEL.findall(labels):
            if label in PROMETHEUS_OWN or name not in page:
                continue
            if label not in page[name]:
                yield f"{name} has no label {label}"
                continue
            for one in value.split("|") if "~" in relation else [value]:
                if one not in page[name][label]:
                    yield f"{name} has no {label} {one}"


def main():
    if sys.argv[1] == "--rules":
        print("groups:\n- name: dashboard\n  rules:")
        for number, query in enumerate(queries_of(sys.argv[2])):
            query = query.replace("$__rate_interval", "5m").replace("$job", "web")
            print(f"  - record: query:{number}\n    expr: {json.dumps(query)}")
        return
    page = page_of(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as rules:
        queries = [rules.read()] + queries_of(sys.argv[3])
    if len(queries) < 20:
        print(f"only {len(queries)} queries were found")
    for query in queries:
        for fault in judge(page, query):
            print(fault)


main()
