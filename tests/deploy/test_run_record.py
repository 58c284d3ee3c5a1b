"""A run is found again, and cleared up after, without touching what is not ours."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil

from deploy.local.process import Child
from deploy.local.run_record import RunRecord, Trace, claim, reap, traces

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


async def test_what_a_killed_run_left_is_ended(tmp_path: Path) -> None:
    child = await Child.start("billing", SLEEPER, log=tmp_path / "log", env={})
    record = _record(traces({"billing": child.pid}))
    assert reap(record) == ["billing"]
    await child.wait()
    assert not psutil.pid_exists(child.pid)
    assert reap(record) == []


async def test_a_process_that_inherited_a_number_is_left_alone(tmp_path: Path) -> None:
    stranger = await Child.start("stranger", SLEEPER, log=tmp_path / "log", env={})
    (trace,) = traces({"billing": stranger.pid})
    try:
        assert reap(_record([replace(trace, started=trace.started - 3_600)])) == []
        assert stranger.running
    finally:
        await stranger.kill()


def test_a_record_is_read_as_it_was_written_and_a_torn_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "house.json"
    record = replace(_record(traces({"intake": os.getpid()})), urls={"intake": "http://127.0.0.1:1"})
    record.write(path)
    assert RunRecord.read(path) == record
    path.write_text(path.read_text()[:40])
    assert RunRecord.read(path) is None
    assert RunRecord.read(tmp_path / "nothing.json") is None


def test_one_folder_is_run_by_one_process_at_a_time(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "from deploy.local.run_record import claim\n"
        "with claim(pathlib.Path(sys.argv[1])) as alone: print(alone)"
    )
    ask = [sys.executable, "-c", program, str(tmp_path)]
    with claim(tmp_path) as alone:
        assert alone
        assert subprocess.check_output(ask, text=True) == "False\n"
    assert subprocess.check_output(ask, text=True) == "True\n"


async def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from deploy.local.process import Child\n"
        "async def main():\n"
        f"    child = await Child.start('child', {SLEEPER!r}, log=pathlib.Path(sys.argv[1]), env={{}})\n"
        "    print(child.pid, flush=True)\n"
        "    await child.wait()\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    child = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, [child], timeout=10)
    assert not alive


async def test_a_stop_ends_what_a_child_started_too(tmp_path: Path) -> None:
    pipe = tmp_path / "started"
    os.mkfifo(pipe)
    program = (
        "import subprocess, sys, time\n"
        "own = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"print(own.pid, file=open({str(pipe)!r}, 'w'), flush=True)\n"
        "time.sleep(60)"
    )
    child = await Child.start("intake", [sys.executable, "-c", program], log=tmp_path / "log", env={})
    grandchild = psutil.Process(int(await asyncio.to_thread(pipe.read_text)))
    await child.kill()
    _, alive = await asyncio.to_thread(psutil.wait_procs, [grandchild], timeout=10)
    assert not alive


def _record(processes: list[Trace]) -> RunRecord:
    return RunRecord(Trace("supervisor", 1, 0.0), processes)
