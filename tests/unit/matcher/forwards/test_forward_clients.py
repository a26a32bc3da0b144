"""Header blocks as many clients write them, in many languages: invented mails, real forms."""

import pytest

from services.matcher.forwards import forwarded_in, read_forward

SENDER, SUBJECT = "jane@mail.example", "My application"
FIELDS = ("from", "date", "to", "cc", "subject")


def block(
    labels: str, date: str, *, colon: str = ": ", order: str = "from date to cc subject"
) -> str:
    """Return a block with these labels, in the order of FIELDS, a bar between them."""
    values = {
        "from": f"Jane Roe <{SENDER}>",
        "date": date,
        "to": "Sam <sam@team.example>, lee@team.example",
        "cc": "Kim Poe <kim@mail.example>",
        "subject": SUBJECT,
    }
    named = dict(zip(FIELDS, labels.split("|"), strict=True))
    return "\n".join(f"{named[field]}{colon}{values[field]}" for field in order.split())


GMAIL = "---------- Forwarded message ---------\n"
OUTLOOK = "Please have a look.\n\n________________________________\n"
AT_9_30 = "2026-01-15T09:30:00+00:00"

LANGUAGES = {
    "da": (OUTLOOK, "Fra|Sendt|Til|Cc|Emne", "15. januar 2026 09:30"),
    "nb": (OUTLOOK, "Fra|Sendt|Til|Kopi|Emne", "torsdag 15. januar 2026 09:30"),
    "is": (GMAIL, "Frá|Dagsetning|Til|Afrit|Efni", "fim., 15. jan. 2026 kl. 09:30"),
    "et": ("", "Saatja|Saadetud|Saaja|Koopia|Teema", "neljapäev, 15. jaanuar 2026 09:30"),
    "lv": ("", "No|Nosūtīts|Kam|Kopija|Tēma", "ceturtdiena, 2026. gada 15. janvāris 09:30"),
    "lt": ("", "Nuo|Išsiųsta|Kam|Kopija|Tema", "2026 m. sausio 15 d., ketvirtadienis 09:30"),
    "sl": ("", "Od|Poslano|Za|Kp|Zadeva", "četrtek, 15. januar 2026 09:30"),
    "hr": ("", "Šalje|Poslano|Prima|Kopija|Predmet", "četvrtak, 15. siječnja 2026. 09:30"),
    "sr": ("", "Од|Послато|За|Копија|Тема", "четвртак, 15. јануар 2026. 09:30"),
    "mk": ("", "Од|Испратено|До|Копија|Предмет", "15 јануари 2026 09:30"),
    "bg": ("", "От|Изпратено|До|Копие|Относно", "15 януари 2026 г. 09:30"),
    "be": ("", "Ад|Дата|Каму|Копія|Тэма", "15 студзеня 2026 г. 09:30"),
    "uk": ("", "Від|Надіслано|Кому|Копія|Тема", "15 січня 2026 р. 09:30"),
    "el": (OUTLOOK, "Από|Στάλθηκε|Προς|Κοιν.|Θέμα", "Πέμπτη, 15 Ιανουαρίου 2026 9:30 πμ"),
    "hu": (
        OUTLOOK,
        "Feladó|Elküldve|Címzett|Másolatot kap|Tárgy",
        "2026. január 15., csütörtök 9:30",
    ),
    "ro": (OUTLOOK, "De la|Trimis|Către|Cc|Subiect", "joi, 15 ianuarie 2026 09:30"),
    "tr": (OUTLOOK, "Kimden|Gönderildi|Kime|Bilgi|Konu", "15 Ocak 2026 Perşembe 09:30"),
    "az": ("", "Kimdən|Tarix|Kimə|Cc|Mövzu", "15 yanvar 2026 09:30"),
    "ca": (OUTLOOK, "De|Enviat el|Per a|A/c|Assumpte", "dijous, 15 de gener de 2026 9:30"),
    "gl": ("", "De|Enviado|Para|Cc|Asunto", "xoves, 15 de xaneiro de 2026 09:30"),
    "eu": ("", "Nork|Bidalita|Nori|Cc|Gaia", "2026(e)ko urtarrilaren 15a 09:30"),
    "sq": ("", "Nga|Data|Për|Cc|Subjekti", "15 janar 2026 09:30"),
    "af": ("", "Van|Gestuur|Aan|CC|Onderwerp", "15 Januarie 2026 09:30"),
    "he": (GMAIL, "מאת|תאריך|אל|עותק|נושא", "יום ה׳, 15 בינו׳ 2026 ב-9:30"),
    "ar": (GMAIL, "من|التاريخ|إلى|نسخة|الموضوع", "الخميس، ١٥ يناير ٢٠٢٦ في ٩:٣٠ ص"),
    "fa": ("", "از|تاریخ|به|رونوشت|موضوع", "2026-01-15 09:30"),
    "hi": ("", "प्रेषक|दिनांक|प्रति|प्रतिलिपि|विषय", "15 जनवरी 2026 09:30"),
    "th": ("", "จาก|วันที่|ถึง|สำเนา|เรื่อง", "15 มกราคม 2569 09:30"),
    "vi": ("", "Từ|Ngày|Đến|Đồng gửi|Chủ đề", "15 tháng 1, 2026 lúc 09:30"),
    "id": ("", "Dari|Tanggal|Kepada|Tembusan|Perihal", "Kamis, 15 Januari 2026 09.30"),
    "ms": ("", "Daripada|Tarikh|Kepada|Salinan|Perkara", "15 Januari 2026 09:30"),
    "zh-hans": ("", "发件人|发送时间|收件人|抄送|主题", "2026年1月15日 9:30"),
    "zh-hant": ("", "寄件者|寄件日期|收件者|副本|主旨", "2026年1月15日 上午 09:30"),
    "ja": ("", "差出人|送信日時|宛先|CC|件名", "2026年1月15日 9:30"),
    "ko": ("", "보낸 사람|보낸 날짜|받는 사람|참조|제목", "2026년 1월 15일 목요일 오전 9:30"),
    "ka": ("", "ვისგან|თარიღი|ვის|ასლი|თემა", "2026-01-15 09:30"),
}


