"""The digest key: 32 random bytes or more, in a file that only its owner can read, outside the lake.

Without it no digest of an earlier night can be recognised, so only an empty lake may make one.
"""

import hmac
import os
import secrets
import stat
from pathlib import Path

from jobs.errors import Exit, NightjarError

KEY_BYTES = 32
KEY_ID_HEX = 16


def key_id(key: bytes) -> str:
    """What the lake remembers of its key: enough to tell another one, nothing to find it by."""
    return hmac.digest(key, b"nightjar key id", "sha256").hex()[:KEY_ID_HEX]


def read_key(file: Path, *, expected_id: str | None) -> bytes:
    """The key of a lake whose key id is known, or of an empty lake where it already lies there."""
    try:
        with open(file, "rb") as handle:
            mode = os.fstat(handle.fileno()).st_mode
            key = handle.read()
    except FileNotFoundError:
        raise _wrong(
            f"the digest key {file.name} is missing", "put back the key that this lake was built with"
        ) from None
    except OSError as error:
        raise _wrong(f"the digest key {file.name} can't be read ({error.strerror})", "run as its owner") from None
    if stat.S_IMODE(mode) & 0o077:
        raise _wrong(f"others can read the digest key {file.name}", f"chmod 600 {file.name}")
    if len(key) < KEY_BYTES:
        raise _wrong(f"the digest key {file.name} is under {KEY_BYTES} bytes", "put back the lake's own key")
    if expected_id is not None and not hmac.compare_digest(key_id(key), expected_id):
        raise _wrong(f"the digest key {file.name} is another lake's", "put back the key that this lake was built with")
    return key


def new_key() -> bytes:
    """A key for a lake that doesn't exist yet."""
    return secrets.token_bytes(KEY_BYTES)


def write_key(file: Path, key: bytes) -> None:
    """Keep a new lake's key where only its owner can read it; a file that already lies there is never overwritten."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(key)
        handle.flush()
        os.fsync(handle.fileno())


def _wrong(what: str, fix: str) -> NightjarError:
    return NightjarError(Exit.CONFIGURATION, what, fix=fix)
