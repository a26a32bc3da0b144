"""Reports of mail servers in prose: languages, addresses in the text, and hostile text."""

from collections.abc import Callable

import pytest

from shared.mail.delivery_reports import Report, report_of
from shared.mail.delivery_reports.words import begins_with_delay, begins_with_failure
from shared.mail.headers import read_header_block
from shared.mail.mime import leaves
from tests.cost import LINEAR, growth
from tests.report_parts import CARA, POSTMASTER, SERVER, read

NOT_DELIVERED = {
    "en": ("Undeliverable: ", f"Your message to {CARA} couldn't be delivered."),
    "de": ("Unzustellbar: ", f"Ihre Nachricht an {CARA} konnte nicht zugestellt werden."),
    "fr": ("Non remis : ", f"Votre message à {CARA} n'a pas pu être remis."),
    "es": ("No se puede entregar: ", f"No se ha podido entregar su mensaje a {CARA}."),
    "it": ("Non recapitabile: ", f"Impossibile recapitare il messaggio a {CARA}."),
    "pt": ("Não entregue: ", f"Sua mensagem para {CARA} não pôde ser entregue."),
    "nl": ("Onbestelbaar: ", f"Uw bericht aan {CARA} kan niet worden bezorgd."),
    "sv": ("Kan inte levereras: ", f"Ditt meddelande till {CARA} kunde inte levereras."),
    "da": ("Kan ikke leveres: ", f"Din meddelelse til {CARA} kunne ikke leveres."),
    "fi": ("Toimittamaton: ", f"Viestiä ei voitu toimittaa: {CARA}"),
    "pl": ("Nie można dostarczyć: ", f"Nie można dostarczyć wiadomości do {CARA}."),
    "cs": ("Nedoručitelné: ", f"Zprávu pro {CARA} nelze doručit."),
    "hu": ("Kézbesíthetetlen: ", f"Az üzenet nem kézbesíthető: {CARA}"),
    "ro": ("Nelivrabil: ", f"Mesajul către {CARA} nu a putut fi livrat."),
    "tr": ("Teslim edilemedi: ", f"{CARA} adresine iletiniz teslim edilemedi."),
    "ru": ("Недоставленное: ", f"Не удалось доставить сообщение: {CARA}"),
    "uk": ("Не вдалося доставити: ", f"Не вдалося доставити повідомлення: {CARA}"),
    "ja": ("配信不能: ", f"{CARA} へのメッセージを配信できませんでした。"),
    "zh-Hans": ("无法投递: ", f"您发往 {CARA} 的邮件无法送达。"),
    "zh-Hant": ("無法傳遞: ", f"您寄給 {CARA} 的郵件無法傳遞。"),
    "ko": ("배달되지 않음: ", f"{CARA} 에게 보낸 메시지를 배달할 수 없습니다."),
}


@pytest.mark.parametrize("language", NOT_DELIVERED)
def test_a_failure_is_known_in_the_language_of_the_server(language: str) -> None:
    subject, text = NOT_DELIVERED[language]
    by_subject = read(f"{POSTMASTER}Subject: {subject}Your interview\n\n{text}\n")
    assert by_subject == Report("bounce", None, (CARA,))
    by_text = read(f"{SERVER}Subject: Mail system\n\n{text}\n\n{CARA}\n")
    assert by_text == Report("bounce", None, (CARA,))


@pytest.mark.parametrize("language", NOT_DELIVERED)
def test_an_answer_to_a_failure_is_none(language: str) -> None:
    subject, _ = NOT_DELIVERED[language]
    assert begins_with_failure(f"{subject}x")
    assert begins_with_failure(f"[EXTERNAL] {subject}x")
    assert not begins_with_failure(f"Re: {subject}x")
    assert not begins_with_failure(f"Your mail {subject}x")


@pytest.mark.parametrize(
    "subject",
    [
        "Delivery Status Notification (Failure)",
        "DELIVERY FAILURE: User cara not listed",
        "Mail delivery failed: returning message to sender",
        "Returned mail: see transcript for details",
        "Message status - undeliverable",
        "Your message to cara@mail.example couldn't be delivered",
        "*** Undeliverable Mail ***",
        "[Postmaster] Email Delivery Failure",
        "[발송실패 안내] Your interview",
        "系统退信",
        "メールを配信できませんでした",
    ],
)
def test_the_subject_of_a_failure_is_known(subject: str) -> None:
    assert begins_with_failure(subject)
    assert not begins_with_failure(f"AW: {subject}")


@pytest.mark.parametrize(
    "subject",
    ["Delivery of the offer", "Delivery Status Notification (Delay)", "Mail from Cara", "Delivery"],
)
def test_the_subject_of_other_mail_is_no_failure(subject: str) -> None:
    assert not begins_with_failure(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "Delivery delayed: Your interview",
        "Zustellung verzögert: Your interview",
        "Remise retardée : Your interview",
        "Entrega retrasada: Your interview",
        "Recapito ritardato: Your interview",
        "配信遅延: Your interview",
        "延迟: Your interview",
        "Warning: message 1abcde delayed 24 hours",
    ],
)
def test_a_delay_is_known_by_its_subject(subject: str) -> None:
    assert begins_with_delay(subject)
    text = f"It could not be delivered yet:\n\n{CARA}\n"
    assert read(f"{SERVER}Subject: {subject}\n\n{text}") == Report("delay", None, (CARA,))


