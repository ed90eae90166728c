"""Prints a YAML document as JSON, on one line. Members keep their order.

The build makes openapi.json of docs/openapi.yaml by it: python3 cmake/yaml_to_json.py docs/openapi.yaml
Needs the module yaml (Debian: python3-yaml).
"""

import json
import sys

import yaml

# Written in C if libyaml is there, as in Debian: 0.2 s instead of 2 s.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(LOADER):
    """Refuses what parsers of YAML read differently, and a key that is there twice, of which YAML would keep the last."""


def mapping(loader, node):
    made = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not a text: put it in quotes", key_node.start_mark)
        if key in made:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice", key_node.start_mark)
        made[key] = loader.construct_object(value_node, deep=True)
    return made


def ambiguous(loader, node):
    raise yaml.constructor.ConstructorError(None, None, f"{node.value!r} means different things to parsers of YAML: put it in quotes", node.start_mark)


def yes_or_no(loader, node):
    if node.value not in ("true", "false"):
        ambiguous(loader, node)
    return node.value == "true"


Loader.add_constructor("tag:yaml.org,2002:map", mapping)
Loader.add_constructor("tag:yaml.org,2002:timestamp", ambiguous)
Loader.add_constructor("tag:yaml.org,2002:bool", yes_or_no)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            document = yaml.load(file, Loader)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    sys.stdout.buffer.write(text.encode() + b"\n")


if __name__ == "__main__":
    main()
