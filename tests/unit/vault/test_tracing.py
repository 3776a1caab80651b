"""W3C Trace Context: what is sound is carried on, anything else begins a trace of its own."""

import asyncio

import pytest

from vault import tracing

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SOUND = f"00-{ID}-{SPAN}-01"


def test_a_sound_header_is_carried_on_under_a_span_of_our_own() -> None:
    trace = tracing.from_headers([SOUND], ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"])
    assert (trace.id, trace.parent, trace.sampled) == (ID, SPAN, True)
    assert trace.state == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
    assert trace.span not in (SPAN, "0" * 16)
    with tracing.under(trace):
        assert tracing.headers() == {"traceparent": f"00-{ID}-{trace.span}-01", "tracestate": trace.state}
        assert tracing.headers(abroad=True) == {"traceparent": f"00-{ID}-{trace.span}-01"}
    assert tracing.headers() == {} and tracing.current() is None and tracing.kept() is None


@pytest.mark.parametrize(
    "value",
    [
        f"00-{ID}-{SPAN}-00",
        f"00-{ID}-{SPAN}-03",  # a flag that version 00 does not know
        f"01-{ID}-{SPAN}-01",
        f"cc-{ID}-{SPAN}-01-what.the.future.will.be.like",
        f"cc-{ID}-{SPAN}-01-",
    ],
)
def test_what_may_come_is_understood_and_sent_on_as_version_00(value: str) -> None:
    trace = tracing.from_headers([value])
    assert (trace.id, trace.parent) == (ID, SPAN)
    with tracing.under(trace):
        assert tracing.headers()["traceparent"] in (f"00-{ID}-{trace.span}-00", f"00-{ID}-{trace.span}-01")


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        [SOUND, SOUND],
        [SOUND.upper()],
        [f" {SOUND}"],
        [f"{SOUND}-00"],  # version 00 has nothing behind
        [f"{SOUND}\n"],
        [f"ff-{ID}-{SPAN}-01"],
        [f"cc-{ID}-{SPAN}-01.what"],
        [f"0-{ID}-{SPAN}-01"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{ID}-{'0' * 16}-01"],
        [f"00-{ID[:-1]}-{SPAN}-01"],
        [f"00-{ID}0-{SPAN}-01"],
        [f"00-{ID[:-1]}g-{SPAN}-01"],
        [f"00-{ID}-{SPAN}-0"],
        [f"00-{ID}-{SPAN}"],
        [f"00_{ID}_{SPAN}_01"],
        ["٠٠" + SOUND[2:]],  # digits, but not ours
    ],
)
def test_anything_else_begins_a_trace_and_its_state_is_not_looked_at(values: list[str]) -> None:
    trace = tracing.from_headers(values, ["a=1"])
    assert trace.parent is None and trace.state == "" and not trace.sampled
    assert trace.id not in (ID, "0" * 32) and len(trace.id) == 32
    assert tracing.from_headers([trace.traceparent]).id == trace.id, "ours is sound itself"


@pytest.mark.parametrize(
    ("values", "state"),
    [
        (["a=1"], "a=1"),
        (["a=1", "b=2"], "a=1,b=2"),
        (["a=1, \tb=2 ,,"], "a=1,b=2"),
        (["fw529a3039@dt=FfAAAA", "0a_-*/@b=x"], "fw529a3039@dt=FfAAAA,0a_-*/@b=x"),
        (["a=with space~"], "a=with space~"),
        ([",".join(f"k{n}=v" for n in range(32))], ",".join(f"k{n}=v" for n in range(32))),
        ([",".join(f"k{n}=v" for n in range(33))], ""),
        (["a=1,a=2"], ""),
        (["A=1"], ""),
        (["a"], ""),
        (["a="], ""),
        (["a=1=2"], ""),
        (["0a=1"], ""),  # a tenant may begin with a digit, a simple key may not
        (["a@0b=1"], ""),
        (["a=Nguyễn"], ""),
        ([f"{'k' * 256}=v"], f"{'k' * 256}=v"),
        ([f"{'k' * 257}=v"], ""),
        ([f"a={'v' * 256}"], f"a={'v' * 256}"),
        ([f"a={'v' * 257}"], ""),
        ([f"a={'v' * 250},b=1,c={'v' * 250},d=2"], "b=1,d=2"),
        ([",".join(f"k{n}={'v' * 98}" for n in range(9))], ",".join(f"k{n}={'v' * 98}" for n in range(5))),
    ],
)
def test_tracestate_is_carried_as_it_is_or_not_at_all(values: list[str], state: str) -> None:
    assert tracing.from_headers([SOUND], values).state == state


def test_a_row_keeps_the_trace_and_what_is_done_later_is_a_part_of_its_own() -> None:
    with tracing.under(tracing.from_headers([SOUND], ["a=1"])) as asked:
        row = tracing.kept()
    assert row is not None and "a=1" not in row
    later = tracing.resumed(row)
    assert (later.id, later.parent, later.state) == (ID, asked.span, "")
    assert later.span != asked.span
    for nothing in (None, "", "not a trace"):
        assert tracing.resumed(nothing).parent is None


@pytest.mark.anyio
async def test_tasks_belong_to_the_trace_they_were_begun_under() -> None:
    async def seen() -> str | None:
        await asyncio.sleep(0)
        return tracing.kept()

    with tracing.under(tracing.begun()) as one:
        first = asyncio.create_task(seen())
    with tracing.under(tracing.begun()) as other:
        second = asyncio.create_task(seen())
    assert await first == one.traceparent and await second == other.traceparent
    assert tracing.current() is None
