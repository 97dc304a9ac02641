"""Text as the scorer sees it: normalised, cut into segments, split into words."""

import re
import unicodedata

# Letters of other scripts that pass for Latin ones, and digits and signs that pass for letters inside a word.
_LOOK_ALIKE = str.maketrans("аеорсухіјѕԁһԛԝвαορνικτυɑɡıℓ", "aeopcyxijsdhqwbaopviktuagil")
_LEET = str.maketrans("013457@$!", "oieastasi")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_SPACED = re.compile(r"\b(?:[a-z][ .\-_*]){3,}[a-z]\b")
_SEGMENT = re.compile(r"[.!?;\n\r]+(?=\s|$)|\n")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[\u2190-\u2bff\U0001f000-\U0001faff]")
_MIXED = re.compile(r"(?=\w*[a-z])(?=\w*[0-9@$!])[\w@$!]+")

LONGEST_SEGMENT_WORDS = 24


def normalise(text: str) -> str:
    """Lower case NFKC without invisible characters, look-alike letters as what they pass for, spaced letters joined."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
        if any("a" <= c <= "z" for c in plain):
            plain = plain.translate(_LOOK_ALIKE)
    return _SPACED.sub(lambda match: re.sub(r"[ .\-_*]", "", match.group()), plain)


def segments(plain: str) -> list[list[str]]:
    """The words of each sentence, long sentences in pieces: each is judged by itself, whatever stands around it."""
    found = []
    for sentence in _SEGMENT.split(plain):
        words = words_of(sentence)
        found += [words[at : at + LONGEST_SEGMENT_WORDS] for at in range(0, len(words), LONGEST_SEGMENT_WORDS)]
    return found


def words_of(plain: str) -> list[str]:
    """Words and pictographs, in order."""
    return _WORD.findall(plain)


def unleet(word: str) -> str:
    """A word with digits and signs read as the letters they pass for; itself if it has none or nothing else."""
    return word.translate(_LEET) if _MIXED.fullmatch(word) else word