def assert_jane(text: str, subject: str = "", *, dated: bool = True, listed: bool = True) -> None:
    found = forwarded_in(text, subject)
    assert found is not None
    shown = found.shown
    assert (shown.sender.name, shown.sender.address) == ("Jane Roe", SENDER)
    assert shown.subject == SUBJECT
    if dated:
        assert shown.date is not None
        assert shown.date.isoformat() == AT_9_30
    if listed:
        assert [(n.name, n.address) for n in shown.to] == [
            ("Sam", "sam@team.example"),
            ("", "lee@team.example"),
        ]
        assert [(n.name, n.address) for n in shown.cc] == [("Kim Poe", "kim@mail.example")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_block_in_many_languages(language: str) -> None:
    before, labels, date = LANGUAGES[language]
    assert_jane(f"{before}{block(labels, date)}\n\nThe text.")


ENGLISH = "From|Date|To|Cc|Subject"
AT = "Thu, 15 Jan 2026 09:30:00 +0000"
IN_ENGLISH = block(ENGLISH, AT)
GERMAN = block("Von|Gesendet|An|Cc|Betreff", "Donnerstag, 15. Januar 2026 um 09:30 Uhr",
               order="date from to cc subject")  # fmt: skip
CHINESE = block("发件人|发送时间|收件人|抄送|主题", "2026年1月15日(星期四) 上午9:30", colon="：")

CLIENTS = {
    "mutt": f"----- Forwarded message from Jane Roe <{SENDER}> -----\n\n{IN_ENGLISH}\n\nText\n",
    "kmail": f"----------  Forwarded Message  ----------\n\n{IN_ENGLISH}\n\nText",
    "gnus": f"-------------------- Start of forwarded message --------------------\n{IN_ENGLISH}\n",
    "zoho": f"============ Forwarded message ============\n{IN_ENGLISH}\n"
    "============ Forwarded message ============\n\nText",
    "proton": "\u2010" * 7 + " Original Message " + "\u2010" * 7 + f"\n{IN_ENGLISH}\n",
    "squirrelmail": f"{'-' * 28} Original Message {'-' * 28}\n{IN_ENGLISH}",
    "horde": f"----- Message forwarded by Sam -----\n{IN_ENGLISH.replace(': ', ':   ')}",
    "notes": f"----- Forwarded by Sam/Team on 16/01/2026 08:00 -----\n\n{IN_ENGLISH}",
    "em client": f"------ Forwarded Message ------\n{IN_ENGLISH.replace(': ', ' ')}",
    "outlook, bold": "*" + IN_ENGLISH.replace("\n", "\n*").replace(": ", ":* "),
    "markdown": "**" + IN_ENGLISH.replace("\n", "\n**").replace(": ", ":** "),
    "bold names": GMAIL + IN_ENGLISH.replace("Jane Roe", "*Jane Roe*"),
    "gmx": GERMAN,
    "ionos": f"---------- Ursprüngliche Nachricht ----------\n{GERMAN}",
    "qq": f"------------------ 原始邮件 ------------------\n{CHINESE}",
    "netease": "---- Forwarded Message ----\n| "
    + IN_ENGLISH.replace("\n", " |\n| ").replace(": ", " | ")
    + " |\n| --- | --- |",
    "twice quoted": "> > " + IN_ENGLISH.replace("\n", "\n> > "),
    "spaces before colons": block(
        "De|Date|À|Cc|Objet", "15 janvier 2026 à 09:30", colon="\u00a0: "
    ),
    "marks of direction": "\u200f" + IN_ENGLISH.replace("\n", "\n\u200e").replace(": ", "\u200f: "),
    "double spaced": IN_ENGLISH.replace("\n", "\n\n") + "\n\nText",
    "values below": IN_ENGLISH.replace(": ", ":\n"),
    "values below, spaced": IN_ENGLISH.replace("\n", "\n\n").replace(": ", ":\n\n"),
    "wrapped": GMAIL + IN_ENGLISH.replace(", lee", ",\n lee").replace("Jane Roe <", "Jane Roe\n<"),
    "linked": IN_ENGLISH.replace(f"<{SENDER}>", f"<{SENDER}<mailto:{SENDER}>>"),
    "linked name": IN_ENGLISH.replace(f" <{SENDER}>", f"<mailto:{SENDER}>"),
    "old outlook": IN_ENGLISH.replace(f"<{SENDER}>", f"[mailto:{SENDER}]"),
    "in parentheses": IN_ENGLISH.replace(f"<{SENDER}>", f"({SENDER})"),
    "typographic quotes": IN_ENGLISH.replace("Jane Roe", "„Jane Roe“"),
    "a label that no table has": GMAIL + IN_ENGLISH.replace("From:", "Zzz:"),
    "in no known language": "------- Qqq www -------\n" + block("Aaa|Bbb|Ccc|Ddd|Eee", AT),
    "windows": IN_ENGLISH.replace("\n", "\r\n"),
    "on one line": "   ----- Forwarded Message ----- "
    f'From: Jane Roe <{SENDER}>To: Sam <sam@team.example>; "lee@team.example" <lee@team.example>'
    "Cc: Kim Poe <kim@mail.example>Sent: Thursday, January 15, 2026, 09:30:00 AM GMTSubject: "
    + SUBJECT,
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_block_of_many_clients(client: str) -> None:
    assert_jane(CLIENTS[client])


@pytest.mark.parametrize(
    "line",
    [
        f'On 15/01/2026, 09:30, "Jane Roe" <{SENDER}> wrote:',
        f"Op 15-01-2026 09:30 schreef Jane Roe <{SENDER}>:",
        f"Le 15/01/2026 09:30, « Jane Roe » <{SENDER}> a écrit :",
        f'Dne 15.01.2026 9:30, "Jane Roe" <{SENDER}> napsal:',
        f"Den 15/01/2026 09.30 skrev Jane Roe <{SENDER}>:",
        f"Στις 15/01/2026 09:30, ο χρήστης «Jane Roe» <{SENDER}> έγραψε:",
        f"在 2026/1/15 09:30，“Jane Roe”<{SENDER}> 写入：",
        f"On Thursday, January 15, 2026 at 9:30 AM,\nJane Roe <{SENDER}> wrote:",
    ],
)
@pytest.mark.parametrize(
    "prefix", ["FW:", "[Jobs] Fwd:", "[Jobs] [Team] WG: Fw:", "TR :", "转发："]
)
def test_a_line_of_attribution_counts_under_a_subject_that_says_forward(
    line: str, prefix: str
) -> None:
    assert_jane(f"My words.\n\n{line}\n\n    Text", f"{prefix} {SUBJECT}", listed=False)
    for other in (SUBJECT, f"Re: {SUBJECT}", f"Re: {prefix} {SUBJECT}", ""):
        assert forwarded_in(f"My words.\n\n{line}\n\n> Text", other) is None


def test_or_behind_a_separator_that_says_so() -> None:
    line = f'15.01.2026, 09:30, "Jane Roe" <{SENDER}>:\nText'
    assert_jane(f"-------- Пересылаемое сообщение --------\n{line}", SUBJECT, listed=False)
    assert forwarded_in(f"------- Original Message -------\n{line}", SUBJECT) is None


def test_finnish_answers_with_what_says_forward_in_danish() -> None:
    line = f"Jane Roe <{SENDER}> kirjoitti 15.1.2026 9.30:"
    assert forwarded_in(line, "VS: x") is None
    assert forwarded_in(line, "VL: x") is not None


HISTORY = IN_ENGLISH.replace(SENDER, "other@x.example").replace("Jane Roe", "Other")


@pytest.mark.parametrize(
    "text",
    [
        f"{GMAIL}From: Jane Roe\nDate: {AT}\nSubject: x\nTo: Sam\n\nText\n\n{HISTORY}",
        f"From: Jane Roe\nSent: {AT}\nTo: Sam\nSubject: x\n\nText\n\n{HISTORY}",
        f"-------- Qqq www --------\nAa: Jane Roe\nBb: x\nCc: y\n\nText\n\n{HISTORY}",
        f"{GMAIL}Jane Roe, yesterday\n\n{HISTORY}",
        block("Aaa|Bbb|Ccc|Ddd|Eee", AT) + f"\n\nText\n\n{HISTORY}",
        block("Aaa|Bbb|Ccc|Ddd|Eee", AT) + "\n\nText\n\nOn 1.2.2026 9:30 Al <al@x.example> wrote:",
    ],
    ids=[
        *("name alone", "name alone, no separator", "in no known language", "in no known form"),
        *("in no known language, no separator", "nor what is answered in it"),
    ],
)
def test_what_is_quoted_below_is_not_taken_for_a_forward_that_cannot_be_read(text: str) -> None:
    assert forwarded_in(text, "Fwd: x") is None


def test_nor_is_a_separator_alone() -> None:
    for text in (GMAIL, GMAIL.strip(), "Begin forwarded message:", "> Forwarded message:\n>"):
        assert forwarded_in(text, "Fwd: x") is None


def test_notes_and_signatures_before_a_forward_do_not_hide_it() -> None:
    notes = f"I forward this to you:\nName: Jane Roe\nMail: {SENDER}\nStart: 1.3.2026 9:30\n\n-- \n"
    assert_jane(f"{notes}Sam Poe\nTel: 1\n\n{GMAIL}{IN_ENGLISH}")


@pytest.mark.parametrize(
    "text",
    [
        f"To: buy milk\nDate: {SENDER}\nFrom: me",
        f"--- Notes ---\nName: Jane Roe\nMail: {SENDER}\nPhone: 12:30 2026",
        f"He wrote on 15/01/2026 09:30 from {SENDER}:\nhello",
        f"--\nJane Roe\nTel: 1\nMail: {SENDER}\nWeb: x.example",
        f"From: Jane <{SENDER}>\nTo: Sam\nSubject: x",
    ],
)
def test_notes_and_signatures_are_are_no_forwards(text: str) -> None:
    assert forwarded_in(text, "Notes") is None


def test_the_real_address_is_the_last_as_the_name_is_the_senders_own() -> None:
    spoofed = IN_ENGLISH.replace("Jane Roe <", "Victim <victim@x.example> <")
    found = forwarded_in(spoofed)
    assert found is not None
    assert found.shown.sender.address == SENDER


def test_on_behalf_names_who_sent_it() -> None:
    text = IN_ENGLISH.replace(f"<{SENDER}>", f"<{SENDER}> on behalf of Desk <desk@x.example>")
    assert_jane(text)


def test_names_with_a_comma() -> None:
    text = "From: Roe, Jane <jane@mail.example>\nSent: 15 January 2026 9:30\n"
    text += "To: Poe, Kim <kim@x.example>; Sam <sam@x.example>\nSubject: x"
    found = forwarded_in(text)
    assert found is not None
    assert found.shown.sender.name == "Roe, Jane"
    assert [n.name for n in found.shown.to] == ["Poe, Kim", "Sam"]


def html_mail(body: str, plain: str = "") -> bytes:
    parts = f"--b\nContent-Type: text/plain\n\n{plain}\n" if plain else ""
    return (
        "Subject: Fwd: x\nContent-Type: multipart/alternative; boundary=b\n\n"
        f"{parts}--b\nContent-Type: text/html; charset=utf-8\n\n{body}\n--b--\n"
    ).encode()


ESCAPED = IN_ENGLISH.replace("<", "&lt;").replace(">", "&gt;")
HTML = {
    "gmail": f'<div class="gmail_quote">{GMAIL}<br>{ESCAPED}</div>'.replace("\n", "<br>\n"),
    "outlook": "<style>p {{}}</style><hr><div><b>"
    + ESCAPED.replace("\n", "<br>\n<b>").replace(": ", ":</b> ")
    + "</div>",
    "word": "<p class=MsoNormal>" + ESCAPED.replace("\n", "<o:p></o:p></p>\n<p>") + "</p><p>Text",
    "apple": "<div>Begin forwarded message:</div><blockquote><div><span><b>"
    + ESCAPED.replace("\n", "</span></div><div><b>").replace(": ", ": </b><span>")
    + "</div></blockquote>",
    "thunderbird": "-------- Forwarded Message --------<table><tr><th>"
    + ESCAPED.replace("\n", "</td></tr>\n<tr><th>").replace(": ", ": </th>\n<td>")
    + "</td></tr></table>",
    "links": "<p>"
    + IN_ENGLISH.replace(
        f"Jane Roe <{SENDER}>", f'<a href="mailto:{SENDER}?subject=x">Jane Roe</a>'
    )
    .replace("<sam", "&lt;sam")
    .replace("<kim", "&lt;kim")
    .replace("\n", "<br>"),
    "preformatted": f"<pre>{ESCAPED}\n\nText</pre>",
    "comments and scripts": f"<!-- From: x --><script>a < b</script>{ESCAPED}".replace(
        "\n", "<br/>"
    ),
}


@pytest.mark.parametrize("client", HTML)
@pytest.mark.parametrize("plain", ["", "See below."])
def test_a_block_in_html(client: str, plain: str) -> None:
    found = read_forward(html_mail(HTML[client], plain))
    assert found is not None
    shown = found.shown
    assert (shown.sender.name, shown.sender.address) == ("Jane Roe", SENDER)
    assert (shown.subject, shown.date and shown.date.isoformat()) == (SUBJECT, AT_9_30)
    assert [n.address for n in shown.to] == ["sam@team.example", "lee@team.example"]
    assert [n.address for n in shown.cc] == ["kim@mail.example"]


def test_what_the_plain_text_says_is_not_asked_of_the_html() -> None:
    found = read_forward(html_mail(ESCAPED.replace("jane", "other"), IN_ENGLISH))
    assert found is not None
    assert found.shown.sender.address == SENDER
