"""The converter that the build makes openapi.json with."""

import json
import subprocess
from pathlib import Path

import pytest

from support import settings

CONVERTER = Path(__file__).parents[2] / "cmake/yaml_to_json.py"


def convert(tmp_path, text):
    file = tmp_path / "document.yaml"
    file.write_text(text)
    return subprocess.run(
        ["/usr/bin/python3", CONVERTER, file], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
    )


def test_a_document_is_written_on_one_line_with_its_members_in_their_order(tmp_path):
    result = convert(tmp_path, "b: [1, -0.5, true, null, '2026-11-27']\na: {text: \"\\u00e4\\n\", '200': {}}\n")
    assert result.stdout == '{"b":[1,-0.5,true,null,"2026-11-27"],"a":{"text":"ä\\n","200":{}}}\n' and result.returncode == 0


def test_the_document_of_the_interface_is_converted(tmp_path):
    document = json.loads(convert(tmp_path, (CONVERTER.parents[1] / "docs/openapi.yaml").read_text()).stdout)
    assert list(document)[:2] == ["openapi", "info"] and len(document["paths"]) > 10


@pytest.mark.parametrize(("text", "reason"), [
    ("a: 1\nb: 2\na: 3\n", "the key 'a' is there twice"),
    ("200: found\n", "the key 200 is not a text"),
    ("since: 2026-11-27\n", "'2026-11-27' means different things"),
    ("answer: yes\n", "'yes' means different things"),
    ("answer: True\n", "'True' means different things"),
    ("number: .nan\n", "float"),
    ("a: [1\n", "document.yaml"),
])
def test_what_parsers_read_differently_is_refused(tmp_path, text, reason):
    result = convert(tmp_path, text)
    assert result.returncode == 1 and result.stdout == ""
    assert reason in result.stderr and "Traceback" not in result.stderr
