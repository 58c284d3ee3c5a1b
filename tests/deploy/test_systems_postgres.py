"""The system's own Postgres and a Kafka that somebody else started, in place of the embedded ones."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.demo import checks
from deploy.local.demo.drive import send, wait
from deploy.local.demo.hearing import hearing
from deploy.local.demo.looking import Looking
from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.ports import free_port
from deploy.local.screen import Screen

pytestmark = pytest.mark.engines

OLDEST = 15


def _programs() -> Path | None:
    """Where the system's newest Postgres server lies, if it is new enough."""
    found = {
        int(folder.name): folder / "bin"
        for folder in Path("/usr/lib/postgresql").glob("*")
        if folder.name.isdigit() and (folder / "bin" / "initdb").exists()
    }
    newest = max(found, default=0)
    return found[newest] if newest >= OLDEST else None


def _as_nobody_special() -> list[str]:
    """Postgres refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    programs = _programs()
    if programs is None:
        pytest.skip(f"the system has no Postgres {OLDEST} or newer (apt-get install postgresql)")
    folder = Path("/tmp") / f"stillwater-{os.getpid()}-postgres"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    port = free_port(0)
    (tmp_path_factory.mktemp("secret") / "password").write_text("hush")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*_as_nobody_special(), programs / program, *arguments], check=True, capture_output=True, cwd="/"
        )

    data = str(folder / "data")
    run("initdb", "--pgdata", data, "--username", "keeper", "--auth", "trust", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run("pg_ctl", "--pgdata", data, "--wait", "--log", str(folder / "log"), "--options", options, "start")
    try:
        run("createdb", "--host", "127.0.0.1", "--port", str(port), "--username", "keeper", "clinic")
        yield f"postgresql://keeper@127.0.0.1:{port}/clinic"
    finally:
        run("pg_ctl", "--pgdata", data, "--wait", "--mode", "fast", "stop")
        shutil.rmtree(folder)


async def test_the_whole_house_stands_on_a_users_own_engines(engines: Engines, database_url: str) -> None:
    house = House(database_url=database_url, kafka=engines.bootstrap, prefix="own-")
    async with (
        house,
        hearing(engines.bootstrap, house.topics) as heard,
        httpx.AsyncClient(timeout=30, trust_env=False) as client,
    ):
        assert not {"postgres", "kafka"} & house.children().keys()
        travellers = await send(house, client, 300, Screen(), ("uninsured", "inactive"))
        await wait(heard, travellers, Screen())
        looking = Looking(house, client)
        for one in travellers:
            assert checks.of_events(one.journey, heard.counts(one.patient_id)) == []
            assert checks.of_billing(one.journey, await looking.coverages(one.patient_id)) == []
    assert not house.folder.exists()
