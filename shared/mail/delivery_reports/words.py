"""How mail systems write that a mail failed, or that it waits: by language.

A subject counts from its beginning: a quoted or answered one ("Re: Undeliverable") does not. A
failure in a text says that something was not delivered; trouble with a mailbox alone is no failure.
"""

import re
from unicodedata import normalize

_SUBJECTS = """
    undeliver | non-?deliver | failure notice | returned mail | mail returned | returned to sender
    | delivery (?:has )?fail | (?:e-?mail |message |mail )delivery (?:has )?fail
    | delivery notification: delivery has failed | mail fail | mail could not | message could not
    | delivery status notification ?\\(failure | delivery status notification: error
    | mail system error | delivery error | mail error | there was an error sending your mail
    | could not (?:send|deliver) | (?:your )?(?:e-?mail|message) (?:was )?(?:not delivered|rejected)
    | your (?:e-?mail|message) (?:to [^ ]{1,80} )?(?:could|was)(?: not|n.t) (?:be )?deliver
    | message status ?- undeliver | unzustellbar | nicht zustellbar | zustellung fehlgeschlagen
    | zustellfehler | benachrichtigung (?:zum|über den) (?:übermittlungs|zustell)status ?\\(fehl
    | nachricht nicht zugestellt | mail nicht zugestellt | fehler bei der zustellung | non remis
    | non distribu | non livr | échec d | message non (?:remis|délivré|distribué)
    | notification d'état de remise ?\\(échec | remise impossible | courrier non
    | no se (?:puede|pudo|ha podido) entregar | no entreg | sin entregar
    | error (?:de|en la) entrega | notificación de estado de entrega ?\\((?:error|fall)
    | correo (?:no entregado|devuelto) | mensaje no entregado | non recapitabil
    | impossibile recapitare | mancat[oa] (?:recapito|consegna)
    | notifica sullo stato (?:del recapito|della consegna) ?\\((?:errore|mancat) | não entreg
    | não é possível entregar | não foi possível entregar | falha na entrega
    | mensagem não entregue | notificação de status de entrega ?\\(falha | impossível entregar
    | onbestel | niet bezorgd | bezorging mislukt | kan niet worden bezorgd | niet afgeleverd
    | kan inte leverera | går inte att leverera | det gick inte att leverera | olevererba
    | ej leverer | kan ikke lever | uleverbar | ikke lever | toimittama | toimitus epäonnistui
    | ei voitu toimittaa | ei toimitettavissa | nie można dostarczyć | niedostarcz
    | nie dostarczono | zwrot poczty | nedoruč | doručení se nezdařilo | nelze doručit
    | nedá sa doručiť | kézbesíthetetlen | nem kézbesíthető | sikertelen kézbesítés | nelivra
    | nu (?:a putut|poate) fi livrat | teslim edile?m | ulaştırılamadı | iletilemedi | не ?доставл
    | не удалось доставить | не удается доставить | недоставлен | не вда(?:лося|ється) доставити
    | не може да (?:се|бъде) достав | неиспоруч | neisporuč | nije moguće isporučiti | nedostavlj
    | ni mogoče dostaviti | kättetoimetamatu | nepiegādā | nevar piegādāt | nepristat
    | nepavyko pristatyti | no (?:es pot|s'ha pogut) (?:lliurar|entregar) | δεν παραδόθηκε
    | αδύνατη η παράδοση | δεν ήταν δυνατή η παράδοση | μη παραδοτέ | δεν είναι δυνατή η παράδοση
    | לא ניתן למס(?:ור|ירה) | לא נמסר | تعذر تسليم | تعذر التسليم | غير قابل للتسليم | لم يتم تسليم
    | 配信不能 | 配信不可 | 配信でき | 配信エラー | 配信失敗 | 配信に失敗 | 配送不能 | 配達不能
    | 配送エラー | 送信でき | 送信エラー | 送信失敗 | 送信に失敗 | 送信不能 | 不達 | 未配信 | 未達
    | 未配達 | メールエラー | エラーメール | メール送信エラー | メールを?(?:配信|配送|送信)でき
    | メッセージを配信でき | 无法(?:投递|送达|传递|发送) | 無法(?:傳遞|送達|投遞|寄送|傳送)
    | 未送达 | 未送達 | 未傳遞 | 未传递 | 退信 | 系统退信 | 投递失败 | 投遞失敗 | 传递失败
    | 傳遞失敗 | 发送失败 | 發送失敗 | 送达失败 | 未能送达 | 邮件(?:无法|未能|被退回|投递失败)
    | 郵件(?:無法|未能|被退回) | 배달(?:되지|할 수 없|하지 못|실패| 실패| 불가) | 전송 ?실패
    | 전달되지 | 반송 | 발송 ?실패 | 수신 ?실패 | không gửi được | không thể (?:gửi|chuyển)
    | ส่งไม่ | ไม่สามารถส่ง | tidak terkirim | gagal terkirim | tidak dapat dikirim
"""
_TEXTS = """
    undeliver | non-?deliver(?:y|able)
    | (?:could|can|was|were|ha\\w{1,2})(?: not|n.t) (?:been |be |able to )?(?:be )?(?:deliver|sent)
    | cannot (?:be )?(?:deliver|send) | not able to be deliver
    | (?:unable|failed) to (?:be )?deliver | unable to send
    | delivery (?:to [^\\n]{1,80} )?(?:ha\\w{1,2} |was )?(?:failed|aborted)
    | del[ei]very to the following[^.]{1,60}(?:fail|abort) | did(?: not|n.t) reach
    | could(?: not|n.t) be reached
    | was(?: not|n.t) delivered | not deliver(?:ed|able)
    | (?:address|recipient)(?:e?s|\\(e?s\\))?[^\\n]{0,30} (?:ha\\w{1,2} )?(?:been )?(?:fail|reject)
    | addresses had | recipients? returned perm | did not receive this message | were rejected
    | was rejected | error delivering | trouble delivering
    | error has occurred while attempting to deliver | failed addresses | delivery failed
    | permanent (?:fatal )?error | unknown user | user unknown | invalid final delivery
    | exceeds allowed size: | host unknown | unknown host | unzustellbar
    | nicht (?:zugestellt|zustellbar|ausgeliefert) | zustellung [^\\n]{0,60}fehlgeschlagen
    | non remis | n'a (?:pas )?pu être (?:remis|distribué|délivré|livré|transmis)
    | pas pu être remis | n'a pas été (?:remis|distribué|délivré) | échec de (?:la )?remise
    | no se (?:ha podido|pudo|puede|ha entregado|entregó)[^\\n]{0,30}
    | no (?:pudo|ha podido) ser entregado | no pudo entregarse | imposible entregar
    | impossibile recapitare
    | non è stato (?:possibile (?:recapitare|consegnare)|recapitato|consegnato) | mancato recapito
    | mancata consegna | não (?:foi|pôde|pode|é)[^\\n]{0,20} (?:entreg|possível entregar)
    | não entregue | falha na entrega | kan niet worden (?:bezorgd|afgeleverd)
    | kon niet worden (?:bezorgd|afgeleverd) | niet bezorgd | (?:kunde|kan) inte levereras
    | gick inte att leverera | (?:kunne|kan) ikke leveres | ei voitu toimittaa
    | toimitus epäonnistui | ei toimitettu
    | nie (?:można|mogła|została|udało się) [^\\n]{0,20}dostarcz | nelze doručit | nebyla doručena
    | nepodařilo (?:se )?doručit | nem (?:sikerült )?kézbesít | nu a putut fi livrat
    | teslim edilemedi | не (?:может быть|был[оа]?|удалось|вдалося|удается)[^\\n]{0,20} достав
    | недоставлен | не доставлен
    | δεν (?:ήταν δυνατή|παραδόθηκε)|לא ניתן היה למסור|לא נמסר|تعذر تسليم|لم يتم تسليم
    | (?:配信|配送|配達|送信|送達)(?:することが)?(?:でき|不能|に失敗|されません)
    | お?届け(?:でき|られ) | エラーのため | 宛先不明 | あて先不明 | 送信に失敗しました
    | 見つかりませんでした | 无法(?:投递|送达|传递|发送) | 無法(?:傳遞|送達|投遞|寄送|傳送)
    | 未(?:能)?(?:送达|送達|傳遞|传递|投递) | 退信 | 投递失败 | 传递失败 | 发送失败 | 被退回
    | 배달(?:되지|할 수 없|하지 못) | 전달되지 | 전송하지 못 | không (?:thể )?(?:gửi|chuyển) được
    | ไม่สามารถส่ง | tidak dapat (?:dikirim|disampaikan)
"""
_WAITS = """
    not yet been delivered | has not been delivered[^.]{0,80} after more than
    | warning message only | do not need to re-?send
    | will (?:continue|keep)[^.\\n]{0,12} tr(?:y|ies)
    | will (?:continue to )?(?:be )?re-?tr(?:y|ied) | will try again | still being retried
    | could not send m\\w{2,7} for past | (?:is|are|been|was) delayed
    | delivery (?:is |was )?delay | delayed (?:mail|delivery) | temporary problem delivering
    | verzögert | wird weiterhin versucht | (?:remise|distribution) (?:retardée|différée)
    | a été retardé | se ha retrasado | entrega (?:retrasada|demorada|atrasada)
    | recapito (?:ritardato|in ritardo) | está atrasad | foi adiada | vertraag | fördröj
    | försenad | forsinke | viivästy | opóźni | zpožd | gecik | задерж | отложен | 配信(?:が)?遅延
    | 遅延して | 遅れてい | 再送を試み(?:ます|てい) | 延迟(?:投递|发送|传递|送达)
    | 延遲(?:傳遞|傳送) | 지연
"""
_WAITING_SUBJECTS = """
    delay | warning | delivery (?:status notification ?\\((?:delay|verz)|delay)
    | (?:mail|message) delay | temporary | zustellung verzögert | verzöger
    | remise (?:retard|différ) | retard | entrega (?:retras|atras) | retras
    | recapito (?:ritard|in rit) | ritard | atras | vertraag | fördröj | försen | forsink | opóźni
    | задерж | 配信遅延 | 配信が遅 | 遅延 | 延迟 | 延遲 | 지연
"""
_OTHERS = """
    \\bvirus | malware | \\binfected | quarantin | challenge | spam (?:digest|summary|report)
    | (?:click|visit|reply|respond|follow|answer)[^.\\n]{0,80}(?:confirm|release|verif|to deliver)
    | (?:confirm|prove) (?:that )?you(?:r| are)
    | (?:waiting|awaits|awaiting|pending)[^.\\n]{0,20}(?:approv|moderat|confirm)
    | (?:held|hold) (?:until|pending|for (?:approval|review|moderation)) | schadsoftware
    | schädlich | ウイルス | ウィルス | вирус | 病毒
"""
_ARRIVED = """
    successfully (?:been )?(?:delivered|relayed|sent) | return receipt | erfolgreich zugestellt
    | is complete, but | \\((?:relay|success) | \\A(?:relayed|delivered|expanded):
"""
_GREETINGS = """
    (?:hello|hi|hey|dear|hallo|liebe|lieber|sehr geehrte|guten (?:tag|morgen)|bonjour|chère?|hola|
    estimad[oa]|buenos|ciao|gentile|caro|cara|olá|prezad[oa]|beste|hej|cześć|szanown|здравствуйте|
    привет)\\w{0,2}\\b[^\\n]{0,60}(?:\\n|\\Z)
"""


