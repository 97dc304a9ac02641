"""Which of a line's fields is its text: the one its source's contract names, whatever other keys stand there."""

from jobs.score import _text


def test_unknown_keys_never_stand_in_for_a_lines_text():
    both = b'{"text": "baseball", "target_text": "church", "labels": [{"name": "dog", "confidence": 1}]}'
    assert _text("interactions", both) == ("baseball", ["dog"])
    assert _text("engagements", both) == ("church", [])
    assert _text("interactions", b'{"target_text": "church"}') == (None, [])
    assert _text("engagements", b'{"target_text": "church", "labels": "not ours to judge"}') == ("church", [])
