"""The modules of the standard library of each CPython, from 3.8 on.

The names are those of ``sys.stdlib_module_names`` of real interpreters (3.10 to 3.13), of the
folders of 3.8 and 3.9, and of "What's new in Python 3.14".
"""

from typing import Final

OLDEST: Final = 8
NEWEST: Final = 14
"""The first and the last Python 3.N that these tables know."""

BUILT_IN: Final = frozenset(
    """_abc _ast _codecs _collections _functools _imp _io _locale _operator _signal _sre _stat
    _string _symtable _thread _tokenize _tracemalloc _typing _warnings _weakref atexit builtins
    errno faulthandler gc itertools marshal posix pwd sys time""".split()  # noqa: SIM905
)
"""Modules that every CPython on Linux has built in: its Modules/Setup.bootstrap.in."""

COMPILED: Final = frozenset(
    """_asyncio _bisect _blake2 _bz2 _contextvars _crypt _csv _ctypes _curses _curses_panel
    _datetime _dbm _decimal _elementtree _gdbm _hashlib _heapq _json _lsprof _lzma _md5
    _multibytecodec _multiprocessing _opcode _pickle _posixshmem _posixsubprocess _queue _random
    _sha1 _sha2 _sha256 _sha3 _sha512 _socket _sqlite3 _ssl _statistics _struct _tkinter _uuid
    _zoneinfo _zstd array audioop binascii cmath fcntl grp math mmap nis ossaudiodev pyexpat
    readline resource select spwd syslog termios unicodedata zlib""".split()  # noqa: SIM905
)
"""Modules that are built in or lie in lib-dynload, as the builder of the interpreter chose."""

NEEDS_A_LIBRARY: Final = frozenset(
    """_bz2 _ctypes _curses _curses_panel _dbm _gdbm _lzma _sqlite3 _ssl _tkinter _uuid _zstd
    readline""".split()  # noqa: SIM905
)
"""Those that an interpreter lacks when it was built without some library, or packaged apart."""

COMPILED_HALF: Final = {
    "bz2": "_bz2",
    "compression.bz2": "_bz2",
    "compression.lzma": "_lzma",
    "compression.zstd": "_zstd",
    "ctypes": "_ctypes",
    "curses": "_curses",
    "dbm.gnu": "_gdbm",
    "dbm.ndbm": "_dbm",
    "lzma": "_lzma",
    "sqlite3": "_sqlite3",
    "ssl": "_ssl",
    "tkinter": "_tkinter",
}
"""Modules of the standard library that import a compiled one for certain."""

_NEW: Final = {
    9: "_aix_support _bootsubprocess _peg_parser _zoneinfo graphlib zoneinfo",
    11: "tomllib",
    12: "_pydatetime _pylong _sha2",
    13: (
        "_android_support _colorize _interpchannels _interpqueues _interpreters _ios_support "
        "_opcode_metadata _pyrepl _suggestions _sysconfig "
    ),
    14: (
        "_apple_support _ast_unparse _hmac _py_warnings _remote_debugging _types _zstd "
        "annotationlib compression"
    ),
}
"""The modules that came with each 3.N."""

_GONE: Final = {
    9: "_dummy_thread dummy_threading",
    10: "_bootlocale _peg_parser formatter parser symbol",
    11: "binhex",
    12: "_bootsubprocess _sha256 _sha512 asynchat asyncore distutils imp smtpd",
    13: (
        "_crypt aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap nis "
        "nntplib ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib"
    ),
}
"""The modules that each 3.N no longer has."""

_ALL: Final = frozenset(
    """
    __future__ _abc _aix_support _android_support _ast _asyncio _bisect _blake2 _bootlocale
    _bootsubprocess _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr
    _codecs_tw _collections _collections_abc _colorize _compat_pickle _compression
    _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm _decimal
    _dummy_thread _elementtree _frozen_importlib _frozen_importlib_external _functools _gdbm
    _hashlib _heapq _imp _interpchannels _interpqueues _interpreters _io _ios_support _json
    _locale _lsprof _lzma _markupbase _md5 _multibytecodec _multiprocessing _opcode
    _opcode_metadata _operator _osx_support _peg_parser _pickle _posixshmem
    _posixsubprocess _py_abc _pydatetime _pydecimal _pyio _pylong _pyrepl _queue _random
    _sha1 _sha2 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket _sqlite3 _sre
    _ssl _stat _statistics _string _strptime _struct _suggestions _symtable _sysconfig
    _thread _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings
    _weakref _weakrefset _zoneinfo abc aifc antigravity argparse array ast
    asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2
    cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys
    compileall concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes
    curses dataclasses datetime dbm decimal difflib dis distutils doctest dummy_threading
    email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch
    formatter fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib
    grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io
    ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap
    marshal math mimetypes mmap modulefinder multiprocessing netrc nis nntplib
    ntpath nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb
    pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile
    pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re
    readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex
    shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile
    sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau
    symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios
    textwrap this threading time timeit tkinter token tokenize tomllib trace traceback
    tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv
    warnings wave weakref webbrowser wsgiref xdrlib xml xmlrpc zipapp
    zipfile zipimport zlib zoneinfo
    """.split()  # noqa: SIM905
)

_SINCE: Final = {name: minor for minor, names in _NEW.items() for name in names.split()}
_GONE_SINCE: Final = {name: minor for minor, names in _GONE.items() for name in names.split()}


def is_standard(top: str, minor: int | None) -> bool:
    """Whether Python 3.``minor`` has this top-level module; None stands for any version."""
    if top not in _ALL and top not in _SINCE:
        return False
    if minor is None:
        return True
    return _SINCE.get(top, OLDEST) <= minor < _GONE_SINCE.get(top, minor + 1)


def gone_since(top: str) -> int | None:
    """Return the N of the first Python 3.N that no longer has a module, if it is gone."""
    return _GONE_SINCE.get(top)


def new_since(top: str) -> int | None:
    """Return the N of the first Python 3.N that has a module, if that is one of these tables."""
    return _SINCE.get(top)
