"""Writes tests/fixtures/fernet/python.json: tokens made by Python's `cryptography`.

Keys, initialisation vectors and times are fixed, so that running this again changes nothing, and so that the tests
can ask for the very same bytes from our own implementation: what Python made, Python opens.
"""

import base64
import hashlib
import json
import pathlib

from cryptography.fernet import Fernet, MultiFernet

TARGET = pathlib.Path(__file__).resolve().parent.parent / "tests/fixtures/fernet/python.json"


def digest(label: str) -> bytes:
    return hashlib.sha256(("bowline test only: " + label).encode()).digest()


def bytes_of_length(length: int) -> bytes:
    """Reproducible bytes of any length: SHA-256 in counter mode."""
    blocks = (digest(f"plaintext {n}") for n in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def main() -> None:
    keys = [base64.urlsafe_b64encode(digest(f"key {n}")).decode() for n in (1, 2)]
    plaintexts = [b"", b"hello", "Zugriff für Käthe \U0001f511".encode()]
    plaintexts += [bytes_of_length(length) for length in (15, 16, 17, 31, 32, 1000, 4099)]
    tokens = []
    for index, plaintext in enumerate(plaintexts):
        key = keys[index % 2]
        time_seconds = 1_700_000_000 + index * 86_400
        iv = digest(f"iv {index}")[:16]
        token = Fernet(key)._encrypt_from_parts(plaintext, time_seconds, iv)
        assert MultiFernet([Fernet(each) for each in keys]).decrypt(token) == plaintext
        tokens.append(
            {
                "test_only_key": key,
                "time_seconds": time_seconds,
                "iv_hex": iv.hex(),
                "plaintext_base64": base64.b64encode(plaintext).decode(),
                "token": token.decode(),
            }
        )
    TARGET.write_text(json.dumps({"tokens": tokens}, indent=2) + "\n")


main()
