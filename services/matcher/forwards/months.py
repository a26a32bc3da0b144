"""The names of the months, as mail clients write them in dates: full, in the case that a date asks
for, and short, without the dot of an abbreviation. A name that two languages give to different
months stands here once, for the language with more speakers, or not at all.
"""

import unicodedata

_NAMES = """
january jan januar jänner janvier janv enero ene gennaio gen janeiro januari ianuarie ian gener
xaneiro xan urtarrila urtarrilaren janúar tammikuu tammikuuta tammik jaanuar jaan janvāris janvārī
sausis sausio saus styczeń stycznia sty leden ledna led január januára siječanj siječnja sij
јануар јануари јан януари ян январь января янв січень січня січ студзень студзеня ocak oca
yanvar қаңтар
ιανουάριος ιανουαρίου ιαν janar ionawr eanáir yanuar januarie มกราคม มค ינואר ינו יאנואר يناير जनवरी
জানুয়ারী জানুয়ারি ஜனவரி ژانویهٔ ژانویه
|
february feb februar februari februarie februára febbraio février févr fév febrero fevereiro fev
feber febrer febr febreiro otsaila otsailaren febrúar helmikuu helmikuuta helmik veebruar veebr
februāris februārī vasaris vasario luty lutego lut únor února úno február veljača veljače velj
фебруар фев феб февруари февр февраль февраля лютий лютого лют люты лютага şubat şub fevral ақпан
φεβρουάριος φεβρουαρίου φεβ φεβρ shkurt chwefror feabhra pebrero กุมภาพันธ์ กพ פברואר פבר
فبراير फ़रवरी
फरवरी ফেব্রুয়ারী ফেব্রুয়ারি பிப்ரவரி فوریهٔ فوریه
|
march mar märz mär mars marzo marz março martie març martxoa martxoaren marts maaliskuu
maaliskuuta maalisk märts marec marca martā kovas kovo marzec březen března bře márc március
ožujak ožujka ožu март мар марта березень березня бер сакавік сакавіка mart maret mac наурыз
μάρτιος μαρτίου μαρ μάρ mawrth márta maart mrt marso มีนาคม มีค מרץ מרס مارس मार्च মার্চ மார்ச்
|
april apr avril avr abril abr aprile aprilie apirila apirilaren apríl huhtikuu huhtikuuta huhtik
aprill aprīlis aprīlī balandis balandžio bal kwiecień kwietnia kwi duben dubna dub apríla április
ápr travanj travnja tra април апр апрель апреля квітень квітня квіт кві красавік красавіка nisan
nis aprel сәуір απρίλιος απριλίου απρ prill ebrill aibreán เมษายน เมย אפריל אפר أبريل ابريل إبريل
अप्रैल এপ্রিল ஏப்ரல் آوریل
|
may mai mayo maggio mag maio maig maiatza maiatzaren maí maj maja toukokuu toukokuuta toukok maijs
maijā gegužė gegužės geg máj mája május svibanj svibnja svi мај май мая травень травня трав mayıs
mei mey мамыр μάιος μαΐου μαΐ μαϊ bealtaine พฤษภาคม พค מאי مايو मई মে மே مه
|
june jun juni juin junio giugno giu junho iunie iun juny xuño ekaina ekainaren júní kesäkuu
kesäkuuta kesäk juuni jūnijs jūnijā birželis birželio birž czerwiec czerwca cze červen června čvn
jún júna június lipanj lipnja јун јуни юни июнь июня июн червень червня черв чер чэрвень чэрвеня
haziran haz iyun маусым ιούνιος ιουνίου ιουν qershor mehefin meitheamh hunyo มิถุนายน มิย יוני
يونيو يونيه जून জুন ஜூன் ژوئن
|
july jul juli juillet juil julio luglio lug julho iulie iul juliol xullo uztaila uztailaren júlí
heinäkuu heinäkuuta heinäk juuli jūlijs jūlijā liepa liepos lipiec lipca červenec července čvc júl
júla július srpanj srpnja јул јули юли июль июля июл липень липня лип ліпень ліпеня temmuz tem iyul
шілде ιούλιος ιουλίου ιουλ korrik gorffennaf iúil julai hulyo กรกฎาคม กค יולי יול يوليو يوليه जुलाई
জুলাই ஜூலை ژوئیهٔ ژوئیه
|
august aug août aoû agosto ago agost avgust avg abuztua abuztuaren ágúst ágú elokuu elokuuta elok
augusts augustā rugpjūtis rugpjūčio rugp sierpień sierpnia sie srpen srpna augusta augusztus
kolovoz kolovoza kol август авг августа серпень серпня серп сер жнівень жніўня ağustos ağu avqust
тамыз αύγουστος αυγούστου αυγ gusht awst lúnasa agustus augustus ogos สิงหาคม สค אוגוסט אוג أغسطس
अगस्त আগস্ট ஆகஸ்ட் اوت
|
september sep sept septembre septiembre settembre set setembro septembrie setembre iraila
irailaren syyskuu syyskuuta syysk septembris septembrī rugsėjis rugsėjo rugs wrzesień września wrz
září zář septembra szeptember szept rujan rujna ruj септембар септември септ сеп сентябрь сентября
сен сент вересень вересня вер верас верасень верасня eylül eyl sentyabr қыркүйек σεπτέμβριος
σεπτεμβρίου σεπ σεπτ shtator medi กันยายน กย ספטמבר ספט سبتمبر सितंबर सितम्बर সেপ্টেম্বর
செப்டம்பர் سپتامبر
|
october oct oktober okt octobre octubre ottobre ott outubro out octombrie urria urriaren október
lokakuu lokakuuta lokak oktoober oktobris oktobrī spalis spalio spal październik października paź
říjen října říj októbra октобар октомври окт октябрь октября жовтень жовтня жовт жов кастрычнік
кастрычніка ekim eki oktyabr қазан οκτώβριος οκτωβρίου οκτ tetor hydref oktobra oktobar ตุลาคม ตค
אוקטובר אוק أكتوبر اكتوبر अक्टूबर अक्तूबर অক্টোবর அக்டோபர் اکتبر
|
november nov novembre noviembre novembro noiembrie noi azaroa azaroaren nóvember nóv marraskuu
marraskuuta marrask novembris novembrī lapkritis lapkričio lapkr listopad listopada listopadu lis
novembra studeni studenoga studenog stu новембар ноември ноем ноябрь ноября ноя нояб листопад
листопада лист лістапад лістапада kasım kas noyabr қараша νοέμβριος νοεμβρίου νοε νοέ nëntor
tachwedd samhain nobyembre พฤศจิกายน พย נובמבר נוב نوفمبر नवंबर नवम्बर নভেম্বর நவம்பர் نوامبر
|
december dec dezember dez décembre déc diciembre dic dicembre dezembro decembrie desembre des
decembro abendua abenduaren desember joulukuu joulukuuta jouluk detsember dets decembris decembrī
gruodis gruodžio gruod grudzień grudnia gru prosinec prosince pro decembra prosinac prosinca
децембар декември дек декабрь декабря грудень грудня груд снежань снежня aralık ara dekabr
желтоқсан δεκέμβριος δεκεμβρίου δεκ dhjetor rhagfyr nollaig disember disyembre ธันวาคม ธค דצמבר
ديسمبر दिसंबर दिसम्बर ডিসেম্বর டிசம்பர் دسامبر
"""

MONTHS = {
    unicodedata.normalize("NFC", name).casefold(): month
    for month, names in enumerate(_NAMES.split("|"), start=1)
    for name in names.split()
}
"""Month by name, in NFC and folded case."""
