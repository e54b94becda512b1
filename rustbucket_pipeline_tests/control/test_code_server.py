"""Where the code server is found, and what a reload comes to where none runs. A real one: `e2e/test_up.py`."""

from pathlib import Path

import pytest
import yaml

from rustbucket_pipeline.control.code_server import LOCATION, answers, request_reload, socket_for, write_workspace
from rustbucket_pipeline.control.programs import alone
from rustbucket_pipeline.errors import ConfigurationError, UsageError
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings


def home(path: Path) -> Settings:
    return Settings(RUSTBUCKET_HOME=path)


def test_the_socket_lies_in_the_home(scratch: Path) -> None:
    settings = home(scratch / "socket-home")
    with socket_for(settings) as socket:
        assert socket == settings.home / "run" / "code.sock"


@pytest.mark.parametrize("name", ["with space", "100%41", "ü", "l" * 100])
def test_a_home_whose_path_gives_no_socket_gets_a_directory_of_its_own_for_it(scratch: Path, name: str) -> None:
    with socket_for(home(scratch / name)) as socket:
        assert len(str(socket)) < 100
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        assert scratch not in socket.parents
    assert not socket.parent.exists()


def test_dagster_s_programs_find_it_by_the_name_developers_use_too(scratch: Path) -> None:
    settings = home(scratch / "workspace-home")
    with socket_for(settings) as socket:
        written = yaml.safe_load(write_workspace(settings, socket).read_text(encoding="utf-8"))
    assert written == {"load_from": [{"grpc_server": {"socket": str(socket), "location_name": LOCATION}}]}
    for_developers = yaml.safe_load((PROJECT_ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    assert for_developers["load_from"][0]["python_module"]["location_name"] == LOCATION


def test_nothing_is_reloaded_where_nothing_runs(scratch: Path) -> None:
    settings = home(scratch / "idle-home")
    assert not request_reload(settings)
    with socket_for(settings) as socket:
        write_workspace(settings, socket)
        assert not answers(socket)
        assert not request_reload(settings)


@pytest.mark.parametrize("text", ["[", "load_from: 3", "load_from: []", ""])
def test_a_workspace_file_that_can_t_be_read_is_named(scratch: Path, text: str) -> None:
    settings = home(scratch / "odd-home")
    with socket_for(settings) as socket:
        write_workspace(settings, socket).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"workspace\.yaml"):
        request_reload(settings)


def test_one_home_has_one_running_system(scratch: Path) -> None:
    settings = home(scratch / "one-home")
    with alone(settings), pytest.raises(UsageError, match="runs already"), alone(settings):
        pass
    with alone(settings):
        pass
