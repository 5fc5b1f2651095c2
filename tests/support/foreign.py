"""Looks for what a terminal obeys or hides in captured output.

foreign.py bytes FILE…     what was printed to a pipe or a file: no control but newline and tab, no character that hides or turns text
foreign.py screen FILE…    what a terminal was sent: as above, but for the sequences that the programs draw with
foreign.py markdown FILE…  pages: as bytes, and nothing of the marked texts is active

Says where, and ends with 1, if there is any.
"""
import re
import sys
import unicodedata

OWN = re.compile(r"\x1b\[\d{1,3}[mA]|\x1b\[[HJK]|\x1b\[\?(1049|25)[hl]|\r\n|\r(?=\x1b\[K)")
NEEDED = "\n\t\u200c\u200d"  # the joiners belong to scripts


def wrong(text):
    for at, c in enumerate(text):
        if c not in NEEDED and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
            yield at, c


def main():
    how, found = sys.argv[1], 0
    for name in sys.argv[2:]:
        with open(name, "rb") as f:
            raw = f.read()
        text = raw.decode("utf-8", "surrogateescape")
        if how == "screen":
            text = OWN.sub("\n", text)
        for at, c in wrong(text):
            found += 1
            if found <= 10:
                print(f"{name}: U+{ord(c):04X} in {text[max(0, at - 40):at + 20]!a}")
    sys.exit(1 if found else 0)


main()
