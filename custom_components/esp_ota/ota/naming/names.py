"""Names of firmware compared, and what tells the files and tags of one repository apart."""

from .file_name import ANY_WORD, NAME, stem_of
from .version_in_name import find_version
from .words import BEFORE_A_VERSION, ONLY_OF_FILES, PACKAGING, SEPARATORS, chip_of


def own_words(file_name: str) -> str:
    """Return a name without packaging, chips and kinds: what tells the files of a release apart."""
    words = ANY_WORD.findall(stem_of(file_name))
    kept: list[str] = []
    at = 0
    while at < len(words):
        word, behind = words[at].lower(), words[at + 1].lower() if at + 1 < len(words) else ""
        if (chip := chip_of(word, behind)) is not None:
            at += chip[1]
            continue
        if word not in PACKAGING | ONLY_OF_FILES:
            kept.append(words[at])
        at += 1
    return "-".join(kept)


def name_of_asset(repository: str, file_name: str) -> str:
    """Return what a file of a release is called that has several: `sonoff-th` of `sonoff`."""
    own = own_words(file_name)
    name = own if _plain(repository) in _plain(own) else "-".join(filter(None, (repository, own)))
    return name if NAME.fullmatch(name) else repository


def version_of_tag(tag: str, repository: str) -> str:
    """Return the version that a tag names: `v1.2.0`, `valve-1.2.0` of the repository `valve`.

    Any other word before it stays: `pump-1.0` is none of `valve`, and `nightly` is all there is.
    """
    found = find_version(tag)
    before = tag[: found.start].strip(f"{SEPARATORS}/") if found is not None else tag
    if found is None or not (
        before.lower() in BEFORE_A_VERSION | PACKAGING or _plain(before) in {"", _plain(repository)}
    ):
        return tag[1:] if tag[:1] in {"v", "V"} and tag[1:2].isdigit() else tag
    return tag[found.end - len(found.text) :]


def same_name(one: str, other: str) -> bool:
    """Whether two names of firmware differ in capitals and separators at most."""
    return one == other or _plain(one) == _plain(other) != ""


def name_says_less(said: str, label: str) -> bool:
    """Whether a name is another one without its variant: `WLED` of `WLED_Ethernet`."""
    known, words = ANY_WORD.findall(said.lower()), ANY_WORD.findall(label.lower())
    return bool(known) and words[: len(known)] == known


def _plain(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())
