"""Texts without a label, as mail programs of many countries send them."""

import random
from functools import partial

import pytest

from shared.mail.charset import detect
from shared.mail.part import Part, text_of
from tests.cost import LINEAR, growth

TEXTS = {
    "cp1252": "Größe und Übermaß, Café à la carte. Schöne Grüße aus München.",
    "cp1251": "Здравствуйте, мы хотели бы пригласить вас на собеседование в пятницу.",
    "koi8_r": "Здравствуйте, мы хотели бы пригласить вас на собеседование в пятницу.",
    "shift_jis": "面接の日程についてご連絡いたします。よろしくお願いいたします。",
    "euc_jp": "面接の日程についてご連絡いたします。よろしくお願いいたします。",
    "gb18030": "您好，我们想邀请您参加星期五的面试。请确认您是否有时间。",
    "big5": "您好，我們想邀請您參加星期五的面試。請確認您是否有時間。",
    "euc_kr": "안녕하세요, 금요일 면접에 초대하고 싶습니다. 시간이 되시는지 알려 주세요.",
    "cp1250": "Dobrý den, rádi bychom vás pozvali na pohovor v pátek. Příjemný večer přeje Jiří",
    "iso8859_2": "Dzień dobry, chcielibyśmy zaprosić Panią na rozmowę w piątek. Żółć gęś",
    "cp1253": "Γεια σας, θα θέλαμε να σας προσκαλέσουμε σε συνέντευξη την Παρασκευή.",
    "cp1254": "Merhaba, sizi cuma günü görüşmeye davet etmek istiyoruz. İyi günler, Şükrü",
    "cp1255": "שלום, נשמח להזמין אותך לראיון ביום שישי בשעה עשר.",
    "cp1256": "مرحبا، نود دعوتك إلى مقابلة يوم الجمعة في الساعة العاشرة.",
    "cp874": "สวัสดีครับ เราอยากเชิญคุณมาสัมภาษณ์ในวันศุกร์",
}


def part(data: bytes, charset: str = "") -> Part:
    return Part("text/plain", charset, 0, False, "", data)


@pytest.mark.parametrize("charset", TEXTS)
def test_a_text_without_a_label_is_read_in_its_character_set(charset: str) -> None:
    text = f"Hello,\r\n\r\n{TEXTS[charset]}\r\n\r\nBest regards"
    assert TEXTS[charset] in text_of(part(text.encode(charset)))[0]


@pytest.mark.parametrize("charset", TEXTS)
def test_a_label_that_fits_is_believed(charset: str) -> None:
    assert text_of(part(TEXTS[charset].encode(charset), charset))[0] == TEXTS[charset]


@pytest.mark.parametrize(
    "text", ["Müller kommt um 10 Uhr", "é", "Hello é there", "naïve café", "Björn Åkerström"]
)
def test_a_few_accents_are_western(text: str) -> None:
    assert text_of(part(text.encode("cp1252")))[0] == text


@pytest.mark.cost
def test_any_bytes_are_some_text_in_linear_time() -> None:
    chance = random.Random(1)
    for _ in range(20):
        data = chance.randbytes(1 << 12)
        data.decode(detect(data), "replace")
    assert growth(lambda size: partial(detect, chance.randbytes(size)), 1 << 12) < LINEAR
