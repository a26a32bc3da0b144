"""The words of mailing list footers, in the languages that lists speak, in folded case."""

_FIRST_LINES = """
you received this message because you are subscribed to
sie erhalten diese nachricht, weil sie in google groups
sie haben diese nachricht erhalten, weil sie der google
vous recevez ce message, car vous êtes abonné; vous recevez ce message parce que vous êtes abonné
vous avez reçu ce message, car vous êtes abonné
vous avez reçu ce message parce que vous êtes abonné
has recibido este mensaje porque estás suscrito; recibiste este mensaje porque estás suscrito
has recibido este mensaje porque estás suscripto; ha recibido este mensaje porque está suscrito
você recebeu essa mensagem porque está inscrito; você recebeu esta mensagem porque está inscrito
você está recebendo esta mensagem porque se inscreveu; recebeu esta mensagem porque está inscrito
recebeu esta mensagem porque subscreveu; hai ricevuto questo messaggio perché sei iscritto
ricevi questo messaggio perché sei iscritto; ricevi questo messaggio in quanto hai effettuato
je hebt dit bericht ontvangen omdat je; u ontvangt dit bericht omdat u
je ontvangt dit bericht omdat je
u heeft dit bericht ontvangen omdat u; du får detta meddelande eftersom du prenumererar
du har fått det här meddelandet eftersom du prenumererar; du har modtaget denne besked, fordi du
du modtager denne meddelelse, fordi du; du har mottatt denne meldingen fordi du
sait tämän viestin, koska olet tilannut; otrzymujesz tę wiadomość, ponieważ subskrybujesz
otrzymano tę wiadomość, ponieważ subskrybujesz; tuto zprávu jste dostali, protože jste přihlášeni
tuto zprávu jste obdrželi, protože jste přihlášeni; azért kapta ezt az üzenetet, mert feliratkozott
ați primit acest mesaj deoarece v-ați abonat; primiți acest mesaj deoarece v-ați abonat
вы получили это сообщение, поскольку подписаны; вы получили это сообщение, потому что подписаны
ви отримали це повідомлення, оскільки підписані; bu iletiyi google grupları; bu iletiyi şu gruba
λάβατε αυτό το μήνυμα επειδή έχετε εγγραφεί; このメールは google グループ
您收到此邮件是因为您订阅了; 您收到此郵件是因為您訂閱了; 你收到此邮件是因为你订阅了
這封郵件是傳送給訂閱
이 메일은 google 그룹; bạn nhận được thư này vì bạn đã đăng ký
to unsubscribe, e-mail:; to unsubscribe, email to; to unsubscribe from this list: send the line
to unsubscribe, send mail to; to unsubscribe, send any mail to; to unsubscribe send an email to
to unsubscribe, send an email to; to unsubscribe from this group; groups.io links:
yahoo groups links
yahoo! groups links; reply to this email directly
"""
_SOFTWARE = """
/listinfo; mailman/; mailman3/; postorius; hyperkitty; @googlegroups.com; groups.google.com
groups.io
groups.yahoo; yahoogroups; listserv; /sympa/; sympa@; /wws/; majordomo; ezmlm; -request@; -leave@
-unsubscribe@; +unsubscribe@; -signoff-request@; /unsubscribe/; lists.apache.org; view it on github
topicbox.com
reply to this email to respond; reply to this email directly; visit topic; mailing list --
/archives/list/
"""
_LISTS = """
mailing list; mailing-list; mailinglist; mailinglijst; liste de diffusion; liste de discussion
lista de correo; lista de distribu; lista de discus; lista de e-mail; lista di distribuzione
lista di discussione; e-postlista; maillista; epostliste; e-postliste; mailliste; postilista
lista mailingowa; lista dyskusyjna; poštovní konference; e-mailová konference; levelezőlista
levelező lista; listă de discu; список рассылки; списка рассылки; список розсилки; eposta listesi
e-posta listesi; λίστα αλληλογραφίας; メーリングリスト; 邮件列表; 郵件列表; 郵遞論壇
메일링 리스트; danh sách thư
"""
_LEAVING = """
unsubscribe; abmelden; abbestellen; abbestellung; austragen; abonnement beenden; désabonn; désinscri
darse de baja; darte de baja; date de baja; anular la suscripci; anular su suscripci
cancelar su suscripci; cancelar la suscripci; cancelar tu suscripci; cancelar a inscri
cancelar sua inscri; cancelar a assinatura; cancelar a subscri; descadastr; deixar a lista
annullare l'iscrizione; annulla l'iscrizione; annullare la sottoscrizione; disiscri; cancellarsi
cancellarti; afmelden; uitschrijven; opzeggen; afmelding; avprenumerera; avsluta prenumeration
avsluta din prenumeration; avanmäl; afmeld; frameld; avmeld; meld deg av; melde deg av
peruuttaa tilau; peruuta tilau; poistua listalta; wypisać; wypisz; anulować subskrypcję
zrezygnować z subskrypcji; zrezygnować z otrzymywania; odhlásit; odhlásiť; odhlášení; odhlásenie
leiratkoz; dezabon; odjav; отписаться; отписки; отказаться от подписки; отмены подписки; отпиш
відписатися; скасувати підписку; abonelikten; üyelikten; aboneliğinizi; διαγραφή; απεγγραφ
退订; 取消订阅; 退訂; 取消訂閱; 配信停止; 購読解除; 購読を解除; 登録解除; 退会; 수신거부; 구독 취소
구독을 취소; 탈퇴; hủy đăng ký; ยกเลิกการ; berhenti berlangganan
"""
_PERSONAL = """
unsubscribe me; remove me; take me off; mich ab; mich bitte; mich von; désabonnez-moi
désinscrivez-moi; me désabonner; me désinscrire; darme de baja; dadme de baja; dame de baja
cancellarmi; disiscrivermi; mij uitschrijven; mij af; mig från; mig fra; meg av; mnie; mě; ma odhl
отпишите меня; меня отпи; beni; 私を; 请帮我; 저를
"""


def _listed(words: str) -> tuple[str, ...]:
    pieces = (piece.strip() for line in words.split("\n") for piece in line.split(";"))
    return tuple(dict.fromkeys(piece.casefold() for piece in pieces if piece))


FIRST_LINES = _listed(_FIRST_LINES)
"""A footer begins with one of them, and nothing that a person writes."""
SOFTWARE = _listed(_SOFTWARE)
"""Addresses and pages of list software."""
LISTS = _listed(_LISTS)
LEAVING = _listed(_LEAVING)
PERSONAL = _listed(_PERSONAL)
"""A person asks to be removed: no footer."""
