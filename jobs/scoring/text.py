"""Text as the scorer sees it: normalised, so that spelling can't hide a word. Splitting is done in jobs/scoring/reading.py."""

import re
import unicodedata

# Letters of other scripts that pass for Latin ones, and quotation marks that pass for an apostrophe.
_LOOK_ALIKE = str.maketrans("аеорсухіјѕԁһԛԝвαορνικτυɑɡıℓ", "aeopcyxijsdhqwbaopviktuagil")
_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
# Digits and signs that pass for letters inside a word.
_LEET = str.maketrans("013457@$!", "oieastasi")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_SPACED = re.compile(r"\b(?:[a-z][ .\-_*]){3,}[a-z]\b")
_SIGN_INSIDE = re.compile(r"(?<=[a-z0-9])[@$!](?=[a-z0-9])")
_PICTOGRAPH = re.compile("([\u2190-\u2bff\U0001f000-\U0001faff])")
_MIXED = re.compile(r"(?=[a-z0-9]*[a-z])(?=[a-z0-9]*[0-9])[a-z0-9]+")
SHORTEST_RUN, LONGEST_SPACED = 3, 24
# What makes lower case alone too little for a text in ASCII (RE2 syntax, for Arrow).
NEEDS_MORE = r"(?i)\b(?:[a-z][ .\-_*]){3,}[a-z]\b|[a-z0-9][@$!][a-z0-9]|''|`|_"


def normalise(text: str) -> str:
    """Lower case NFKC; no invisible or combining characters; look-alikes as what they pass for; spaced letters joined.

    Pictographs stand alone, and signs inside a word are the letters they pass for.
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold().translate(_APOSTROPHES)
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
        plain = _PICTOGRAPH.sub(r" \1 ", plain)
        if any("a" <= c <= "z" for c in plain):
            plain = plain.translate(_LOOK_ALIKE)
    plain = _SPACED.sub(lambda spaced: _runs(re.sub(r"[ .\-_*]", "", spaced.group())), plain)
    plain = _SIGN_INSIDE.sub(lambda sign: sign.group().translate(_LEET), plain)
    return plain.replace("''", "' '").replace("_", " ")


def _runs(letters: str) -> str:
    """Spaced letters joined: all of them, then every shorter run of three or more, since where words end can't be told."""
    letters = letters[:LONGEST_SPACED]
    lengths = range(len(letters), SHORTEST_RUN - 1, -1)
    return " ".join(letters[at : at + length] for length in lengths for at in range(len(letters) - length + 1))


def unleet(word: str) -> str:
    """A word of letters and digits with the digits read as the letters they pass for; any other as it is."""
    return word.translate(_LEET) if _MIXED.fullmatch(word) else word
