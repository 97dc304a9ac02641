"""Keyed digests: HMAC-SHA-256 under the lake's key, truncated to 128 bits. Without the key they mean nothing."""

import hashlib
from functools import lru_cache

import msgspec

DIGEST_BYTES = 16
_BLOCK_BYTES = hashlib.sha256().block_size
_encoder = msgspec.json.Encoder()


def digest(key: bytes, domain: str, message: bytes) -> bytes:
    """HMAC-SHA-256 of a message of one of our domains, which never collide (RFC 2104)."""
    inner, outer = _primed(key, domain)
    inner, outer = inner.copy(), outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()[:DIGEST_BYTES]


@lru_cache(maxsize=64)
def _primed(key: bytes, domain: str) -> tuple:
    """The two hashes of an HMAC with the key, and the domain, in them already: half of a short message's digest."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    inner.update(domain.encode() + b"\0")
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def account_digest(key: bytes, app: str, account: str) -> bytes:
    """The digest by which a stored signal knows the account that it came from."""
    return digest(key, "account", _encoder.encode([app, account]))


def profile_digest(key: bytes, profile: str) -> bytes:
    """The digest by which the lake remembers a profile that it must not name."""
    return digest(key, "profile", profile.encode())


def conversation_digest(key: bytes, account: str | None, conversation: str | None) -> bytes | None:
    """The digest of a conversation, which is an account's own; None where a line has none."""
    if not account or not conversation:
        return None
    return digest(key, "conversation", _encoder.encode([account, conversation]))


def id_digest(key: bytes, source: str, identity: str) -> bytes:
    return digest(key, f"{source}/id", identity.encode())


def content_digest(key: bytes, source: str, content: bytes) -> bytes:
    return digest(key, f"{source}/content", content)