def test_a_failure_stays_one_when_it_tells_of_tries_before() -> None:
    text = f"Delivery was delayed and has now failed:\n\n{CARA}\n"
    found = read(f"{SERVER}Subject: Undelivered Mail Returned to Sender\n\n{text}")
    assert found == Report("bounce", None, (CARA,))


# -- addresses in prose -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"The following address failed: <{CARA}>",
        f"{CARA}... User unknown",
        f"<{CARA}>: host mx.mail.example said: 550 5.1.1 User unknown",
        f"Recipient: [SMTP:{CARA}]",
        f"  * {CARA}",
        f"-- {CARA}",
        f'"{CARA}":',
        f"{CARA} on Tue, 10 Feb 2026 09:30:00 +0100",
        f"{CARA} am 10.02.2026 09:30",
        f"{CARA} [User unknown]",
        f"{CARA}<mailto:{CARA}>",
        f"Unknown user: {CARA}",
        f"Invalid final delivery userid: {CARA}",
        f"Unable to deliver message to: <{CARA}>",
        f"554 <{CARA}>... Host unknown",
        f">>> RCPT TO:<{CARA}>",
        f"[Status: Error, Address: <{CARA}>, ResponseCode 550]",
        f"Empfänger: {CARA}",
        f"宛先：{CARA}",
        f"宛先は{CARA}です。送信できませんでした",
        f"{CARA}は存在しません。送信できませんでした",
        f"We tried to deliver it to {CARA}. Contact help@agency.example for help.",
    ],
)
def test_an_address_is_found_whatever_stands_around_it(line: str) -> None:
    found = read(f"{SERVER}Subject: Undeliverable\n\nSorry, this is what happened.\n\n{line}\n")
    assert found == Report("bounce", None, (CARA,))


def test_whom_the_report_is_for_and_who_helps_are_not_those_who_were_not_reached() -> None:
    text = f"From <rita@agency.example>\n\npostmaster@agency.example\n{CARA}\nrita@agency.example\n"
    assert read(f"{SERVER}Subject: Undeliverable\n\n{text}") == Report("bounce", None, (CARA,))


def test_a_postmaster_can_be_the_one_who_was_not_reached() -> None:
    found = read(f"{SERVER}Subject: Undeliverable\n\nFailed:\n\n<postmaster@mail.example>\n")
    assert found == Report("bounce", None, ("postmaster@mail.example",))


def test_a_keitai_address_with_stray_dots_is_named() -> None:
    found = read(f'{SERVER}Subject: Undeliverable\n\n<"taro..yamada."@keitai.example>\n')
    assert found is not None
    assert found.recipients == ("taro..yamada.@keitai.example",)


# -- hostile prose ------------------------------------------------------------------------------

_SERVER_MAIL = f"{SERVER}Subject: Undeliverable\n\n"
CRAFTED: dict[str, Callable[[int], str]] = {
    "header fields in the text": lambda n: "From: a\n\n" * (n // 9),
    "one long header in the text": lambda n: "From: a\n" + "  x\n" * (n // 4),
    "quoted fields": lambda n: "> From: a\n>> x\n" * (n // 14),
    "labels": lambda n: "recipient: " * (n // 11) + "@",
    "addresses in one line": lambda n: "550 a@b.c " * (n // 10),
    "addresses in many lines": lambda n: "550 <a@b.c>\n" * (n // 12),
    "half addresses": lambda n: "fail a@ " * (n // 8),
    "words of failure": lambda n: "could not delivery to x " * (n // 24),
    "words of other notices": lambda n: "click reply held pending " * (n // 25),
    "East Asian text": lambda n: "送信@" * (n // 3),
    "marks of a copy": lambda n: "copy below -- original " * (n // 23),
    "lines of marks": lambda n: ("-" * 118 + "\n") * (n // 119),
}


@pytest.mark.cost
@pytest.mark.parametrize("name", CRAFTED)
def test_the_time_is_linear_in_crafted_prose(name: str) -> None:
    def work_of_size(size: int) -> Callable[[], object]:
        raw = (_SERVER_MAIL + CRAFTED[name](size)).encode()
        header, (parts, _), text = read_header_block(raw), leaves(raw), CRAFTED[name](size)
        return lambda: report_of(header, parts, text)

    assert growth(work_of_size, 16_000) < LINEAR


@pytest.mark.parametrize(
    "subject",
    [
        *("Не вдається доставити: x", "Не може да се достави: x", "Neisporučivo: x"),
        *("Nedostavljivo: x", "Kättetoimetamatu: x", "Nepiegādājams: x", "Nepristatyta: x"),
        *("No es pot lliurar: x", "Δεν παραδόθηκε: x", "לא ניתן למסירה: x"),
    ],
)
def test_exchange_speaks_smaller_languages(subject: str) -> None:
    assert begins_with_failure(subject)
    assert not begins_with_failure(f"Re: {subject}")


@pytest.mark.parametrize("label", ["收件人 ", "收件人：", "받는사람 : ", "받는 사람: ", "宛先　"])
def test_east_asian_labels_take_a_colon_or_none(label: str) -> None:
    found = read(
        f"From: PostMaster@agency.example\nSubject: 系统退信\n\n退信原因\n主题 x\n{label}{CARA}\n"
    )
    assert found is not None
    assert found.recipients == (CARA,)
