"""What was found in particular, where one cause has several forms."""

from enum import StrEnum

from .models import ImageKind


class Detail(StrEnum):
    """A fact that is a sentence: the text `detail_<value>` under `exceptions`.

    A piece of English in the middle of another sentence could be translated by nobody.
    """

    # Of an image
    HEADER_CUT = "header_cut"
    SEGMENT_MISSING = "segment_missing"
    SEGMENT_CUT = "segment_cut"
    SEGMENTS = "segments"
    CHECKSUM_MISSING = "checksum_missing"
    CHECKSUM_WRONG = "checksum_wrong"
    DIGEST_MISSING = "digest_missing"
    DIGEST_WRONG = "digest_wrong"
    CRC_WRONG = "crc_wrong"
    GZIP_CUT = "gzip_cut"
    GZIP_DAMAGED = "gzip_damaged"
    GZIP_FOLLOWED = "gzip_followed"
    BLOCK_MISSING = "block_missing"
    BOOT_STAGE_DAMAGED = "boot_stage_damaged"
    NO_HEADER = "no_header"
    SUPERBLOCK_CUT = "superblock_cut"
    SUPERBLOCK_DAMAGED = "superblock_damaged"
    DIRECTORY_DAMAGED = "directory_damaged"
    BYTES_MISSING = "bytes_missing"
    BYTES_TOO_MANY = "bytes_too_many"
    NO_WHOLE_BLOCKS = "no_whole_blocks"
    FILES_NOT_SKETCH = "files_not_sketch"
    SKETCH_NOT_FILES = "sketch_not_files"

    # Of a key
    KEY_PRIVATE = "key_private"
    KEY_NOT_PEM = "key_not_pem"
    KEY_KIND = "key_kind"
    KEY_UNKNOWN = "key_unknown"

    # Of a guest
    CALL_ENDED = "call_ended"

    # Of a file beside it, or a source
    NOT_JSON = "not_json"
    NO_OBJECT = "no_object"
    FIELD = "field"
    NO_ADDRESS = "no_address"
    NAME_UNKNOWN = "name_unknown"
    NO_ANSWER = "no_answer"
    NO_MANIFEST = "no_manifest"
    NO_LIST = "no_list"
    NO_RELEASES = "no_releases"
    STALLED = "stalled"
    ENDED_EARLY = "ended_early"
    TOOK_TOO_LONG = "took_too_long"
    LIST_UNWRITTEN = "list_unwritten"

    # Of a server for many houses, and its containers
    FILES_ENCRYPTED = "files_encrypted"
    FILE_COUNT = "file_count"
    FILE_NOWHERE = "file_nowhere"
    FILE_UNPROVEN = "file_unproven"
    NO_SKETCH = "no_sketch"
    SEVERAL_SKETCHES = "several_sketches"
    NOT_OF_DDI = "not_of_ddi"
    NO_ACTION = "no_action"
    RAUC_BUNDLE = "rauc_bundle"
    DESCRIPTION_NOT_FIRST = "description_not_first"
    DESCRIPTION_TOO_LONG = "description_too_long"
    DESCRIPTION_UNREADABLE = "description_unreadable"
    ENTRY_MISSING = "entry_missing"
    ENTRY_PACKED = "entry_packed"
    ENTRY_SUM = "entry_sum"
    ENTRY_DAMAGED = "entry_damaged"
    ENTRY_TWICE = "entry_twice"
    ENTRY_NAME = "entry_name"
    ARCHIVE_CUT = "archive_cut"
    NO_IMAGE = "no_image"

    # Of a safe state
    NO_CONDITION = "no_condition"
    ANY_OF_SEVERAL = "any_of_several"
    SWEEPS = "sweeps"
    ENDED_AS = "ended_as"
    SAID_NOT_SAFE = "said_not_safe"
    UNMET = "unmet"
    NOT_STABLE = "not_stable"
    STILL_ACTING = "still_acting"
    NOT_DONE = "not_done"
    NOT_TRUE = "not_true"
    TAKEN_AWAY = "taken_away"
    OTHERS_INSIDE = "others_inside"


def mistaken_kind(kind: ImageKind) -> Detail:
    """Return what is wrong with an image of this kind where the other one is wanted."""
    is_files = kind is ImageKind.FILESYSTEM
    return Detail.FILES_NOT_SKETCH if is_files else Detail.SKETCH_NOT_FILES
