"""The bytes of one file of a layer, while the layer is read as a stream."""

from collections.abc import Iterator

from imagecheck.image.content import Content
from imagecheck.image.errors import DamagedImageError
from imagecheck.image.tar import Member


class MemberFile:
    """The bytes of the file that the layer has just come to, but for the first ``used`` ones."""

    def __init__(self, member: Member, content: Content, used: int = 0) -> None:
        content.seek(member.offset + used)
        self._content = content
        self._pieces = _pieces(member)
        self._stored, self._left = next(self._pieces)
        self._left -= used

    def read(self, size: int) -> bytes:
        """Return the next bytes: fewer only at the end of the file."""
        return b"".join(
            self._content.read(count) if is_stored else bytes(count)
            for is_stored, count in self._take(size)
        )

    def read_into(self, room: memoryview) -> int:
        """Fill the room with the next bytes, and say how many: fewer only at the end."""
        at = 0
        for is_stored, count in self._take(len(room)):
            if is_stored:
                self._content.read_into(room[at : at + count])
            else:
                room[at : at + count] = bytes(count)
            at += count
        return at

    def skip(self, size: int) -> None:
        """Leave some bytes out."""
        for is_stored, count in self._take(size):
            if is_stored:
                self._content.seek(self._content.tell() + count)

    def _take(self, size: int) -> Iterator[tuple[bool, int]]:
        """Go on by so many bytes: piece by piece, whether it is stored, and how long.

        The caller takes each piece from the layer before the next one.
        """
        while size > 0:
            if not self._left:
                self._stored, self._left = next(self._pieces, (False, 0))
                if not self._left:
                    return
            count = min(size, self._left)
            end = self._content.tell() + count
            yield self._stored, count
            if self._stored and self._content.tell() < end:
                raise DamagedImageError("the layer ends in the middle of a file")
            self._left -= count
            size -= count


def _pieces(member: Member) -> Iterator[tuple[bool, int]]:
    """Give the lengths of the pieces of a file, and whether each is stored or a hole."""
    at = 0
    for offset, length in member.sparse or ((0, member.size),):
        if offset < at or length < 0 or offset + length > member.size:
            raise DamagedImageError(f"the pieces of {member.name} do not add up to a file")
        if offset > at:
            yield False, offset - at
        if length:
            yield True, length
        at = offset + length
    yield False, member.size - at
