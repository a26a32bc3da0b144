"""Delivery reports, written in a few words and read."""

from shared.mail.body import body_of, joined_text
from shared.mail.delivery_reports import Report, report_of
from shared.mail.headers import read_header_block
from shared.mail.mime import leaves

CARA = "cara@mail.example"
POSTMASTER = "Return-Path: <>\nFrom: postmaster@agency.example\nTo: rita@agency.example\n"
SERVER = "From: MAILER-DAEMON@agency.example\nTo: rita@agency.example\n"
RETURNED = (
    "From: Rita <rita@agency.example>\nTo: Cara <cara@mail.example>\nSubject: Your interview\n"
    "Message-ID: <out1@agency.example>\n"
)


def read(raw: str) -> Report | None:
    data = raw.encode()
    parts, _ = leaves(data)
    return report_of(read_header_block(data), parts, joined_text(body_of(parts).plain))


def report(head: str, *parts: tuple[str, str], kind: str = "multipart/mixed") -> str:
    body = "".join(f"--b\nContent-Type: {type_}\n\n{content}\n" for type_, content in parts)
    return f"{head}Content-Type: {kind}; boundary=b\n\n{body}--b--\n"
