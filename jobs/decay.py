"""Forward decay in exact integers.

A signal of day t adds score · weight · factor(t) to an interest, factor(t) = round-half-even(10⁹ · 2^((t − L)/h)).
Ranking by that sum is ranking by exponentially decayed interest at any later time (Cormode, Shkapenyuk, Srivastava
and Xu, *Forward Decay*, ICDE 2009). Factors are computed here, in `decimal` at 60 digits, and handed to every engine
as data: their own `pow` differ.
"""

from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal

UNIT = 10**9
DIGITS = Context(prec=60, rounding=ROUND_HALF_EVEN)
# The largest sum that decimal(38, 0) holds, less room for a thousand million signals of one profile and topic.
LARGEST_AMOUNT = 10 ** (38 - 9)


def factor(day: date, landmark: date, half_life_days: int) -> int:
    """What a signal of `day` counts, in 1/10⁹ of one of the landmark's day."""
    exponent = DIGITS.divide(Decimal((day - landmark).days), Decimal(half_life_days))
    exact = DIGITS.multiply(Decimal(UNIT), DIGITS.power(Decimal(2), exponent))
    return int(exact.to_integral_value(rounding=ROUND_HALF_EVEN))


def strength(weight: int, as_of: date, landmark: date, half_life_days: int) -> Decimal:
    """An interest's weight as of a day, in full signals (score 1, weight 1) of that day."""
    return DIGITS.divide(Decimal(weight), Decimal(factor(as_of, landmark, half_life_days)) * 10_000 * 1_000)


def headroom_days(landmark: date, since: date, half_life_days: int, most: int) -> int:
    """For how many days from `since` a signal of at most `most` (score times weight) stays below the largest amount."""
    if most <= 0 or half_life_days <= 0:
        return 0
    doublings = DIGITS.divide(DIGITS.ln(Decimal(LARGEST_AMOUNT) / (Decimal(UNIT) * most)), DIGITS.ln(Decimal(2)))
    return int(doublings * half_life_days) - (since - landmark).days
