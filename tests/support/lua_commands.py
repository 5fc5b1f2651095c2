#!/usr/bin/env python3
"""The Redis commands that functions of a library may run, one a line: those of the functions themselves and of what they call.

    lua_commands.py LIBRARY.lua            of all functions that it registers
    lua_commands.py LIBRARY.lua NAME…      of these
"""
import re
import sys


def functions(text):
    """Name → body, of the functions at the top level: they end with the first `end` at the start of a line, or are one line."""
    found = {}
    for match in re.finditer(r"^local function (\w+)\((?:[^\n]* end$|.*?^end$)", text, re.M | re.S):
        found[match[1]] = match[0]
    return found


def reached(names, bodies):
    seen, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [word for word in set(re.findall(r"\w+", bodies[name])) if word in bodies]
    return seen


def commands(body):
    for argument in re.findall(r"redis\.p?call\(\s*([^,)]*)", body):
        words = re.findall(r"'([A-Z]+)'", argument)
        if not words:
            sys.exit(f"lua_commands.py: which command is redis.call({argument}…?")
        yield from words


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = re.sub(r"--.*", "", file.read())
    bodies = functions(text)
    names = sys.argv[2:] or [name for name in bodies if re.search(rf"(,|=) {name}\b", text)]
    for word in sorted({word.lower() for name in reached(names, bodies) for word in commands(bodies[name])}):
        print(word)


if __name__ == "__main__":
    main()
