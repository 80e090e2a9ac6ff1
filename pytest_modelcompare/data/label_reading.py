"""Which label an answer in words names. Every answer whose label is unambiguous is read, and no other.

The order, the first that fits:

1. Thinking aloud (`<think>…</think>` and its kin) is left out. A thought that does not end is an answer that was cut.
2. `as asked`: the label as it is spelled, or the JSON object that was asked for with it.
3. `undressed`: the label without quotes, emphasis, a block of code or a full stop, whatever its case, its spaces,
   underscores and hyphens, where that is clear.
4. `in JSON`: an object whose `label` is a label, or with a single text that is one; with words around it, where these
   name no other label.
5. `after a prefix`: "Label: refund", "The category is refund."
6. `first line`: the first line is read by 3 or 5, and what follows names no other label and denies nothing of it.
7. `in a sentence`: a single sentence that names a single label and denies nothing. A label that is an everyday word or
   a number ("no", "other", "1") counts there only where it is called the label.

Where one label begins or ends another (`card`, `card payment`), the longest is named. Where two labels differ only in
what 3 leaves out, only the exact spelling is read.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pytest_modelcompare.records import NO_ANSWER

How = Literal["as asked", "undressed", "in JSON", "after a prefix", "first line", "in a sentence"]

LABEL_KEY = "label"
"""Of the JSON object that is asked for."""

CUT = "cut short"
UNREADABLE = "not readable"
UNKNOWN = "outside the labels"
AMBIGUOUS = "ambiguous"

LONGEST = 20_000
"""Characters of an answer that are looked at; what is longer is no answer in words."""

THOUGHTS = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad"
CLOSED_THOUGHT = re.compile(rf"<({THOUGHTS})\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
OPENED_THOUGHT = re.compile(rf"<({THOUGHTS})\b[^>]*>", re.IGNORECASE)
ENDED_THOUGHT = re.compile(rf"\A.*</({THOUGHTS})\s*>", re.DOTALL | re.IGNORECASE)
"""Some templates open the thought in the prompt: the answer holds its end alone."""

EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")
CODE_BLOCK = re.compile(r"\A```[\w-]*[ \t]*\n(.*?)\n?\s*```\Z", re.DOTALL)
FENCE = "```"
PAIRS = ("**", "__", "*", "_", "`", '"', "'", "“”", "‘’", "«»", "„“", "<>", "[]", "()", "{}")
"""What stands around a label: the same on both sides, or a left and a right."""

NAMES = "label|category|class|answer|classification|intent|topic|output|result|prediction|sentiment|tag|type"
PREFIX = re.compile(
    rf"\A\W{{0,3}}(?:(?:the|my|its|correct|best|final|predicted|most|likely|fitting|appropriate)\s+){{0,4}}"
    rf"(?:{NAMES})\W{{0,3}}\s*(?:\bis\b|\bwould be\b|:|=|->|→|-)\W{{0,3}}?\s*(?P<rest>.+)\Z",
    re.IGNORECASE | re.DOTALL,
)
CALLED = re.compile(
    rf"\b(?:{NAMES})\b\W{{0,3}}\s*(?:is|would be|should be|:|=)?\W{{0,3}}\Z"
    r"|\b(?:classif\w+|label\w*|categor\w+|tagged)\b[^.]*\bas\b\W{0,3}\Z",
    re.IGNORECASE,
)
"""What stands right before a word that is called the label."""

DENIAL = re.compile(
    r"\b(?:not|no|never|neither|nor|none|without|cannot|nothing|hardly|unlike|except|excluding|rather than|instead of|"
    r"unable|unclear|unsure|refuse|sorry)\b|n['’]t\b",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?;](?=\s|\Z)|\n")
EVERYDAY = frozenset(
    "a all and any bad false general good i is it maybe misc n negative neither neutral no none not ok other others "  # noqa: SIM905
    "positive true unknown y yes".split()
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of an answer."""

    label: int
    """NO_ANSWER where no label was read."""

    how: How | None = None
    failure: str | None = None
    """Why no label was read."""


