"""The contract that every call provider is held to: an author hands in samples, and inherits the clauses.

    class TestDemo(ProviderContract, manifest=DEMO, settings={"token": "mine"}, others={"token": "not mine"}):
        samples = (Sample(Delivery(b"…", {"x-demo-signature": "…"}), call={…}), …)

Samples are deliveries as the provider sends them, under ``settings``; ``others`` are those of another customer. Each sample
says which call its event tells of by itself, if it does. An adapter that keeps subscriptions or lists calls is asked to: its
``settings`` lead to a stand-in for its service, and ``listed`` are the ids of the calls there since ``listed_since``.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from connector_core.errors import ConnectorError, CredentialsError, InputError
from connector_core.model import Call
from connector_core.providers import ProviderManifest
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Delivery, Heard, Ignored, Part
from connector_core.providers.merging import merge

CANARY = "canary-7f3a@secret.example"
"""A value that no message may show."""
MOST_PAGES = 10_000
"""A list that goes on beyond is taken for one without an end."""
WRONG: tuple[object, ...] = (
    None,
    True,
    -1,
    10**30,
    10**400,
    0.5,
    "",
    "\ud800",
    "\0",
    CANARY,
    [CANARY],
    {"canary": CANARY},
    [],
    {},
)
"""Values of other types than those that a provider sends, and at the edges of theirs."""
GARBAGE: Mapping[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[1]",
    "no UTF-8": b"\xff\xfe{}",
    "half a character": b'{"event": "\\ud800"}',
    "no number": b'{"event": NaN}',
    "a long number": b'{"event": ' + b"9" * 5_000 + b"}",
    "nested deeply": b'{"event": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a key twice": b'{"event": 1, "event": 2}',
}
"""Bodies that are no event of anybody."""


@dataclass(frozen=True)
class Sample:
    """A delivery as the provider sends it.

    ``call``: the call that its event tells of by itself, as JSON; None, where it does not.
    """

    delivery: Delivery
    call: Mapping[str, Any] | None = None


class ProviderContract:
    """What holds for every call provider; a subclass names the plugin and gives samples."""

    manifest: ClassVar[ProviderManifest]
    settings: ClassVar[Mapping[str, object]]
    others: ClassVar[Mapping[str, object]]
    samples: ClassVar[Sequence[Sample]] = ()
    listed: ClassVar[Collection[str]] = ()
    listed_since: ClassVar[dt.datetime] = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)

    def __init_subclass__(
        cls, *, manifest: ProviderManifest, settings: Mapping[str, object], others: Mapping[str, object], **rest: Any
    ) -> None:
        """Name the plugin, and the settings of two customers of it: the samples are the first one's."""
        super().__init_subclass__(**rest)
        cls.manifest, cls.settings, cls.others = manifest, settings, others

    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        """The plugin, with the settings that the samples were made for."""
        with bind_provider(self.manifest, self.settings) as bound:
            yield bound

    # -- P-PROOF: nothing is believed that is not proven ---------------------------------------------------------------

    def test_p_proof_1_what_the_provider_sends_is_proven(self, provider: Provider) -> None:
        """P-PROOF-1: each sample is an event, or sets the webhook up."""
        refused = [number for number, it in enumerate(self.samples) if _refused(provider, it.delivery)]
        _expect(bool(self.samples), True, "there are samples")
        _expect(refused, [], "samples that were refused")

    def test_p_proof_2_another_customers_event_is_refused(self) -> None:
        """P-PROOF-2: under other settings no sample is proven."""
        with bind_provider(self.manifest, self.others) as other:
            believed = [number for number, it in enumerate(self.samples) if not _refused(other, it.delivery)]
        _expect(believed, [], "samples that were proven under the settings of somebody else")

    def test_p_proof_3_an_event_that_was_changed_is_refused(self, provider: Provider) -> None:
        """P-PROOF-3: a body that was changed on its way is refused, or what was signed is taken in its place.

        Where the proof is a word in the body, as ``proof="body"`` in the manifest says, it is the word that is changed.
        """
        if self.manifest.proof == "sender":
            pytest.skip("what is proven is who sends, and nothing of what: the manifest says so")
        if self.manifest.proof == "body":
            self.test_p_proof_2_another_customers_event_is_refused()
            return
        for number, it in enumerate(self.samples):
            signed = provider.verify(it.delivery)
            for body in _changed(it.delivery.body):
                delivery = replace(it.delivery, body=body)
                kept = _refused(provider, delivery) or provider.verify(delivery) == signed
                _expect(kept, True, f"sample {number} is refused once it was changed, or read as it was signed")

    def test_p_proof_4_an_event_without_a_proof_is_refused(self, provider: Provider) -> None:
        """P-PROOF-4: without its headers, or with a body that proves nothing, no sample is believed."""
        bare = [
            replace(it.delivery, body=b"{}") if self.manifest.proof == "body" else replace(it.delivery, headers={})
            for it in self.samples
        ]
        believed = [number for number, it in enumerate(bare) if not _refused(provider, it)]
        _expect(believed, [], "samples that were believed without a proof")

    @pytest.mark.parametrize("garbage", GARBAGE)
    def test_p_proof_5_garbage_is_refused(self, provider: Provider, garbage: str) -> None:
        """P-PROOF-5: what is no event of anybody is refused with an error of the contract, proven or not."""
        for number, it in enumerate(self.samples):
            delivery = replace(it.delivery, body=GARBAGE[garbage])
            believed = not _refused(provider, delivery) and provider.verify(delivery) == delivery.body
            _expect(believed, False, f"garbage is believed with the proof of sample {number}")
        with pytest.raises(InputError):
            provider.parse(GARBAGE[garbage])

    # -- P-CALL: events become the right call --------------------------------------------------------------------------

    def test_p_call_1_an_event_tells_its_call(self, provider: Provider) -> None:
        """P-CALL-1: each sample that tells of a call by itself tells exactly that."""
        for number, it in enumerate(self.samples):
            wanted = None if it.call is None else Call.model_validate(it.call)
            _expect(_call(self._heard(provider, it.delivery)), wanted, f"the call of sample {number}")

    def test_p_call_2_order_and_repetition_do_not_matter(self, provider: Provider) -> None:
        """P-CALL-2: all parts of a call make the same call, whatever their order, and however often they come."""
        chance = random.Random(7)  # noqa: S311 - repeatable, not a secret
        by_call: dict[str, list[Part]] = {}
        for it in self.samples:
            for part in _parts(self._heard(provider, it.delivery)):
                by_call.setdefault(part.call_id, []).append(part)
        for parts in by_call.values():
            for _ in range(5):
                shuffled = [*parts, *parts[:2]]
                chance.shuffle(shuffled)
                _expect(merge(shuffled), merge(parts), "the call of the same events in another order")

    def test_p_call_3_reading_again_reads_the_same(self, provider: Provider) -> None:
        """P-CALL-3: an event that is delivered twice says the same twice: nothing in it is of the moment of reading."""
        for it in self.samples:
            first, again = (self._heard(provider, it.delivery) for _ in range(2))
            _expect(again, first, "what the same event says when it comes again")

    def test_p_call_4_an_unknown_key_changes_nothing(self, provider: Provider) -> None:
        """P-CALL-4: a provider adds keys as it likes."""
        for it in self.samples:
            event = provider.verify(it.delivery)
            if isinstance(event, bytes) and isinstance(value := json.loads(event), dict):
                more = json.dumps({**value, "a_key_of_tomorrow": {"of": ["any", "kind"]}}).encode()
                _expect(provider.parse(more), provider.parse(event), "an event with a key more")

    def test_p_call_5_wrong_types_are_refused_or_left_out(self, provider: Provider) -> None:
        """P-CALL-5: whatever stands in any one place of an event, it is read, or refused with InputError, and not shown."""
        for event in self._events(provider):
            for changed in _each_changed(event, WRONG):
                self._read_or_refused(provider, changed)

    def test_p_call_6_missing_keys_are_refused_or_left_out(self, provider: Provider) -> None:
        """P-CALL-6: whichever one key is not there, the event is read, or refused with InputError."""
        for event in self._events(provider):
            for changed in _each_without(event):
                self._read_or_refused(provider, changed)

    def test_p_call_7_a_call_is_of_this_provider(self, provider: Provider) -> None:
        """P-CALL-7: every part names the provider, and at least one sample tells of a call, or announces one."""
        heard = [each for it in self.samples for each in self._heard(provider, it.delivery)]
        told = any(isinstance(each, Part | Announced) for each in heard)
        _expect(told, True, "a sample tells of a call, or announces one")
        others = {part.provider for part in _parts(heard)} - {self.manifest.name}
        _expect(others, set(), "the providers that parts name, other than the plugin")

    # -- P-KEEP: webhooks keep coming ----------------------------------------------------------------------------------

    def test_p_keep_1_subscriptions_are_kept(self, provider: Provider) -> None:
        """P-KEEP-1: seen to once they are in order, seen to again nothing had to be made, and the next time is named."""
        _needs(provider, "keep_subscribed")
        first, again = provider.keep_subscribed(), provider.keep_subscribed()
        _expect((first.problems, again.problems), ((), ()), "what is wrong with the subscriptions")
        _expect(again.gap, False, "a subscription was missing that had just been seen to")

    # -- P-LIST: what no webhook told of -------------------------------------------------------------------------------

    def test_p_list_1_all_calls_are_listed(self, provider: Provider) -> None:
        """P-LIST-1: all pages together have each call, whoever asks how often."""
        _needs(provider, "list_missed")
        for _ in range(2):
            heard = _pages(provider, self.listed_since)
            _expect({each.call_id for each in heard}, set(self.listed), "the calls that are listed")
        _expect(bool(self.listed), True, "there are calls to be listed")

    def test_p_list_2_no_older_call_is_listed(self, provider: Provider) -> None:
        """P-LIST-2: of a time that is still to come nothing is listed."""
        _needs(provider, "list_missed")
        heard = _pages(provider, dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
        _expect([each.call_id for each in heard], [], "the calls that are listed of tomorrow")

    def test_p_list_3_an_unknown_page_is_refused(self, provider: Provider) -> None:
        """P-LIST-3: a page that this version of the plugin did not name is refused with InputError."""
        _needs(provider, "list_missed")
        with pytest.raises(InputError):
            provider.list_missed(self.listed_since, "a page of another version")

    def test_p_list_4_what_is_listed_can_be_read(self, provider: Provider) -> None:
        """P-LIST-4: each call that is listed is told whole, or by what can be read of it."""
        _needs(provider, "list_missed")
        heard = _pages(provider, self.listed_since)
        asked = [each for each in heard if isinstance(each, Announced)]
        found = provider.fetch(asked) if asked else {}
        read = [part for answer in found.values() if isinstance(answer, tuple) for part in answer]
        told = {part.call_id for part in (*_parts(heard), *read) if part.complete}
        _expect(told, {each.call_id for each in heard}, "the calls that are told whole")

    # -- what the clauses have in common -------------------------------------------------------------------------------

    def _heard(self, provider: Provider, delivery: Delivery) -> Sequence[Heard]:
        event = provider.verify(delivery)
        return provider.parse(event) if isinstance(event, bytes) else [Ignored("set-up", "no event")]

    def _events(self, provider: Provider) -> Iterator[Any]:
        for it in self.samples:
            event = provider.verify(it.delivery)
            if isinstance(event, bytes):
                yield json.loads(event)

    def _read_or_refused(self, provider: Provider, event: Any) -> None:
        try:
            provider.parse(json.dumps(event).encode())
        except InputError as error:
            shown = CANARY in f"{error}{error.__cause__}{error.__context__}"
            _expect(shown, False, "a message shows what was sent")


def _expect(got: object, wanted: object, what: str) -> None:
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}; wanted {wanted!r}")


