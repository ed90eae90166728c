#!/usr/bin/env python3
"""Checks every #include of the project against allowed_edges.txt.

    check_layering.py ROOT          checks the tree, prints each broken rule as file:line, fails if there is one
    check_layering.py --self-check  checks invented trees, each of which breaks one rule
"""

import fnmatch
import re
import sys
import tempfile
import unittest
from dataclasses import dataclass, field
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\b\s*(.*)')
NAMED = re.compile(r'(?:<([^>]+)>|"([^"]+)")')
STANDARD = re.compile(r"[a-z_0-9]+$")  # <vector>, <cstdint>: no slash, no ending
SOURCES = {".hpp", ".cpp"}
RULES_FILE = Path(__file__).with_name("allowed_edges.txt")


@dataclass
class Rules:
    folders: dict = field(default_factory=dict)
    rooms: dict = field(default_factory=dict)
    only: dict = field(default_factory=dict)
    confined: dict = field(default_factory=dict)
    sealed: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Include:
    file: str
    line: int
    ours: bool  # "x" of this project, or <x>
    name: str


def parse_rules(text):
    rules = Rules()
    kinds = {"folder": rules.folders, "room": rules.rooms, "only": rules.only, "confined": rules.confined, "sealed": rules.sealed}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\w+) ([^:\s]+):(.*)", line)
        if match is None or match[1] not in kinds or match[2] in kinds[match[1]]:
            raise ValueError(f"line {number} of the rules is none, or says again what is said: {line}")
        kinds[match[1]][match[2]] = match[3].split()
    return rules