@dataclass(frozen=True, slots=True)
class Menu:
    """The labels, prepared for reading."""

    numbers: Mapping[str, int]
    bare: Mapping[str, frozenset[int]]
    """Spelled as `bare_spelling` says → the labels that are spelled so."""

    mention: re.Pattern[str]
    """Any of them as a word of its own, the longest first."""


def label_number(text: str, numbers: Mapping[str, int]) -> int:
    """The number of a label in whatever dress; NO_ANSWER where a text is none."""
    found = undress(text.strip(), menu_of(tuple(numbers.items()))) if text.strip() else None
    return NO_ANSWER if found is None else found


def read_label(text: str, numbers: Mapping[str, int]) -> Reading:
    """Which label an answer names, in the order that the module's text gives.

    Args:
        numbers: label → its number.
    """
    menu = menu_of(tuple(numbers.items()))
    said = without_thoughts(text)
    if said is None:
        return Reading(NO_ANSWER, failure=CUT)
    said = said.strip()
    if not said or len(said) > LONGEST:
        return Reading(NO_ANSWER, failure=UNREADABLE)
    if said in numbers:
        return Reading(numbers[said], "as asked")
    if (found := undress(said, menu)) is not None:
        return Reading(found, "undressed")
    if "{" in said and (read := in_json(said, menu)) is not None:
        return read
    if said.count(FENCE) % 2:
        return Reading(NO_ANSWER, failure=CUT)
    return in_words(said, menu)


@lru_cache(maxsize=8)
def menu_of(items: tuple[tuple[str, int], ...]) -> Menu:
    bare: dict[str, set[int]] = defaultdict(set)
    for label, number in items:
        bare[bare_spelling(label)].add(number)
    spellings = sorted((re.escape(one) for one in bare if one), key=len, reverse=True)
    words = "|".join(one.replace(r"\ ", r"[\s_-]+") for one in spellings)
    mention = re.compile(rf"(?<![\w])(?:{words})(?![\w])" if words else r"(?!)", re.IGNORECASE)
    return Menu(dict(items), {one: frozenset(found) for one, found in bare.items()}, mention)


