# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One key of a file is changed and the rest stays, byte for byte; what was written is what is read back."""

from __future__ import annotations

import re
import string

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_files import (
    drop_in,
    edited,
    value_in_drop_in,
    value_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from support.options import refused

SAME = settings(derandomize=True, database=None, deadline=None, max_examples=400)
SAFE = string.ascii_letters + string.digits + "_.~+/=@%:,-"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "KEY=new\n"),
        ("KEY=old\n", "KEY=new\n"),
        ("KEY=\n", "KEY=new\n"),
        ("KEY=old", "KEY=new"),
        ("A=1\nKEY=old\nB=2\n", "A=1\nKEY=new\nB=2\n"),
        # Quotes, the word export, indentation and blanks at the end stay.
        ('KEY="old"\n', 'KEY="new"\n'),
        ("KEY='old'\n", "KEY='new'\n"),
        ('KEY=""\n', 'KEY="new"\n'),
        ('KEY="old \n', "KEY=new \n"),
        ("KEY=\"old'\n", "KEY=new\n"),
        ("KEY='\n", "KEY=new\n"),
        ("export KEY=old\n", "export KEY=new\n"),
        ("\t export  KEY='old'\t \n", "\t export  KEY='new'\t \n"),
        # A comment behind the value stays too; without a blank before it, it is a part of the value.
        ("KEY=old # the\r\n", "KEY=new # the\r\n"),
        ('KEY="o #d"  # the "key"\n', 'KEY="new"  # the "key"\n'),
        ("KEY='old' #\n", "KEY='new' #\n"),
        ("KEY=old#1\n", "KEY=new\n"),
        ("KEY= # not set\n", "KEY=new # not set\n"),
        # The ends of lines stay, and what is added has the same.
        ("A=1\r\nKEY=old\r\nB=2\r\n", "A=1\r\nKEY=new\r\nB=2\r\n"),
        ('KEY="old" \r\n', 'KEY="new" \r\n'),
        ("A=1\r\n", "A=1\r\nKEY=new\r\n"),
        ("A=1\r\nB=2", "A=1\r\nB=2\r\nKEY=new\r\n"),
        ("A=1\n", "A=1\nKEY=new\n"),
        ("A=1", "A=1\nKEY=new\n"),
        ("A=1\n\n\n", "A=1\n\n\nKEY=new\n"),
        # Readers differ on which of two counts.
        ("KEY=one\nA=1\nKEY='two'\n", "KEY=new\nA=1\nKEY='new'\n"),
        # None of these is the key.
        ("#KEY=old\n", "#KEY=old\nKEY=new\n"),
        ("# KEY=old\n", "# KEY=old\nKEY=new\n"),
        ("KEY_OLD=1\nMY_KEY=2\nKEYS=3\n", "KEY_OLD=1\nMY_KEY=2\nKEYS=3\nKEY=new\n"),
        ("A=KEY=old\n", "A=KEY=old\nKEY=new\n"),
        ("exportKEY=old\n", "exportKEY=old\nKEY=new\n"),
        ("KEY\n", "KEY\nKEY=new\n"),
        ("key=old\n", "key=old\nKEY=new\n"),
    ],
)
def test_an_env_file(before: str, after: str) -> None:
    assert edited(before, {"KEY": "new"}, "env") == after
    assert value_of(after, "KEY", "env") == "new"
    assert edited(after, {"KEY": "new"}, "env") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "okta.key=new\n"),
        ("okta.key=old\n", "okta.key=new\n"),
        ("okta.key = old\n", "okta.key = new\n"),
        ("okta.key:old\n", "okta.key:new\n"),
        ("okta.key : old\n", "okta.key : new\n"),
        ("okta.key old\n", "okta.key new\n"),
        ("  okta.key\told \n", "  okta.key\tnew \n"),
        ("okta.key =\n", "okta.key =new\n"),
        ('okta.key = "old"\n', 'okta.key = "new"\n'),
        ("okta.key = a = b : c\n", "okta.key = new\n"),
        ("a = 1\r\nokta.key = old\r\n", "a = 1\r\nokta.key = new\r\n"),
        ("okta.key = 1\nokta.key: 2\n", "okta.key = new\nokta.key: new\n"),
        # A key without a value: the one that is added is read last.
        ("okta.key\n", "okta.key\nokta.key=new\n"),
        # None of these is the key.
        ("# okta.key = old\n! okta.key = old\n", "# okta.key = old\n! okta.key = old\nokta.key=new\n"),
        (
            "okta.key.id = 1\nokta.keys = 2\nmy.okta.key = 3\n",
            "okta.key.id = 1\nokta.keys = 2\nmy.okta.key = 3\nokta.key=new\n",
        ),
        ("oktaXkey = 1\n", "oktaXkey = 1\nokta.key=new\n"),
        ("export okta.key=old\n", "export okta.key=old\nokta.key=new\n"),
    ],
)
def test_a_properties_file(before: str, after: str) -> None:
    assert edited(before, {"okta.key": "new"}, "properties") == after
    assert value_of(after, "okta.key", "properties") == "new"
    assert edited(after, {"okta.key": "new"}, "properties") == after