def _pattern(forms: str) -> re.Pattern[str]:
    """Return a pattern of these forms, for text in lower case: faster than ignoring case."""
    text = normalize("NFC", " ".join(forms.split()))
    return re.compile(re.sub(r" ?\| ", "|", text))


_FAILURE_SUBJECT = _pattern(_SUBJECTS)
_WAITING_SUBJECT = _pattern(_WAITING_SUBJECTS)
_FAILURE = _pattern(_TEXTS)
_WAITING = _pattern(_WAITS)
_OTHER = _pattern(_OTHERS)
_ARRIVAL = _pattern(_ARRIVED)
_GREETING = _pattern(_GREETINGS)
_MARKS = re.compile(r"(?:\[[^\]\n]{0,40}\]|[\W_]{1,8})+")
"""What gateways put before a subject: `[External]`, `***`."""
_SIGNS = re.compile(r"[\W_]{1,8}")
REPLY = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b|\b55[0-7][ -]")
"""A server's final answer: RFC 3463 section 2, RFC 5321 section 4.2.1."""


def begins_with_failure(subject: str) -> bool:
    """Return whether a subject is that of a failure."""
    return any(map(_FAILURE_SUBJECT.match, _beginnings(subject)))


def begins_with_delay(subject: str) -> bool:
    """Return whether a subject is that of a mail that waits."""
    return any(map(_WAITING_SUBJECT.match, _beginnings(subject)))


def says_failure(text: str) -> bool:
    """Return whether a text says that something was not delivered."""
    return _FAILURE.search(text.lower()) is not None


def says_delay(text: str) -> bool:
    """Return whether a text says that delivery will be tried again."""
    return _WAITING.search(text.lower()) is not None


def says_arrival(text: str) -> bool:
    """Return whether a text says that a mail arrived."""
    return _ARRIVAL.search(text.lower()) is not None


def greets(text: str) -> bool:
    """Return whether a text begins as a person's letter does."""
    return _GREETING.match(text.lstrip()[:100].lower()) is not None


def says_something_else(text: str) -> bool:
    """Return whether a text is about a virus, a challenge, or approval rather than delivery."""
    return _OTHER.search(text.lower()) is not None


def _beginnings(subject: str) -> tuple[str, str]:
    """Return the subject without the marks before it, and with what its first brackets hold."""
    text = subject[:200].lower()
    marks, signs = _MARKS.match(text), _SIGNS.match(text)
    return text[marks.end() if marks else 0 :], text[signs.end() if signs else 0 :]
