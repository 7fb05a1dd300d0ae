"""Read and write recordings: JSON Lines, ``.z3t`` or ``.z3t.gz``.

A session line, a line for each run, an end line.  The file grows as a ``partfile`` does,
so that a killed recording leaves what it had under a name that says so.
"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import msgspec

from z3trace.data import buckets, limits, lines
from z3trace.data.model import SCHEMA, End, Recording, Run, Session
from z3trace.data.partfile import PartFile, part_name
from z3trace.data.whole import Whole
from z3trace.errors import InputError, Z3traceError

__all__ = ["Stream", "Writer", "part_name", "read"]

_WHAT = "a z3trace recording"
_END_ROOM = 1 << 10  # bytes that are left for the end line
_decoder: msgspec.json.Decoder[Session | Run | End] = msgspec.json.Decoder(Session | Run | End)


class Writer:
    """Writes a recording line by line; the name appears when it is whole.

    UsageError if the file cannot be had, see ``partfile``; *say* is told where the part
    file of an earlier run is now.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self._part = PartFile(path, say)
        self._file = cast(BinaryIO, self._part.file)
        if path.suffix == ".gz":
            packed = gzip.GzipFile(fileobj=self._part.file, mode="wb", mtime=0)
            self._file = cast(BinaryIO, packed)
        self._whole = Whole()
        self._written = 0

    def _line(self, record: Session | Run | End, room: int = 0) -> bytes:
        """The line of a record, for which the file has room."""
        line = lines.encode(record, _decoder, _WHAT)
        if self._written + len(line) > limits.RECORDING - room:
            raise _full(f"{limits.RECORDING >> 20} MB")
        return line

    def _write(self, line: bytes) -> None:
        self._written += len(line)
        self._file.write(line)
        self._file.flush()
        self._part.file.flush()

    def session(self, session: Session) -> None:
        self._write(self._line(session, _END_ROOM))

    def run(self, run: Run) -> None:
        line = self._line(run, _END_ROOM)
        try:
            self._whole.take(run)
        except ValueError as error:
            raise _refused(str(error)) from error
        self._write(line)

    def finish(self, *, interrupted: bool) -> None:
        self._write(self._line(End(runs=self._whole.runs, interrupted=interrupted)))
        self._close_packed()
        self._part.finish()

    def _close_packed(self) -> None:
        if self._file is not self._part.file:
            self._file.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._part.file.closed:
            return
        if self._whole.runs:
            self._close_packed()
            self._part.close()
        else:
            self._part.discard()


def _full(most: str) -> Z3traceError:
    return _refused(f"it has at most {most}")


def _refused(why: str) -> Z3traceError:
    return Z3traceError(f"{_WHAT} cannot hold this run: {why}", "what was recorded is kept")


def _decode(path: Path, number: int, line: bytes) -> Session | Run | End:
    try:
        return lines.decode(_decoder, line, f"{path}:{number}", _WHAT)
    except InputError as error:
        schema = _schema_of(line) if number == 1 else None
        if schema not in (None, SCHEMA):
            error.hint = f"its schema is {schema}, this version reads {SCHEMA}"
        raise


def _schema_of(line: bytes) -> int | None:
    class Peek(msgspec.Struct):
        schema: int

    try:
        return msgspec.json.decode(line, type=Peek).schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class Stream:
    """A recording read run by run; *complete* and *interrupted* hold after the last one.

    InputError with file and line for anything that is not a recording.  A last line that
    was cut, or a missing end line, is not an error: the recording is then not complete,
    and its whole runs are read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = lines.read(path, limits.RECORDING)
        self.session = self._first()
        self.complete = False
        self.interrupted = False

    def _first(self) -> Session:
        for number, line, _ in self._lines:
            record = _decode(self._path, number, line)
            if not isinstance(record, Session):
                raise InputError(f"{self._path}:{number}: the first line is not a session line")
            if record.bucket_scheme != buckets.SCHEME:
                raise InputError(f"{self._path}: unknown bucket scheme {record.bucket_scheme!r}")
            return record
        raise InputError(f"{self._path} is empty: not {_WHAT}")

    def __iter__(self) -> Iterator[Run]:
        end: End | None = None
        whole_file = Whole()
        for number, line, whole in self._lines:
            if not whole:
                break
            where = f"{self._path}:{number}"
            record = _decode(self._path, number, line)
            if end is not None:
                raise InputError(f"{where}: there is more after the end line")
            if isinstance(record, Run):
                try:
                    whole_file.take(record)
                except ValueError as error:
                    raise InputError(f"{where}: {error}") from error
                yield record
            elif isinstance(record, End):
                end = record
            else:
                raise InputError(f"{where}: a second session line")
        self.complete = end is not None and end.runs == whole_file.runs
        self.interrupted = end is not None and end.interrupted


def read(path: Path) -> Recording:
    """Read a whole recording; see ``Stream``."""
    stream = Stream(path)
    runs = list(stream)
    return Recording(
        path=str(path),
        session=stream.session,
        runs=runs,
        complete=stream.complete,
        interrupted=stream.interrupted,
    )