def _needs(provider: Provider, hook: str) -> None:
    if not provider.has(hook):
        pytest.skip(f"{provider.manifest.title} has no {hook}")


def _pages(provider: Provider, since: dt.datetime) -> list[Part | Announced]:
    """Read a list to its end."""
    heard: list[Part | Announced] = []
    page: str | None = None
    for _ in range(MOST_PAGES):
        found = provider.list_missed(since, page)
        _expect(found.incomplete, None, "why the list is incomplete")
        heard += found.heard
        page = found.next
        if page is None:
            return heard
    raise AssertionError(f"the list goes on after {MOST_PAGES} pages")


def _parts(heard: Sequence[Heard]) -> list[Part]:
    return [it for it in heard if isinstance(it, Part)]


def _call(heard: Sequence[Heard]) -> Call | None:
    parts = _parts(heard)
    return merge(parts) if parts else None


def _refused(provider: Provider, delivery: Delivery) -> bool:
    try:
        provider.verify(delivery)
    except (CredentialsError, InputError):
        return True
    except ConnectorError as error:
        raise AssertionError(f"refused with {type(error).__name__}; wanted CredentialsError or InputError") from error
    return False


def _changed(body: bytes) -> Iterator[bytes]:
    """Change a body: at its ends and in its middle, and by what stays the same JSON."""
    for at in {0, len(body) // 2, max(0, len(body) - 1)}:
        yield body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] if body else b"x"
    yield body + b" "
    yield b" " + body


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of everything in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _each_changed(value: Any, others: Sequence[object]) -> Iterator[Any]:
    for path, other in itertools.product(_places(value), others):
        copy = json.loads(json.dumps(value))
        _inside(copy, path[:-1])[path[-1]] = other
        yield copy


def _each_without(value: Any) -> Iterator[Any]:
    for path in _places(value):
        copy = json.loads(json.dumps(value))
        del _inside(copy, path[:-1])[path[-1]]
        yield copy


def _inside(value: Any, path: Sequence[Any]) -> Any:
    for key in path:
        value = value[key]
    return value
