import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail.flowed import unflow
from shared.mail.mime import leaves
from shared.mail.part import text_of


def text(body: str, parameters: str = "; format=flowed", content_type: str = "text/plain") -> str:
    head = f"Content-Type: {content_type}; charset=utf-8{parameters}\r\n\r\n"
    parts, _ = leaves((head + body.replace("\n", "\r\n")).encode())
    return text_of(parts[0])[0]


@pytest.mark.parametrize(
    ("flowed", "read"),
    [
        ("I can start \nin May.\n", "I can start in May."),
        ("one \ntwo \nthree\nfour", "one two three\nfour"),
        ("one\ntwo\n", "one\ntwo"),
        ("the last line \n", "the last line"),
        ("> quoted \n> still\nmine \ntoo", "> quoted still\nmine too"),
        (">quoted \n>still", "> quoted still"),
        # a rule below a line that seems to go on
        ("Bye \n-----\nJobs \nlist", "Bye\n-----\nJobs list"),
        ("Bye \n--\nTo leave", "Bye\n--\nTo leave"),
        ("not \n---- \na rule", "not ---- a rule"),
        ("> one \n>> two \n> three", "> one\n>> two\n> three"),
        ("one \n> two", "one\n> two"),
        ("> one \n\ntwo", "> one\n\ntwo"),
        (" From May on\n > is no quote", "From May on\n> is no quote"),
        ("Regards \n-- \nCara \nDiaz", "Regards\n-- \nCara Diaz"),
        ("-- \nCara\nmail.example", "-- \nCara\nmail.example"),
        ("> end \n> -- \n> Cara", "> end\n> -- \n> Cara"),
        ("one \n \ntwo", "one\n\ntwo"),
        (">\n> two", ">\n> two"),
        ("one \n\ntwo", "one\n\ntwo"),
    ],
)
def test_lines_are_joined_where_the_sender_wrapped_them(flowed: str, read: str) -> None:
    assert text(flowed) == read


def test_the_space_of_a_wrapped_word_is_deleted() -> None:
    parameters = '; Format="Flowed"; DelSp=Yes'
    assert text("来月の一日から \n働けます。\n", parameters) == "来月の一日から働けます。"
    assert text("start in  \nMay and https://mail.example/a \nb", parameters) == (
        "start in May and https://mail.example/ab"
    )
    assert text("Regards\n-- \nCara", parameters) == "Regards\n-- \nCara"


@pytest.mark.parametrize(
    ("parameters", "content_type"),
    [("", "text/plain"), ("; format=fixed", "text/plain"), ("; format=flowed", "text/html")],
)
def test_other_texts_stay_as_they_are(parameters: str, content_type: str) -> None:
    body = "one \ntwo\n > three\n>four \n>five"
    assert text(body, parameters, content_type) == body


@given(st.text(alphabet="ab >-\n"), st.booleans())
def test_no_word_is_lost(body: str, delete_space: bool) -> None:
    read = unflow(body, delete_space=delete_space)
    assert [c for c in read if c in "ab-"] == [c for c in body if c in "ab-"]
    assert len(read) <= len(body) + body.count("\n") + 1
    assert unflow("".join(line + "\n" for line in body.split("\n")), delete_space=False)
