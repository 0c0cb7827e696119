"""Reading SOQL.

The grammar is that of the SOQL reference without GROUP BY, functions in conditions, aliases, scopes and FOR.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NoReturn

from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, query_fault
from connector_salesforce.sandbox.syntax import (
    Combine,
    Compare,
    Condition,
    Count,
    LiteralKind,
    Negate,
    Order,
    Path,
    Query,
    Standard,
    TypeOf,
    Value,
)

MAX_QUERY = 100_000
MAX_LITERAL = 4_000

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:\\.|[^'\\])*')"
    r"|(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)(?!\w)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)(?!\w)"
    r"|(?P<name>[A-Za-z]\w*(?:\s*\.\s*[A-Za-z]\w*)*(?::\d+)?)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "_": "\\_",
    "%": "\\%",
}
_NOT_SPOKEN = ("GROUP", "HAVING", "FOR", "WITH", "USING", "ALL", "UPDATE")
_PLAIN: Mapping[str, LiteralKind] = {"number": "number", "date": "date", "datetime": "datetime"}
_DAY_WORDS = ("TODAY", "YESTERDAY", "TOMORROW")


def parse(text: str) -> Query:
    """Read a query.

    :raises ServiceError: The service would refuse it, with the code MALFORMED_QUERY.
    :raises NotSpokenError: The service may know it.
    """
    if len(text) > MAX_QUERY:
        raise ServiceError("MALFORMED_QUERY", f"SOQL statements can not be longer than {MAX_QUERY} characters")
    parser = Parser(text)
    query = parser.query()
    parser.end()
    return query


def parse_clauses(text: str) -> Query:
    """Read ``WHERE … ORDER BY … LIMIT …`` alone, as SOSL writes them behind the fields of an object."""
    parser = Parser(text)
    query = parser.clauses((), "", 0)
    parser.end()
    return query


class Parser:
    """A reader of one query, by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0

    def query(self) -> Query:
        """Read ``SELECT … FROM …`` and what follows."""
        self._expect("SELECT")
        select = [self._selected()]
        while self._accept(","):
            select.append(self._selected())
        self._expect("FROM")
        _, source, at = self._take("name")
        return self.clauses(tuple(select), source, at)

    def clauses(self, select: tuple[Path | Query | TypeOf | Count | Standard, ...], source: str, at: int) -> Query:
        """Read the clauses behind FROM."""
        where = self._condition() if self._accept("WHERE") else None
        order: list[Order] = []
        if self._accept("ORDER"):
            self._expect("BY")
            order.append(self._order())
            while self._accept(","):
                order.append(self._order())
        limit = self._number() if self._accept("LIMIT") else None
        offset = self._number() if self._accept("OFFSET") else 0
        return Query(self._text, select, source, at, where, tuple(order), limit, offset)

    def end(self) -> None:
        """Refuse whatever is left."""
        if self._next < len(self._tokens):
            kind, word, _ = self._tokens[self._next]
            if kind == "name" and word.upper() in _NOT_SPOKEN:
                raise NotSpokenError(f"{word.upper()} in SOQL")
            if kind == "name" and self._tokens[self._next - 1][0] == "name":
                raise NotSpokenError("an alias in SOQL")
            self._unexpected()

    # -- what is selected ---------------------------------------------------------------------------------------------

    def _selected(self) -> Path | Query | TypeOf | Count | Standard:
        if self._accept("("):
            query = self.query()
            self._expect(")")
            return query
        if self._accept("TYPEOF"):
            return self._typeof()
        path = self._path()
        if not self._accept("("):
            return path
        if path.names[0].upper() == "FIELDS":
            if not self._accept("STANDARD"):
                raise NotSpokenError("FIELDS() of other fields than STANDARD in SOQL")
            self._expect(")")
            return Standard(path.at)
        if path.names[0].upper() != "COUNT":
            raise NotSpokenError(f"{path.names[0]}() in SOQL")
        counted = None if self._at(")") else self._path()
        self._expect(")")
        return Count(counted)

    def _typeof(self) -> TypeOf:
        path = self._path()
        branches: list[tuple[str, tuple[Path, ...]]] = []
        otherwise: tuple[Path, ...] = ()
        while self._accept("WHEN"):
            _, name, _ = self._take("name")
            self._expect("THEN")
            branches.append((name, self._paths()))
        if self._accept("ELSE"):
            otherwise = self._paths()
        self._expect("END")
        return TypeOf(path, tuple(branches), otherwise)

    def _paths(self) -> tuple[Path, ...]:
        paths = [self._path()]
        while self._accept(","):
            paths.append(self._path())
        return tuple(paths)

    def _path(self) -> Path:
        if any(self._at(word) for word in ("FROM", "WHERE", "SELECT")):
            self._unexpected()
        _, text, at = self._take("name")
        return Path(tuple(part.strip() for part in text.split(".")), at)

    def _number(self) -> int:
        _, text, _ = self._take("number")
        if not text.isdecimal():
            self._next -= 1
            self._unexpected()
        return int(text)

    def _order(self) -> Order:
        path = self._path()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        last = False
        if self._accept("NULLS"):
            last = self._accept("LAST")
            if not last:
                self._expect("FIRST")
        return Order(path, descending, last)

    # -- conditions ---------------------------------------------------------------------------------------------------

    def _condition(self) -> Condition:
        """Read conditions joined by AND, or by OR: the service wants parentheses where both meet."""
        parts = [self._simple()]
        operator: Literal["AND", "OR"] = "OR" if self._at("OR") else "AND"
        while self._accept(operator):
            parts.append(self._simple())
        return parts[0] if len(parts) == 1 else Combine(operator, tuple(parts))

    def _simple(self) -> Condition:
        if self._accept("NOT"):
            return Negate(self._simple())
        if self._accept("("):
            condition = self._condition()
            self._expect(")")
            return condition
        path = self._path()
        if self._at("("):
            raise NotSpokenError(f"{path.names[0]}() in SOQL")
        return self._compare(path)

    def _compare(self, path: Path) -> Compare:
        if self._accept("NOT"):
            self._expect("IN")
            return Compare(path, "NOT IN", self._list())
        if self._accept("IN"):
            return Compare(path, "IN", self._list())
        if self._accept("LIKE"):
            return Compare(path, "LIKE", (self._value(),))
        for word in ("INCLUDES", "EXCLUDES"):
            if self._at(word):
                raise NotSpokenError(f"{word} in SOQL")
        _, sign, _ = self._take("sign")
        if sign in ("(", ")", ","):
            self._next -= 1
            self._unexpected()
        return Compare(path, "!=" if sign == "<>" else sign, (self._value(),))

    def _list(self) -> tuple[Value, ...] | Query:
        self._expect("(")
        if self._at("SELECT"):
            query = self.query()
            self._expect(")")
            return query
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> Value:
        if self._next >= len(self._tokens):
            self._unexpected()
        kind, text, at = self._tokens[self._next]
        word = text.upper()
        self._next += 1
        if kind == "string":
            return Value("string", self._unescaped(text[1:-1], at), at)
        if kind in _PLAIN:
            return Value(_PLAIN[kind], text, at)
        if kind == "name" and word in ("TRUE", "FALSE"):
            return Value("boolean", word.lower(), at)
        if kind == "name" and word == "NULL":
            return Value("null", "", at)
        if kind == "name" and word in _DAY_WORDS:
            return Value("day_word", word, at)
        if kind == "name" and ("_" in word or ":" in word):
            raise NotSpokenError(f"the date literal {text} in SOQL")
        self._next -= 1
        return self._unexpected()

    def _unescaped(self, text: str, at: int) -> str:
        if len(text) > MAX_LITERAL:
            raise query_fault(
                "MALFORMED_QUERY", self._text, at, f"string literal is longer than {MAX_LITERAL} characters"
            )
        if "\\" not in text:
            return text
        parts = re.split(r"\\(.)", text, flags=re.DOTALL)
        for place in range(1, len(parts), 2):
            if parts[place] not in _ESCAPES:
                raise query_fault(
                    "MALFORMED_QUERY", self._text, at, f"Invalid string literal '{text}'. Illegal character sequence"
                )
            parts[place] = _ESCAPES[parts[place]]
        return "".join(parts)

    # -- tokens -------------------------------------------------------------------------------------------------------

    def _at(self, word: str) -> bool:
        if self._next >= len(self._tokens):
            return False
        kind, text, _ = self._tokens[self._next]
        return kind in ("name", "sign") and text.upper() == word

    def _accept(self, word: str) -> bool:
        if not self._at(word):
            return False
        self._next += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            if self._next and self._next < len(self._tokens) and word == ")" and self._tokens[self._next][0] == "name":
                self.end()
            self._unexpected()

    def _take(self, kind: str) -> tuple[str, str, int]:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] != kind:
            self._unexpected()
        self._next += 1
        return self._tokens[self._next - 1]

    def _unexpected(self) -> NoReturn:
        if self._next >= len(self._tokens):
            raise query_fault("MALFORMED_QUERY", self._text, len(self._text), "unexpected token: '<EOF>'")
        _, text, at = self._tokens[self._next]
        raise query_fault("MALFORMED_QUERY", self._text, at, f"unexpected token: '{text}'")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise query_fault(
                "MALFORMED_QUERY", text, place, f"line 1:{place} no viable alternative at character '{text[place]}'"
            )
        tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return tokens
