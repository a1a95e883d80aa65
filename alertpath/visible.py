"""Text from outside (stack exports, names in AWS), made safe to show to people."""


def visible(text: str, *, keep: str = "") -> str:
    """Return a text with invisible and bidirectional control characters escaped, as in `\\u202e`.

    Otherwise such a character could steer a terminal, or turn around the order in which a line is read.

    Args:
        keep: Characters that stay as they are, such as a newline.
    """
    return "".join(
        one if one.isprintable() or one in keep else one.encode("unicode_escape").decode("ascii")
        for one in text
    )
