"""`genmodels <verb> key=value ...`: words in, exit code out; nothing is computed here.

Exit codes: 0 done, 2 the user's mistake (one line, no traceback), 1 our fault (a traceback and
where to report it), 130 and 143 after Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import gc
import importlib
import linecache
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genmodels import __version__
from genmodels.allocator import keep_freed_memory
from genmodels.tasks.choices import CONFIGS, OBJECTS, SUBJECTS, VERBS, nearest
from genmodels.tasks.help import Composed, overview, verb_help

__all__ = ["main"]

PACKAGE = Path(__file__).parent
log = logging.getLogger("genmodels")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except KeyboardInterrupt:
        _say_error("interrupted")
        return 130
    except BrokenPipeError as error:
        if not _reader_left():
            return _report(error)  # a connection to another process: no success
        # The reader, such as `head`, has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _report(error)


def _reader_left() -> bool:
    """Whether nobody reads what is written on the terminal any more."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    return False


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        _say(overview())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        _say(f"genmodels {__version__}")
        return 0
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        _say_error(f"there is no verb {verb!r}{nearest(verb, VERBS)} See `genmodels --help`")
        return 2
    folder, rest = _config_dir(rest)
    folders = [CONFIGS, *([folder] if folder else [])]
    if any(word in ("-h", "--help") for word in rest):
        given = [word for word in rest if "=" in word and not word.startswith("-")]
        _say(verb_help(verb, folders, _composed(verb, given, folder) if given else None))
        return 0
    rest = _subject(verb, rest)
    only_show = "--cfg" in rest
    rest = [word for word in rest if word != "--cfg"]
    flag = next((word for word in rest if word.startswith("-")), None)
    if flag is not None:
        bare = flag.lstrip("-")
        advice = f"leave out the dashes: {bare}" if "=" in bare else "settings are key=value"
        raise ValueError(f"there is no option {flag.partition('=')[0]}; {advice} (see --help)")
    _log_to_terminal()
    keep_freed_memory()
    with _importing():
        from genmodels.tasks.compose import compose, shown
    cfg = compose(verb, rest, config_dir=folder)
    if only_show:
        _say(shown(cfg))
        return 0
    with _importing():
        task = importlib.import_module(f"genmodels.tasks.{verb}")
    return int(task.run(cfg) or 0)


def _composed(verb: str, words: list[str], folder: Path | None) -> Composed:
    """What some words come to, for help: nothing is imported for help without words."""
    with _importing():
        from genmodels.tasks.compose import compose, entries
    cfg = compose(verb, words, config_dir=folder)
    chosen = {str(group): str(name) for group, name in cfg.choices.items()}
    return Composed(values=dict(entries(cfg)), chosen=chosen)


@contextmanager
def _importing() -> Iterator[None]:
    """Nothing that an import makes is garbage: do not look for it, neither now nor at the end.

    That spares a third of the time that a command needs to start and to leave.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _subject(verb: str, words: list[str]) -> list[str]:
    """`audit bias ...` -> `audit subject=bias ...`; `verify out` -> `verify dataset=out`."""
    known, key = SUBJECTS.get(verb), OBJECTS.get(verb)
    if key is not None and words and "=" not in words[0] and not words[0].startswith("-"):
        return [f"{key}={words[0]}", *words[1:]]
    if known is None:
        return words
    if not words or "=" in words[0] or words[0].startswith("-"):
        raise ValueError(f"say what to {verb}: genmodels {verb} {known[0]} key=value ...")
    if words[0] not in known:
        raise ValueError(f"there is no {verb} {words[0]!r}{nearest(words[0], known)}")
    return [f"subject={words[0]}", *words[1:]]


def _config_dir(words: list[str]) -> tuple[Path | None, list[str]]:
    """Take `--config-dir DIR` or `--config-dir=DIR` out of the words."""
    for i, word in enumerate(words):
        if word.startswith("--config-dir="):
            return Path(word.partition("=")[2]), words[:i] + words[i + 1 :]
        if word == "--config-dir":
            if i + 1 == len(words):
                raise ValueError("--config-dir needs a folder")
            return Path(words[i + 1]), words[:i] + words[i + 2 :]
    return None, words


def _report(error: Exception) -> int:
    """One line and 2 for what the user can put right, else a traceback and 1."""
    ours = type(error).__module__.startswith("genmodels.")
    code = getattr(error, "code", None) if ours else None  # as an error of HTTP has another
    if isinstance(code, int):
        _say_error(str(error))
        return code
    advice = _advice(error)
    if advice is not None:
        _say_error(advice)
        return 2
    traceback.print_exception(error)
    _say_error(
        "this is a mistake of genmodels, not yours. Please report it with the lines above and "
        f"`genmodels {__version__}`"
    )
    return 1


def _advice(error: Exception) -> str | None:
    """What to tell the user, or None when it is not the user's mistake."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError):
        return _about_files(error, text)
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return "out of memory: try a smaller batching.batch_size or fewer rows"
    if isinstance(error, ValueError) and _raised_by_us(error):
        return text
    if type(error).__module__.startswith("omegaconf"):
        return text.partition(" full_key")[0]  # a setting refers to one that is not there
    return None


def _about_files(error: OSError, text: str) -> str:
    name = f": {error.filename}" if error.filename and error.strerror else ""
    return f"{error.strerror}{name}" if error.strerror else text


def _raised_by_us(error: BaseException) -> bool:
    """Whether a `raise` of this package made the error, not a call that it made."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return False
    name = frame.tb_frame.f_code.co_filename
    line = linecache.getline(name, frame.tb_lineno)
    return PACKAGE in Path(name).parents and line.lstrip().startswith("raise ")


class _Terminal(logging.Handler):
    """Messages to standard output, warnings to standard error; found when needed.

    A progress bar replaces the streams while it is shown.
    """

    def emit(self, record: logging.LogRecord) -> None:
        warning = record.levelno >= logging.WARNING
        stream = sys.stderr if warning else sys.stdout
        stream.write(f"{'warning: ' if warning else ''}{record.getMessage()}\n")
        stream.flush()


def _log_to_terminal() -> None:
    if not any(isinstance(handler, _Terminal) for handler in log.handlers):
        log.addHandler(_Terminal())
    # Of several processes that train together the first one speaks.
    log.setLevel(logging.INFO if os.environ.get("LOCAL_RANK", "0") == "0" else logging.WARNING)
    log.propagate = False


def _say(text: str) -> Any:
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def _say_error(text: str) -> Any:
    sys.stderr.write(f"genmodels: {text}\n")
    sys.stderr.flush()
