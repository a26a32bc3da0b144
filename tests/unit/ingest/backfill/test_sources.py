"""Old mail where it lies: every mail once, whole, as it was on the way."""

import tracemalloc
from pathlib import Path

import pytest

from services.ingest.backfill.sources import OldMail, Place, measure, read_old_mail

FROM = b"From anna@x.example Mon Jan  5 09:00:00 2026\n"
LIMIT = 10_000


def read(path: Path, start: Place | None = None) -> list[OldMail]:
    return list(read_old_mail(path, LIMIT, start or Place()))


def raws(path: Path) -> list[bytes | None]:
    return [mail.raw for mail in read(path)]


def mbox(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "old.mbox"
    path.write_bytes(content)
    return path


def mail(number: int, body: bytes = b"The text.\n") -> bytes:
    return b"Subject: %d\n\n%b" % (number, body)


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")


class TestMbox:
    def test_the_from_line_and_the_empty_line_before_the_next_are_no_part_of_a_mail(
        self, tmp_path: Path
    ) -> None:
        path = mbox(tmp_path, FROM + mail(1) + b"\n" + FROM + mail(2) + b"\n")
        assert raws(path) == [crlf(mail(1)), crlf(mail(2))]

    def test_a_byte_order_mark_before_the_first_from_line_is_skipped(self, tmp_path: Path) -> None:
        path = mbox(tmp_path, b"\xef\xbb\xbf" + FROM + mail(1) + b"\n" + FROM + mail(2))
        first, second = read(path)
        assert [first.raw, second.raw] == [crlf(mail(1)), crlf(mail(2))]
        assert read(path, first.after) == [second]
        assert second.after.offset == path.stat().st_size

    def test_a_byte_order_mark_before_a_mail_makes_no_mbox(self, tmp_path: Path) -> None:
        path = mbox(tmp_path, b"\xef\xbb\xbf" + mail(1))
        assert raws(path) == [b"\xef\xbb\xbf" + crlf(mail(1))]

    @pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
    def test_the_last_mail_may_end_as_it_likes(self, tmp_path: Path, end: bytes) -> None:
        path = mbox(tmp_path, FROM + mail(1) + b"\n" + FROM + mail(2, b"x") + end)
        text = crlf(mail(2, b"x\n" if end else b"x"))
        assert raws(path) == [crlf(mail(1)), text]

    def test_crlf_stays(self, tmp_path: Path) -> None:
        content = FROM + mail(1) + b"\n" + FROM + mail(2) + b"\n"
        assert raws(mbox(tmp_path, crlf(content))) == raws(mbox(tmp_path, content))

    def test_what_was_quoted_is_so_no_longer(self, tmp_path: Path) -> None:
        body = b">From here on\n>>From there\n> From nowhere\nx >From\n\n>From Mon 09:00\n"
        [raw] = raws(mbox(tmp_path, FROM + mail(1, body)))
        plain = b"From here on\n>From there\n> From nowhere\nx >From\n\nFrom Mon 09:00\n"
        assert raw == crlf(mail(1, plain))

    @pytest.mark.parametrize(
        "line",
        [
            b"From 1775842983@xxx Mon Jan 05 09:00:00 +0000 2026\n",
            b"From - Mon Jan 05 09:00:00 2026\n",
            b"From \n",
            b"From -\n",
            b"From anna at x.example  Mon Jan  5 09:00:00 2026\n",
            b"From nobody\n",
        ],
    )
    def test_from_lines_of_many_programs_separate(self, tmp_path: Path, line: bytes) -> None:
        assert len(raws(mbox(tmp_path, line + mail(1) + b"\n" + line + mail(2)))) == 2

    def test_a_sentence_that_nobody_quoted_separates_nothing(self, tmp_path: Path) -> None:
        body = b"Hello,\nFrom me.\n\nFrom Monday on I am away.\n\nFrom here it is far.\n"
        assert raws(mbox(tmp_path, FROM + mail(1, body))) == [crlf(mail(1, body))]

    def test_empty_mails_are_there_and_empty(self, tmp_path: Path) -> None:
        found = raws(mbox(tmp_path, FROM + b"\n" + FROM + FROM + mail(1) + b"\n" + FROM))
        assert [raw and raw.strip() for raw in found] == [b"", b"", crlf(mail(1)).strip(), b""]

    def test_one_over_the_limit_is_named_and_never_kept(self, tmp_path: Path) -> None:
        huge = (b"x" * 1_000_000 + b"\nFrom Mon 09:00\n") * 8
        path = mbox(
            tmp_path, FROM + mail(1) + b"\n" + FROM + mail(2, huge) + b"\n" + FROM + b"A: 1"
        )
        tracemalloc.start()
        found = read(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [m.raw for m in found] == [crlf(mail(1)), None, b"A: 1"]
        assert found[1].name == f"old.mbox at byte {len(FROM + mail(1)) + 1}"
        assert most < 1_000_000

    @pytest.mark.parametrize("more", [0, 1])
    def test_the_limit_is_that_of_the_mail_on_the_way(self, tmp_path: Path, more: int) -> None:
        lines = b"\n" * 100
        text = mail(1, b"x" * (LIMIT - len(crlf(mail(1, lines))) + more) + lines)
        path = mbox(tmp_path, FROM + text + b"\n" + FROM + mail(2))
        assert [raw is None for raw in raws(path)] == [bool(more), False]

    def test_one_can_go_on_behind_every_mail(self, tmp_path: Path) -> None:
        path = mbox(tmp_path, b"".join(FROM + mail(n) + b"\n" for n in range(9)))
        found = read(path)
        assert sum(m.taken for m in found) == measure(path) == path.stat().st_size
        for number, one in enumerate(found, start=1):
            assert read(path, one.after) == found[number:]

    def test_another_mbox_in_its_place_is_read_from_the_beginning(self, tmp_path: Path) -> None:
        path = mbox(tmp_path, FROM + mail(1) + b"\n" + FROM + mail(2))
        assert [m.raw for m in read(path, Place((), 7))] == raws(path)

    def test_a_line_without_end_is_no_burden(self, tmp_path: Path) -> None:
        line = b"From " + b"Mon 1" * 1_000_000
        assert raws(mbox(tmp_path, FROM + mail(1) + b"\n" + line)) == [None]


class TestFolders:
    @pytest.fixture
    def maildir(self, tmp_path: Path) -> Path:
        for folder in ("new", "cur", "tmp", ".Sent/cur", ".Sent/new"):
            (tmp_path / "Maildir" / folder).mkdir(parents=True)
        names = ("new/3.x", "cur/1.x:2,S", "cur/2.x:2,RS", ".Sent/cur/4.x:2,S")
        for number, name in enumerate(names):
            (tmp_path / "Maildir" / name).write_bytes(mail(number))
        for name in ("tmp/9.x", "dovecot.index", "cur/.hidden"):
            (tmp_path / "Maildir" / name).write_bytes(b"no mail")
        return tmp_path / "Maildir"

    def test_of_a_maildir_all_that_was_delivered(self, maildir: Path) -> None:
        assert {m.name: m.raw for m in read(maildir)} == {
            "new/3.x": crlf(mail(0)),
            "cur/1.x:2,S": crlf(mail(1)),
            "cur/2.x:2,RS": crlf(mail(2)),
            ".Sent/cur/4.x:2,S": crlf(mail(3)),
        }
        assert [m.name for m in read(maildir / "cur")] == ["1.x:2,S", "2.x:2,RS"]

    def test_what_is_new_comes_first_since_it_may_move(self, maildir: Path) -> None:
        names = [m.name for m in read(maildir)]
        assert names.index("new/3.x") < names.index("cur/1.x:2,S")

    def test_a_mail_that_got_another_name_meanwhile_is_told(self, maildir: Path) -> None:
        mails = read_old_mail(maildir, LIMIT, Place())
        names = [next(mails).name for _ in range(3)]
        assert names[-1] == "cur/1.x:2,S"
        (maildir / "cur/2.x:2,RS").rename(maildir / "cur/2.x:2,FRS")
        [gone] = mails
        assert (gone.name, gone.raw) == ("cur/2.x:2,RS", None)
        assert gone.error == "No such file or directory"

    def test_of_a_folder_the_eml_files_and_the_mboxes(self, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "a.EML").write_bytes(mail(1))
        (tmp_path / "new" / "notes.txt").write_bytes(b"no mail")
        (tmp_path / "b.eml").write_bytes(crlf(FROM + mail(2)))
        (tmp_path / "c.mbox").write_bytes(FROM + mail(3) + b"\n" + FROM + mail(4))
        (tmp_path / "d.eml").write_bytes(b"")
        assert raws(tmp_path) == [
            crlf(mail(1)),
            crlf(FROM + mail(2)),
            crlf(mail(3)),
            crlf(mail(4)),
            b"",
        ]

    def test_one_can_go_on_behind_every_mail(self, maildir: Path) -> None:
        (maildir / "more.mbox").write_bytes(FROM + mail(3) + b"\n" + FROM + mail(4))
        (maildir / "empty.eml").write_bytes(b"")
        found = read(maildir)
        assert len(found) == 7
        assert sum(m.taken for m in found) == measure(maildir)
        for number, one in enumerate(found, start=1):
            assert read(maildir, one.after) == found[number:]

    def test_one_mail_is_one_mail(self, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(mail(1))
        [one] = read(tmp_path / "a.eml")
        assert (one.name, one.raw) == ("a.eml", crlf(mail(1)))
        assert read(tmp_path / "a.eml", one.after) == []

    def test_folders_that_link_in_circles_end(self, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(mail(1))
        (tmp_path / "again").symlink_to(tmp_path)
        assert len(read(tmp_path)) == 1