def test_several_keys() -> None:
    found = edited("ID=a\nSECRET='b'\n", {"SECRET": "new", "ID": "0oa1", "MORE": "x"}, "env")
    assert found == "ID=0oa1\nSECRET='new'\nMORE=x\n"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", None),
        ("OTHER=1\n", None),
        ("#KEY=1\n", None),
        ("KEY=\n", ""),
        ("KEY=''\n", ""),
        ("KEY='\n", "'"),
        ("KEY= a b \n", " a b"),
        ('KEY=1\nKEY="2"\n', "2"),
        ("KEY=1\r\n", "1"),
        ("KEY=1 # one\n", "1"),
        ('KEY="1 #2" # one\n', "1 #2"),
    ],
)
def test_what_a_file_holds(content: str, value: str | None) -> None:
    assert value_of(content, "KEY", "env") == value


@pytest.mark.parametrize("character", [*" \"'$`\\#;&|<>*?!(){}[]^\n\r\t\0", "ü", "\u2028", "٣"])
def test_what_readers_take_in_different_ways_is_refused_and_not_quoted(character: str) -> None:
    for value in (f"Sekrit-1{character}x", f"{character}Sekrit-1", f"Sekrit-1{character}"):
        said = refused(lambda value=value: edited("", {"KEY": value}, "properties"))
        assert said == (
            "The value for KEY has characters that readers of properties files take in different ways. Use the way "
            "template, and quote it as the consumer needs it."
        )
    assert "KEY" in refused(lambda: edited("", {"KEY": ""}, "env"))


LINES = st.sampled_from(
    [
        *("", " ", "# KEY=1", "A=1", "KEYS=1", "KEY2 = 1", "KEY", "exportKEY=1", "A=KEY=1"),
        *("KEY=", "KEY=1", "KEY='1'", 'KEY="1" ', " KEY=1\t", "export KEY=a b", "KEY = 1", "KEY: 1", "KEY 1", "KEY='"),
    ]
)


@SAME
@given(
    lines=st.lists(LINES, max_size=6),
    end=st.sampled_from(("\n", "\r\n")),
    ended=st.booleans(),
    value=st.text(SAFE, min_size=1),
    syntax=st.sampled_from(("env", "properties")),
)
def test_what_was_written_is_read_back_and_nothing_else_changes(
    lines: list[str], end: str, ended: bool, value: str, syntax: str
) -> None:
    before = end.join(lines) + (end if ended and lines else "")
    after = edited(before, {"KEY": value}, syntax)
    assert value_of(after, "KEY", syntax) == value
    assert edited(after, {"KEY": value}, syntax) == after
    # Line by line, by what is before the first sign that can end a key. What is added comes after them.
    separators = "=" if syntax == "env" else "=: \t"
    for old, new in zip(before.splitlines(), after.splitlines(), strict=False):
        words = old.removeprefix("export ") if syntax == "env" else old
        name = re.split(f"[{separators}]", words.strip())[0]
        is_key = name == "KEY" and any(each in words.lstrip() for each in separators)
        assert (value in new) if is_key else new == old


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain-1_2", 'Environment="KEY=plain-1_2"'),
        ("50%", 'Environment="KEY=50%%"'),
        ('a"b', 'Environment="KEY=a\\"b"'),
        ("a\\b", 'Environment="KEY=a\\\\b"'),
        ('\\"%', 'Environment="KEY=\\\\\\"%%"'),
        ("a b'c$d", 'Environment="KEY=a b\'c$d"'),
    ],
)
def test_a_drop_in(value: str, line: str) -> None:
    assert drop_in({"KEY": value}) == f"[Service]\n{line}\n"
    assert value_in_drop_in(f"[Service]\n{line}\n", "KEY") == value


def test_a_drop_in_with_two_variables() -> None:
    assert drop_in({"B": "2", "A": "1"}) == '[Service]\nEnvironment="B=2"\nEnvironment="A=1"\n'


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ('Environment="KEY=1"\nEnvironment="KEY=2"\n', "2"),
        ('Environment="KEY=1" \r\n', "1"),
        ('Environment="KEY=1"', "1"),
        ('# Environment="KEY=1"\nEnvironment="KEY2=2"\nEnvironment="A=KEY=3"\n', None),
        ("KEY=1\n", None),
        ("", None),
    ],
)
def test_what_a_drop_in_holds(content: str, value: str | None) -> None:
    assert value_in_drop_in(content, "KEY") == value


@SAME
@given(value=st.text().filter(str.isprintable))
def test_what_a_drop_in_sets_is_read_back(value: str) -> None:
    assert value_in_drop_in(drop_in({"OTHER": "1", "KEY": value}), "KEY") == value


@pytest.mark.parametrize("character", "\n\r\t\0\x1b\x7f\u2028")
def test_control_characters_are_refused_and_not_quoted(character: str) -> None:
    said = refused(lambda: drop_in({"KEY": f"Sekrit-1{character}ExecStart=/bin/sh"}))
    assert said == "The secret has control characters, which no unit file can hold."
