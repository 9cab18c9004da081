"""The names of all kinds of evil, by the door through which they come."""

from typing import Final

from ..plan import PULL, PUSH, UPLOAD

KINDS: Final[dict[str, tuple[str, ...]]] = {
    PUSH: (
        "challenges",  # asks for the password again and again
        "floods",  # answers one datagram with thousands
        "http",  # answers in another protocol
        "huge",  # answers as much as a datagram takes
        "silent",  # calls back and says nothing, for ever
        "half_closed",  # calls back, closes its side, and reads on
        "drips",  # takes a few bytes a second, just fast enough
        "acks",  # acknowledges without end, and reads nothing
        "overacks",  # acknowledges more than there is, less than nothing, and no number
        "endless",  # says something without a line's end, without end
        "many",  # calls back a hundred times
        "liar",  # says OK, keeps its old sketch and says that the new one runs
        "shouts",  # announces itself hundreds of times, each time otherwise
    ),
    UPLOAD: (
        "endless_headers",
        "huge_header",  # one line of 8 MiB
        "drips",  # a letter of its answer now and then
        "endless_body",
        "wrong_length",  # a terabyte, it says
        "redirects",  # to itself, for ever
        "sends_away",  # to another host, which would get the image and the password
        "ssh",  # another protocol
        "silent",
        "half_closed",
        "liar",
        "shouts",
    ),
    PULL: (
        "polls",  # hundreds of requests a second
        "half_requests",  # a hundred connections that ask for nothing yet
        "huge_headers",
        "takes_drips",  # fetches its image a few bytes at a time
        "half_closed",
        "abandons",  # asks, and is gone before the answer
        "liar",  # says that the new version runs, which it never fetched
    ),
}
LIARS: Final = {"liar"}
"""What they say of themselves is not true, and nobody can know."""
SHOUTERS: Final = {"shouts"}
