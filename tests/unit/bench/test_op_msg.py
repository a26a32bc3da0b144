"""What the bench reads in the messages between a service and mongod."""

import struct
from collections.abc import Mapping
from typing import Any

import bson
import pytest

from bench.counting_proxy import Asked, Connection, per_mail
from bench.op_msg import Request, answered, documents_written, length_of, request

OP_MSG, OP_QUERY = 2013, 2004
CHECKSUM_PRESENT = 1


def section(body: Mapping[str, Any]) -> bytes:
    return b"\0" + bson.encode(body)


def batch(name: str, count: int) -> bytes:
    documents = name.encode() + b"\0" + b"".join(bson.encode({"_id": n}) for n in range(count))
    return b"\1" + struct.pack("<i", len(documents) + 4) + documents


def message(*sections: bytes, id_: int = 7, to: int = 0, flags: int = 0) -> bytes:
    content = struct.pack("<I", flags) + b"".join(sections)
    if flags & CHECKSUM_PRESENT:
        content += b"\1\2\3\4"
    return struct.pack("<iiii", 16 + len(content), id_, to, OP_MSG) + content


def answer(body: Mapping[str, Any], to: int = 7) -> bytes:
    return message(section({**body, "ok": 1}), id_=99, to=to)


def test_a_command_without_a_batch_is_one_request() -> None:
    raw = message(section({"commitTransaction": 1, "$db": "admin"}))
    assert request(raw) == Request(7, "commitTransaction", 0)
    assert length_of(raw) == len(raw)


@pytest.mark.parametrize(
    ("command", "name"), [("insert", "documents"), ("update", "updates"), ("delete", "deletes")]
)
def test_a_batch_is_one_request_of_many_statements(command: str, name: str) -> None:
    raw = message(section({command: "mails", "$db": "timeline"}), batch(name, 64))
    assert request(raw) == Request(7, command, 64)


def test_the_batch_may_come_first_and_a_checksum_last() -> None:
    raw = message(batch("documents", 3), section({"insert": "mails"}), flags=CHECKSUM_PRESENT)
    assert request(raw) == Request(7, "insert", 3)


def test_a_bulk_write_over_collections_counts_its_operations_alone() -> None:
    raw = message(section({"bulkWrite": 1}), batch("ops", 5), batch("nsInfo", 2))
    assert request(raw) == Request(7, "bulkWrite", 5)


def test_a_find_and_modify_is_one_statement() -> None:
    assert request(message(section({"findAndModify": "mails"}))) == Request(7, "findAndModify", 1)


def test_the_old_form_is_a_handshake() -> None:
    assert request(struct.pack("<iiii", 16, 1, 0, OP_QUERY)) is None


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ({"n": 64}, 64),
        ({"n": 3, "nModified": 1, "upserted": [{"index": 0, "_id": 1}]}, 2),
        ({"n": 1, "nModified": 0}, 0),
        ({"lastErrorObject": {"n": 1, "updatedExisting": True}, "value": None}, 1),
        ({"nErrors": 0, "nInserted": 1, "nModified": 2, "nUpserted": 3, "nDeleted": 4}, 10),
        ({"errmsg": "WriteConflict", "code": 112}, 0),
    ],
)
def test_documents_are_those_that_the_server_says_it_wrote(
    told: dict[str, Any], written: int
) -> None:
    raw = answer(told)
    assert answered(raw) == 7
    assert documents_written(raw) == written


def test_a_connection_counts_requests_and_what_their_answers_wrote() -> None:
    asked = Asked()
    connection = Connection(asked)
    connection.asks(message(section({"hello": 1})))
    connection.answers(answer({"n": 5}))
    connection.asks(message(section({"insert": "mails"}), batch("documents", 4), id_=8))
    connection.asks(message(section({"find": "mails"}), id_=9))
    before = asked.copy()
    connection.answers(answer({"n": 4}, to=8))
    connection.answers(answer({"n": 1}, to=9))
    connection.asks(message(section({"find": "mails"}), id_=10))
    assert (before.requests, before.statements, before.documents) == (
        {"insert": 1, "find": 1},
        4,
        0,
    )
    later = asked.since(before)
    assert (later.requests, later.statements, later.documents) == ({"find": 1}, 0, 4)


def test_counts_are_divided_by_the_mails() -> None:
    asked = Asked()
    asked.requests.update(find=10, insert=5)
    asked.statements, asked.documents = 40, 30
    found = per_mail(asked, 10)
    assert (found.requests, found.statements, found.documents) == (1.5, 4.0, 3.0)
    assert found.commands == {"find": 1.0, "insert": 0.5}
