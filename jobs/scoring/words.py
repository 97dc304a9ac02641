"""Function words: of English, which say little of a text's topic, and of other languages, which tell them apart."""

FUNCTION_WORDS = frozenset(
    """a about after again against all also am an and any are aren't as at be because been before being between both but
    by can can't could couldn't did didn't do does doesn't doing don't down during each either else ever every few for
    from further get gets getting give go goes going got had hadn't has hasn't have haven't having he he's her here
    here's hers herself hey him himself his how how's i i'd i'll i'm i've if in into is isn't it it's its itself just
    let let's like make many may maybe me might mine more most much must my myself need no nor not now of off oh ok okay
    on once one only or other our ours ourselves out over own please quite rather really same say shall she she's should
    shouldn't so some something still such take tell than thanks that that's the their theirs them themselves then there
    there's these they they're they've this those though through to today too under until up upon us use very want was
    wasn't way we we'll we're we've well were weren't what what's when where where's which while who who's whom whose why
    will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours yourself""".split()
)

# Words of other languages that are frequent there and no English words.
FOREIGN_WORDS = {
    "es": "el los las una unos unas del que como para por con sin sobre pero porque cuando donde quiero tengo está están "
    "estoy eres soy muy mi tu su nos qué cómo cuál cuándo dónde hacer puedo puedes hay esto esta este más también hola "
    "gracias ayuda necesito mejor mejores cerca",
    "fr": "le les une des du est sont je tu il elle nous vous ils elles que qui quoi dans avec sans pour sur mais parce "
    "quand où comment très mon ma mes ton ta tes son sa ses c'est j'ai qu'est pas peux faire veux merci bonjour meilleur "
    "meilleure quel quelle cette ces aux",
    "de": "der das und ist sind ich du wir ihr nicht mit ohne für auf aber weil wenn wie wo warum sehr mein meine dein "
    "deine ein eine einen einem einer kann kannst habe hast machen möchte bitte danke gibt welche welcher auch noch von "
    "dem den zum zur über",
    "pt": "os as uma uns umas do da dos das que como para por com sem sobre mas porque quando onde quero tenho está estão "
    "sou és muito meu minha teu você vocês não fazer posso há isto esta este mais também olá obrigado obrigada ajuda "
    "preciso melhor qual",
    "it": "il lo gli una del della dei delle che come per con senza ma perché quando dove voglio ho hai sono sei molto mio "
    "mia tuo tua non fare posso questo questa più anche ciao grazie aiuto migliore quale nel nella alla",
    "nl": "het een van en zijn ik jij wij niet met zonder voor maar omdat wanneer hoe waar waarom zeer mijn jouw kan kun "
    "heb hebt maken wil graag dank welke ook nog naar bij deze dit er uit",
    "id": "yang dan di ke dari untuk dengan tanpa saya kamu kami kita tidak bukan ini itu apa bagaimana kapan mana "
    "mengapa sangat bisa mau ingin tolong terima kasih adalah ada akan sudah belum cara",
    "tr": "bir ve bu şu ile için değil ben sen biz siz onlar nasıl ne nerede neden çok benim senin var yok istiyorum "
    "lütfen teşekkürler mi mı mu mü gibi daha en iyi",
    "pl": "jest są nie się na do od dla bez ale bo kiedy gdzie jak dlaczego bardzo mój moja twój twoja mam masz chcę mogę "
    "proszę dziękuję czy który która co to tak jestem",
    "sv": "och är inte jag du vi ni de det en ett med utan för men när var hur varför mycket min mitt din ditt kan vill "
    "har tack vilken också på av som",
    "vi": "là và của không tôi bạn chúng một các những cho với này đó được có thể như thế nào ở đâu khi rất",
    "tl": "ang mga ng sa ay hindi ako ikaw kami tayo sila ito iyan ano paano saan bakit gusto ko mo po salamat",
}


# Of those, the ones spelled like English words, names or abbreviations.
SHARED_WORDS = frozenset(
    """do das as os mas son sin con mi ma ta sa me tu su est sont ton tes les des du der den dem die war er en er van
    ben sen ne var en mu min men de kan en ett med av som har vi ni co to tak mam na se cho la lo mine till il ho sei
    dove come per non una quale no we bin ist it los del hay soy este esta para nos es un ik bij zij we uit dit wil dan
    di ke dari apa mana bisa mau ada go po sa ko mo ng ay ako biz de pas peux mais sur dans qui quoi ou par on aux
    ces sont kun er heb je over is was nel alla ver deze are am an at so up in and or if he she who""".split()
)