def includes_of(root, file):
    found = []
    for number, line in enumerate((root / file).read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            name = NAMED.match(match[1])
            if name is None:
                raise ValueError(f"{file}:{number}: an #include whose header can't be told: {line.strip()}")
            found.append(Include(file, number, name[1] is None, name[1] or name[2]))
    return found


def read_tree(root, rules):
    tree = {}
    for folder in rules.folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCES:
                file = path.relative_to(root).as_posix()
                tree[file] = includes_of(root, file)
    return tree


def is_at(file, places):
    return any(file.startswith(place) if place.endswith("/") else fnmatch.fnmatchcase(file, place) for place in places)


def folder_of(file):
    return file.split("/")[0]


def room_of(file):
    """Returns the room of a file; for a file outside all rooms, its top folder."""
    return "/".join(file.split("/")[:-1][:2])


def own_include_error(include, tree, rules):
    if include.name not in tree:
        return f'there is no "{include.name}" in the folders of the rules; include by full path from the root'
    own, other = folder_of(include.file), folder_of(include.name)
    if other != own:
        return None if other in rules.folders[own] else f"{own}/ may include from {', '.join([own] + rules.folders[own])}, not from {other}/"
    own, other = room_of(include.file), room_of(include.name)
    if own == other or folder_of(own) not in {folder_of(room) for room in rules.rooms}:
        return None
    allowed = rules.rooms.get(own)
    if allowed is None:
        return f"the rules name no room {own}"
    return None if other in allowed else f"{own}/ may include from the rooms {', '.join([own] + allowed)}, not from {other}/"


def other_include_error(include, rules):
    # A rule of the room replaces that of the folder.
    own = next((place for place in (room_of(include.file), folder_of(include.file)) if place in rules.only), None)
    if own and not STANDARD.match(include.name) and include.name not in rules.only[own]:
        return f"{own}/ may include the standard library and {', '.join(rules.only[own])}, not <{include.name}>"
    for header, places in (rules.confined | rules.sealed).items():
        if include.name.startswith(header) and not is_at(include.file, places):
            return f"<{header}...> is confined to {', '.join(places)}"
    return None


def ways_to(header, file, tree, seen):
    """Returns the chain of the project's includes by which `file` reaches a header with this prefix; the last one includes it."""
    for include in tree[file]:
        if not include.ours and include.name.startswith(header):
            return [include]
    for include in tree[file]:
        if include.ours and include.name in tree and include.name not in seen:
            seen.add(include.name)
            if way := ways_to(header, include.name, tree, seen):
                return [include] + way
    return []


def broken_seals(tree, rules):
    for header, places in rules.sealed.items():
        # Files in the folder of these places may include the header through each other.
        home = {folder_of(place) for place in places}
        for file in tree:
            if folder_of(file) in home:
                continue
            way = ways_to(header, file, tree, {file})
            if len(way) > 1:
                through = " -> ".join(step.name for step in way)
                yield way[0], f"<{header}...> is sealed in {', '.join(sorted(home))}/, but reached through {through}"


def broken_rules(root, rules):
    tree = read_tree(root, rules)
    found = []
    for includes in tree.values():
        for include in includes:
            why = own_include_error(include, tree, rules) if include.ours else other_include_error(include, rules)
            if why:
                found.append((include, why))
    found += broken_seals(tree, rules)
    return [f"{include.file}:{include.line}: {why}" for include, why in found]


PICTURE = "docs/architecture.md"
PICTURE_ROW = re.compile(r"\| `([a-z-]+(?:/[a-z-]+)?)` \|[^|]*\|([^|]*)\|$")


def rooms_of_picture(text, folders):
    """Returns the rows of the diagram's table: each a room, and the rooms that it may include."""
    rows = filter(None, map(PICTURE_ROW.match, text.splitlines()))
    return [(row[1], re.findall(r"`([^`]+)`", row[2])) for row in rows if folder_of(row[1]) in folders]


def broken_picture(text, tree, rules):
    rows = rooms_of_picture(text, rules.folders)
    pictured = dict(rows)
    for room in pictured:
        if (count := sum(named == room for named, _ in rows)) > 1:
            yield f"{PICTURE}: {room} has {count} rows"
    for room in sorted(set(pictured) | set(rules.rooms)):
        if pictured.get(room) != rules.rooms.get(room):
            yield f"{PICTURE}: {room} may include {pictured.get(room)} by the picture, and {rules.rooms.get(room)} by the rules"
    for room in sorted(set(rules.rooms) - {room_of(file) for file in tree}):
        yield f"{room}/: there is no source file in this room"


def check(root):
    rules = parse_rules(RULES_FILE.read_text(encoding="utf-8"))
    tree = read_tree(root, rules)
    empty = [folder for folder in rules.folders if not any(file.startswith(folder + "/") for file in tree)]
    broken = [f"{folder}/: there is no source file in it" for folder in empty] + broken_rules(root, rules)
    broken += broken_picture((root / PICTURE).read_text(encoding="utf-8"), tree, rules)
    for each in broken:
        print(each)
    print(f"{len(tree)} files, {sum(map(len, tree.values()))} includes, {len(broken)} broken rules")
    return 1 if broken else 0


class SelfCheck(unittest.TestCase):
    """Checks the rules on invented trees."""

    HEADERS = {
        "engine/model/ids.hpp": "#include <cstdint>\n#include <tl/expected.hpp>\n",
        "storage/log/store.hpp": '#include "engine/model/ids.hpp"\n',
        "actors/gateway.hpp": '#include "storage/log/store.hpp"\n',
        "http-edge/server/server.hpp": "#include <boost/asio/io_context.hpp>\n",
        "app/commands/serve.cpp": '#include "actors/gateway.hpp"\n#include "http-edge/server/server.hpp"\n',
    }

    def broken_in(self, files):
        rules = parse_rules(RULES_FILE.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (self.HEADERS | files).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return broken_rules(Path(folder), rules)

    def test_a_good_tree_breaks_nothing(self):
        self.assertEqual(self.broken_in({
            "storage/rocksdb/rocks_store.cpp": "#include <rocksdb/db.h>\n",
            "storage/rocksdb/column_families.hpp": "#include <rocksdb/db.h>\n",
            "storage/postgres/postgres_sink.cpp": "#include <pqxx/pqxx>\n",
            "actors/interfaces.hpp": "#include <caf/all.hpp>\n",
            "actors/gateway.cpp": '#include "actors/gateway.hpp"\n\n#include "actors/interfaces.hpp"\n',
            "bench/load.cpp": '#include <boost/beast/http.hpp>\n#include "app/commands/serve.hpp"\n',
            "app/commands/serve.hpp": "// #include <caf/all.hpp>\n",
        }), [])

    def test_each_bad_include_is_found_with_its_place(self):
        bad = {
            "engine/rules/decide.cpp": ['#include "storage/log/store.hpp"', "#include <boost/optional.hpp>", "#include <unistd.h>"],
            "storage/store.cpp": ['#include "actors/gateway.hpp"', "#include <caf/all.hpp>"],
            "storage/log/sink.hpp": ["#include <rocksdb/db.h>", "#include <pqxx/pqxx>"],
            "actors/writer.cpp": ['#include "http-edge/server/server.hpp"', "#include <rocksdb/db.h>", "#  include <boost/asio.hpp>"],
            "http-edge/server/session.cpp": ['#include "storage/log/store.hpp"', '#include "actors/gateway.hpp"', "#include <caf/all.hpp>"],
            "app/main.cpp": ["#include <boost/asio/post.hpp>", "#include <boost/beast.hpp>", '#include "bench/load.hpp"',
                             '#include "nowhere.hpp"'],
            "bench/load.hpp": ["#include <caf/all.hpp>"],
            "engine/rules/decide.hpp": ['#include "engine/codec/order_json.hpp"', "#include <simdjson.h>"],
            "engine/codec/order_json.hpp": ["#include <boost/json.hpp>", '#include "engine/ports/readers.hpp"'],
            "storage/postgres/postgres_reader.cpp": ['#include "storage/rocksdb/arena.hpp"', "#include <rocksdb/db.h>"],
            "actors/lobby/guest.hpp": ['#include "actors/gateway.hpp"'],
        }
        for file, lines in bad.items():
            for line in lines:
                with self.subTest(file=file, line=line):
                    others = {name: "" for name in bad if name != file}
                    broken = self.broken_in(others | {file: "// A line before it.\n" + line + "\n"})
                    self.assertEqual(len(broken), 1, broken)
                    self.assertTrue(broken[0].startswith(f"{file}:2: "), broken)

    def test_a_seal_is_broken_through_headers_too(self):
        broken = self.broken_in({
            "actors/gateway.hpp": '#include "actors/interfaces.hpp"\n',
            "actors/interfaces.hpp": "#include <caf/all.hpp>\n",
        })
        self.assertEqual(broken, ["app/commands/serve.cpp:1: <caf/...> is sealed in actors/, but reached through "
                                  "actors/gateway.hpp -> actors/interfaces.hpp -> caf/all.hpp"])

    def test_an_include_by_macro_is_refused(self):
        with self.assertRaisesRegex(ValueError, "engine/odd.hpp:1"):
            self.broken_in({"engine/odd.hpp": "#include HEADER\n"})

    def test_a_picture_that_is_not_the_rules_is_found(self):
        rules = parse_rules("folder a:\nroom a/b:\nroom a/c: a/b\n")
        tree = {"a/b/x.hpp": [], "a/c/y.hpp": []}
        good = "| `a/b` | text | - |\n| `a/c` | text | `a/b` |\n"
        self.assertEqual(list(broken_picture(good, tree, rules)), [])
        for bad in (good.replace("| `a/b` |\n", "| - |\n"), good + "| `a/d` | more | - |\n", "| `a/b` | text | - |\n",
                    good + "| `a/c` | as above | `a/b` |\n"):
            with self.subTest(bad=bad):
                self.assertEqual(len(list(broken_picture(bad, tree, rules))), 1)
        self.assertEqual(len(list(broken_picture(good, {"a/b/x.hpp": []}, rules))), 1)

    def test_a_rule_that_is_none_is_refused(self):
        for text in ("folder engine", "fodler engine: x", "only a: b\nonly a: c"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                parse_rules(text)


def main():
    if sys.argv[1:] == ["--self-check"]:
        result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(SelfCheck))
        return 0 if result.wasSuccessful() else 1
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    return check(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