def bare_spelling(text: str) -> str:
    """One form for all cases, Unicode forms, and for spaces, underscores and hyphens."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def without_thoughts(text: str) -> str | None:
    """What is said after thinking aloud; None where a thought does not end."""
    said = CLOSED_THOUGHT.sub("", text)
    if OPENED_THOUGHT.search(said):
        return None
    return ENDED_THOUGHT.sub("", said)


def undress(text: str, menu: Menu) -> int | None:
    """The label of a text that is nothing but a label and its dress."""
    while True:
        if text in menu.numbers:
            return menu.numbers[text]
        if len(alike := menu.bare.get(bare_spelling(text), frozenset())) == 1:
            return next(iter(alike))
        if (inner := peel(text)) == text:
            return None
        text = inner


def peel(text: str) -> str:
    """One layer less."""
    if block := CODE_BLOCK.match(text):
        return block[1].strip()
    for pair in PAIRS:
        left, right = (pair, pair) if pair[0] == pair[-1] else (pair[0], pair[1])
        if len(text) > len(left) + len(right) and text.startswith(left) and text.endswith(right):
            return text[len(left) : -len(right)].strip()
    return text.rstrip(".!,;: \t\n") if text[-1:] in ".!,;:" else text.removeprefix("- ").removeprefix("# ").strip()


def in_json(text: str, menu: Menu) -> Reading | None:
    """What a JSON object in an answer says; None where there is none."""
    start = text.index("{")
    try:
        found, length = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):  # the latter of thousands of brackets
        return Reading(NO_ANSWER, failure=UNREADABLE) if text.lstrip("`json \n").startswith("{") else None
    around = f"{text[:start]} {text[start + length :]}"
    said = label_of(found, menu)
    if said is None:
        return Reading(NO_ANSWER, failure=UNREADABLE)
    number = undress(said, menu) if said.strip() else None
    if number is None:
        return Reading(NO_ANSWER, failure=UNKNOWN if said.strip() else UNREADABLE)
    if not mentioned_labels(around, menu) <= {number} or "{" in around:
        return Reading(NO_ANSWER, failure=AMBIGUOUS)
    as_asked = list(found) == [LABEL_KEY] and said in menu.numbers and not around.strip()
    return Reading(number, "as asked" if as_asked else "in JSON")


def label_of(found: object, menu: Menu) -> str | None:
    """What an object says is the label: what stands under `label`, else its only text that is one."""
    if not isinstance(found, dict):
        return None
    if LABEL_KEY in found:
        said = found[LABEL_KEY]
        return said if isinstance(said, str) else None
    texts = [value for value in found.values() if isinstance(value, str)]
    labels = [value for value in texts if value.strip() and undress(value, menu) is not None]
    if len({undress(value, menu) for value in labels}) == 1:
        return labels[0]
    return "" if labels or len(texts) != 1 else texts[0]


def in_words(text: str, menu: Menu) -> Reading:
    """A label after a prefix, in a first line, or in a sentence."""
    text = unicodedata.normalize("NFKC", text)
    if (number := after_prefix(text, menu)) is not None:
        return Reading(number, "after a prefix")
    first, _, rest = text.partition("\n")
    if rest.strip() and (number := read_plain_line(first.strip(), menu)) is not None:
        named, others = mentioned_labels(rest, menu), without_labels(rest, menu)
        if named <= {number} and not (named and DENIAL.search(others)):
            return Reading(number, "first line")
        return Reading(NO_ANSWER, failure=AMBIGUOUS)
    return in_a_sentence(text, menu)


def read_plain_line(line: str, menu: Menu) -> int | None:
    """The label of a line that says nothing else."""
    if not line:
        return None
    found = undress(line, menu)
    return after_prefix(line, menu) if found is None else found


def after_prefix(text: str, menu: Menu) -> int | None:
    """The label of "Label: refund", in whatever dress."""
    for said in (text, EMPHASIS.sub("", text)):
        if (found := PREFIX.match(said)) and (number := undress(found["rest"].strip(), menu)) is not None:
            return number
    return None


def in_a_sentence(text: str, menu: Menu) -> Reading:
    """The only label that a single sentence names, where it denies nothing and asks nothing."""
    named = mentioned_labels(text, menu)
    if not named:
        return Reading(NO_ANSWER, failure=UNKNOWN)
    if len(named) > 1 or len(SENTENCE_END.split(text.rstrip(".! \n"))) > 1 or text.rstrip().endswith("?"):
        return Reading(NO_ANSWER, failure=AMBIGUOUS)
    text = text.casefold()
    places = list(menu.mention.finditer(text))
    everyday = all(is_everyday(place[0]) and not called_the_label(text, place) for place in places)
    if everyday or DENIAL.search(without_labels(text, menu)):
        return Reading(NO_ANSWER, failure=AMBIGUOUS)
    return Reading(next(iter(named)), "in a sentence")


def is_everyday(word: str) -> bool:
    """Whether a label may well stand in a sentence that is not about it."""
    return word.casefold() in EVERYDAY or len(word) == 1 or word.replace(".", "").isdigit()


def called_the_label(text: str, place: re.Match[str]) -> bool:
    """Whether a word is said to be the label, or set apart by quotes or emphasis."""
    before, after = text[: place.start()], text[place.end() :]
    set_apart = before[-1:] in tuple("\"'`*_“‘«") and after[:1] in tuple("\"'`*_”’»")
    return set_apart or CALLED.search(before) is not None


def mentioned_labels(text: str, menu: Menu) -> set[int]:
    """The labels that a text names; one whose spelling is another's too counts as both."""
    places = menu.mention.finditer(unicodedata.normalize("NFKC", text).casefold())
    return set[int]().union(*(menu.bare.get(bare_spelling(place[0]), frozenset()) for place in places))


def without_labels(text: str, menu: Menu) -> str:
    """A text without the labels that it names."""
    return menu.mention.sub(" ", text.casefold())
