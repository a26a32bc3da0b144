"""What is shown of real mail, over SMTP in and over HTTP out: attachments, images, invitations,
what nobody wrote, and what came back."""

import base64

import pytest

from tests.e2e.account import Account
from tests.mails import mail

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)


def multipart(*parts: tuple[str, bytes], subtype: str = "mixed") -> tuple[str, str]:
    """Return the header fields and the body of a mail with these parts, in base64."""
    body = "".join(
        f"--b\r\n{headers}Content-Transfer-Encoding: base64\r\n\r\n"
        f"{base64.encodebytes(data).decode()}\r\n"
        for headers, data in parts
    )
    return f"MIME-Version: 1.0\r\nContent-Type: multipart/{subtype}; boundary=b\r\n", f"{body}--b--"


def part(content_type: str, data: bytes, filename: str = "", more: str = "") -> tuple[str, bytes]:
    name = f'Content-Disposition: attachment; filename="{filename}"\r\n' if filename else ""
    return f"Content-Type: {content_type}\r\n{name}{more}", data


class TestAttachments:
    def test_each_comes_back_byte_for_byte_to_be_saved(self, account: Account) -> None:
        files = {"cv.pdf": bytes(range(256)) * 40, "page.html": b"<script>x()</script>", "x": b"0"}
        types = {"cv.pdf": "application/pdf", "page.html": "text/html"}
        parts = [
            part(types.get(name, "application/octet-stream"), data, name)
            for name, data in files.items()
        ]
        headers, body = multipart(part("text/plain", b"See attached."), *parts)
        account.send("cand@mail.example", headers=headers, body=body)
        account.outcome()
        [listed] = account.client.timeline("c1")
        assert [a["filename"] for a in listed["attachments"]] == list(files)
        for attachment, data in zip(listed["attachments"], files.values(), strict=True):
            path = f"/v1/mails/{listed['id']}/attachments/{attachment['index']}"
            answer = account.client.request("GET", "timeline", path)
            assert answer.content == data
            assert answer.headers["content-disposition"].startswith("attachment; filename=")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-type"] == attachment["content_type"]
        missing = f"/v1/mails/{listed['id']}/attachments/3"
        assert account.client.request("GET", "timeline", missing).status_code == 404

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ('filename="a\\"; x=.exe"', 'a"; x=.exe'),
            ("filename*=UTF-8''Lebenslauf%20%C3%9Cbersicht.pdf", "Lebenslauf Übersicht.pdf"),
            ('filename="../../etc/passwd"', "passwd"),
            ("filename*=UTF-8''a%0D%0ASet-Cookie:%20x", "a Set-Cookie: x"),
        ],
    )
    def test_no_name_can_end_the_header_field(
        self, account: Account, written: str, shown: str
    ) -> None:
        headers = (
            "MIME-Version: 1.0\r\nContent-Type: application/pdf\r\n"
            f"Content-Disposition: attachment; {written}\r\n"
        )
        account.send("cand@mail.example", headers=headers, body="%PDF")
        account.outcome()
        [listed] = account.client.timeline("c1")
        assert [a["filename"] for a in listed["attachments"]] == [shown]
        path = f"/v1/mails/{listed['id']}/attachments/0"
        answer = account.client.request("GET", "timeline", path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-disposition"].count('"') == 2


class TestImages:
    html = (
        b'<p>Hello <img src="cid:logo@x" alt="logo">'
        b'<img src="https://tracker.example/pixel.png" alt="pixel"></p>'
    )

    def test_its_own_are_inline_and_remote_ones_wait_until_asked_for(
        self, account: Account
    ) -> None:
        image = part("image/png", PNG, more="Content-ID: <logo@x>\r\n")
        headers, body = multipart(part("text/html", self.html), image, subtype="related")
        account.send("cand@mail.example", headers=headers, body=body)
        account.outcome()
        [listed] = account.client.timeline("c1")
        shown = account.client.mail(listed["id"])
        assert "data:image/png;base64," in shown["html"]
        assert ' src="https://tracker.example' not in shown["html"]
        assert shown["has_remote_images"] is True
        path = f"/v1/mails/{listed['id']}"
        asked = account.client.json("GET", "timeline", path, params={"images": "remote"})
        assert ' src="https://tracker.example/pixel.png"' in asked["html"]


class TestReplies:
    def test_the_new_part_stands_apart_and_is_the_snippet(self, account: Account) -> None:
        body = (
            "Friday is fine.\r\n\r\n-- \r\nCand\r\nFirm\r\n\r\n"
            "On Thu, Jan 15, 2026 at 9:30 AM User <user@team.example> wrote:\r\n> When?\r\n"
        )
        account.send("user@team.example", sender="cand@mail.example", body=body)
        account.outcome()
        [listed] = account.client.timeline("c1")
        shown = account.client.mail(listed["id"])
        assert shown["snippet"] == shown["new_text"] == "Friday is fine."
        assert "When?" in shown["text"]


class TestWhatNobodyWrote:
    @pytest.mark.parametrize(
        ("headers", "auto"),
        [
            ("Auto-Submitted: auto-replied\r\n", "auto_reply"),
            ("List-Unsubscribe: <https://x.example/u>\r\nPrecedence: bulk\r\n", "newsletter"),
            ("List-Id: <dev.x.example>\r\nList-Post: <mailto:dev@x.example>\r\n", "list"),
            ("", None),
        ],
    )
    def test_it_is_attached_and_flagged(
        self, account: Account, headers: str, auto: str | None
    ) -> None:
        account.send("user@team.example", sender="cand@mail.example", headers=headers)
        assert account.outcome() == {"attached": 1}
        assert [shown["auto"] for shown in account.client.timeline("c1")] == [auto]

    def bounce(self, account: Account, of: str, *, recipient: str = "cand@mail.example") -> None:
        report = (
            "--b\r\n\r\nYour mail could not be delivered.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.mail.example\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{of}>\r\n--b--"
        )
        headers = (
            "MIME-Version: 1.0\r\nReply-To: cand@work.example\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
        )
        account.send(
            "user@team.example",
            sender="MAILER-DAEMON@mx.mail.example",
            headers=headers,
            body=report,
        )

    @pytest.mark.parametrize("bounce_first", [False, True])
    def test_a_bounce_marks_the_mail_that_came_back(
        self, account: Account, bounce_first: bool
    ) -> None:
        if bounce_first:
            self.bounce(account, "lost@team.example")
        account.send("cand@mail.example", message_id="lost@team.example")
        if not bounce_first:
            self.bounce(account, "lost@team.example")
        assert account.outcome() == {"attached": 2}
        shown = {m["auto"]: m for m in account.client.timeline("c1")}
        assert [b["address"] for b in shown[None]["bounced"]] == ["cand@mail.example"]
        assert shown["bounce"]["bounced"] == []
        [conversation] = account.client.inbox()
        assert conversation["mail_count"] == 2, "it belongs to the mail that came back"

    def test_a_forged_one_marks_nothing(self, account: Account) -> None:
        account.send("cand@mail.example", message_id="fine@team.example")
        self.bounce(account, "fine@team.example", recipient="other@x.example")
        account.outcome()
        assert all(m["bounced"] == [] for m in account.client.timeline("c1"))


class TestInvitations:
    def test_an_invitation_shows_its_event(self, account: Account) -> None:
        calendar = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@x\r\n"
            "DTSTART;TZID=Europe/Berlin:20260120T100000\r\nDTEND;TZID=Europe/Berlin:"
            "20260120T110000\r\nSUMMARY:Interview\r\nLOCATION:Room 4\r\n"
            "ORGANIZER;CN=User:mailto:user@team.example\r\n"
            "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:cand@mail.example\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        headers, body = multipart(
            part("text/plain", b"Please come."),
            part("text/calendar; method=REQUEST; charset=utf-8", calendar.encode()),
            subtype="alternative",
        )
        account.send("cand@mail.example", headers=headers, body=body)
        account.outcome()
        [listed] = account.client.timeline("c1")
        invite = listed["invite"]
        assert (invite["summary"], invite["location"]) == ("Interview", "Room 4")
        assert (invite["start"], invite["zone"]) == ("2026-01-20T10:00:00+01:00", "Europe/Berlin")
        assert invite["organizer"]["address"] == "user@team.example"
        assert [a["address"] for a in invite["attendees"]] == ["cand@mail.example"]


def test_a_mail_in_a_mail_is_no_conversation_of_its_own(account: Account) -> None:
    inner = mail("cand@mail.example", "user@team.example", headers="Subject: Inner\r\n")
    headers = "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
    account.send("user@team.example", sender="cand@mail.example", headers=headers, body=inner)
    account.outcome()
    [listed] = account.client.timeline("c1")
    assert [a["content_type"] for a in listed["attachments"]] == ["message/rfc822"]
