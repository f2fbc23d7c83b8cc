from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from mop.cli.examination import NOTE, OK, _sources
from mop.errors import ModelUrlForbiddenError, ModelUrlNotFoundError, ValidationFailedError
from mop.sources.configured import read_prefixes
from mop.sources.prefixes import allowed, teams_without_places
from mop.sources.purposes import Purpose
from mop.sources.services import add_prefix, remove_prefix
from mop.storage.file_source import FileSource
from mop.storage.urls import FileLocation
from support.factories import ACTOR, make_team, make_user

pytestmark = pytest.mark.django_db

ACCOUNTS = (
    '[{"name": "shared", "account_key": "c2VjcmV0"}, {"name": "other", "account_key": "c2VjcmV0"},'
    ' {"name": "emulated", "endpoint": "http://127.0.0.1:10000/emulated", "account_key": "c2VjcmV0"}]'
)
SHARED = "https://shared.blob.core.windows.net"


@pytest.fixture(autouse=True)
def _installation(settings: Settings, tmp_path: Path) -> None:
    settings.MOP_FILE_ROOTS = (tmp_path,)
    settings.MOP_AZURE_ACCOUNTS = ACCOUNTS
    settings.MOP_SOURCE_PREFIXES = ""


def give(team: object, prefix: str, purpose: Purpose = Purpose.MODELS) -> object:
    return add_prefix(
        actor=ACTOR,
        user=make_user(is_administrator=True),
        team=team,  # type: ignore[arg-type] # a team or None
        purpose=purpose,
        prefix=prefix,
    )


def test_a_team_reads_below_its_own_prefixes_alone(tmp_path: Path):
    blue, red = make_team("blue"), make_team("red")
    give(blue, f"file://{tmp_path}/blue")
    give(red, f"{SHARED}/models/red/")
    assert str(allowed(blue, Purpose.MODELS, f"file://{tmp_path}/blue/hate/v1")) == f"file://{tmp_path}/blue/hate/v1"
    assert allowed(blue, Purpose.MODELS, f"file://{tmp_path}/blue")
    assert allowed(red, Purpose.MODELS, f"{SHARED}/models/red/hate")
    for team, url in ((red, f"file://{tmp_path}/blue/hate"), (blue, f"{SHARED}/models/red/hate")):
        with pytest.raises(ModelUrlForbiddenError) as caught:
            allowed(team, Purpose.MODELS, url)
        other = "blue" if team is red else "red"
        assert f"The team {team.name} may not read models" in caught.value.message
        assert f"/{other}," not in caught.value.message
        assert "ask an administrator" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "file://{root}/blue2/hate",
        "file://{root}/blu",
        "file://{root}",
        "file://{root}/Blue/hate",
        "file://{root}/blue /hate",
        "https://shared.blob.core.windows.net/models/blue2",
        "https://shared.blob.core.windows.net/models",
        "https://shared.blob.core.windows.net/models/Blue/x",
        "https://shared.blob.core.windows.net/model/blue/x",
        "https://shared.blob.core.windows.net/models/%20blue/x",
        "https://other.blob.core.windows.net/models/blue/x",
        "http://127.0.0.1:10000/emulated/models/blue/x",
    ],
)
def test_a_neighbour_of_a_prefix_is_refused(url: str, tmp_path: Path):
    blue = make_team("blue")
    give(blue, f"file://{tmp_path}/blue")
    give(blue, f"{SHARED}/models/blue")
    with pytest.raises(ModelUrlForbiddenError, match="The team blue may not read"):
        allowed(blue, Purpose.MODELS, url.format(root=tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "file://{root}/blue/../red",
        "file://{root}/blue/%2e%2e/red",
        "file://{root}/blue/.%2E/red",
        "file://{root}/blue%2f..%2fred",
        "file://{root}/blue/%252e%252e/red",
        "file://{root}/blue//red",
        "file://{root}/blue/./red",
        "file://localhost{root}/blue",
        "https://shared.blob.core.windows.net/models/blue/../red",
        "https://shared.blob.core.windows.net/models/blue/%2e%2e/red",
        "https://shared.blob.core.windows.net/models/blue\\..\\red",
        "https://shared.blob.core.windows.net/models/blue%5c..%5cred",
        "https://shared.blob.core.windows.net/models/blue/%00",
        "https://shared.blob.core.windows.net/models//blue",
    ],
)
def test_a_way_around_a_prefix_is_no_url_at_all(url: str, tmp_path: Path):
    blue = make_team("blue")
    give(blue, f"file://{tmp_path}/blue")
    give(blue, f"{SHARED}/models/blue")
    with pytest.raises(ModelUrlNotFoundError):
        allowed(blue, Purpose.MODELS, url.format(root=tmp_path))


@pytest.mark.parametrize("written", ["https://SHARED.blob.core.windows.net/models/blue", f"{SHARED}:443/models/%62lue"])
def test_the_same_place_written_otherwise_is_the_same_place(written: str):
    blue = make_team("blue")
    give(blue, f"{SHARED}/models/blue")
    assert allowed(blue, Purpose.MODELS, f"{written}/x")


async def _read(location: FileLocation) -> None:
    source = FileSource(location)
    try:
        await source.list(at_most=10)
    finally:
        await source.close()


@pytest.mark.asyncio
async def test_a_link_from_ones_own_prefix_to_another_teams_folder_is_not_followed(tmp_path: Path):
    """The segments lie below the prefix, so the url is allowed; reading refuses the link."""
    (tmp_path / "red" / "model").mkdir(parents=True)
    (tmp_path / "red" / "model" / "weights").write_text("secret")
    (tmp_path / "blue").mkdir()
    (tmp_path / "blue" / "mine").symlink_to(tmp_path / "red" / "model")
    location = FileLocation(root=tmp_path, parts=("blue", "mine"))
    with pytest.raises(ModelUrlForbiddenError):
        await _read(location)


def test_a_root_that_is_a_link_is_the_folder_it_leads_to(tmp_path: Path, settings: Settings):
    (tmp_path / "real" / "blue").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    settings.MOP_FILE_ROOTS = (tmp_path / "link",)
    blue = make_team("blue")
    give(blue, f"file://{tmp_path}/link/blue")
    assert allowed(blue, Purpose.MODELS, f"file://{tmp_path}/real/blue/m")
    with pytest.raises(ModelUrlForbiddenError):
        allowed(blue, Purpose.MODELS, f"file://{tmp_path}/link/red")


def test_a_prefix_is_for_one_purpose(tmp_path: Path):
    blue = make_team("blue")
    give(blue, f"file://{tmp_path}/models", Purpose.MODELS)
    give(blue, f"file://{tmp_path}/data", Purpose.DATASETS)
    assert allowed(blue, Purpose.DATASETS, f"file://{tmp_path}/data/x")
    with pytest.raises(ModelUrlForbiddenError, match=f"datasets: file://{tmp_path}/data"):
        allowed(blue, Purpose.DATASETS, f"file://{tmp_path}/models/x")


def test_without_any_prefix_the_first_teams_have_every_place_and_others_none(tmp_path: Path):
    first = make_user("first").teams.get()
    shared, other, second = make_team("shared"), make_team("other"), make_user("second").teams.get()
    url = f"file://{tmp_path}/m"
    assert allowed(first, Purpose.MODELS, url)
    assert allowed(shared, Purpose.MODELS, url)
    for team in (other, second):
        with pytest.raises(ModelUrlForbiddenError, match="has no source prefix for models"):
            allowed(team, Purpose.MODELS, url)
    row = give(other, f"file://{tmp_path}/other")
    with pytest.raises(ModelUrlForbiddenError):
        allowed(first, Purpose.MODELS, url)
    assert allowed(first, Purpose.DATASETS, url)  # nobody said anything about datasets
    remove_prefix(actor=ACTOR, prefix=row)  # type: ignore[arg-type] # a row
    for team in (first, shared, other):  # what was taken from one team is nobody else's
        with pytest.raises(ModelUrlForbiddenError):
            allowed(team, Purpose.MODELS, url)


def test_prefixes_of_the_settings_and_of_every_team_count(tmp_path: Path, settings: Settings):
    settings.MOP_SOURCE_PREFIXES = (
        f'[{{"team": "blue", "purpose": "models", "prefix": "{SHARED}"}},'
        ' {"team": "*", "purpose": "datasets", "prefix": "*"}]'
    )
    blue, red = make_team("blue"), make_team("red")
    assert allowed(blue, Purpose.MODELS, f"{SHARED}/any/folder")
    assert allowed(red, Purpose.DATASETS, f"file://{tmp_path}/any")
    with pytest.raises(ModelUrlForbiddenError):
        allowed(red, Purpose.MODELS, f"{SHARED}/any/folder")
    give(None, f"file://{tmp_path}/public")
    assert allowed(red, Purpose.MODELS, f"file://{tmp_path}/public/m")


def test_a_prefix_whose_root_is_no_longer_configured_allows_nothing(tmp_path: Path, settings: Settings):
    blue = make_team("blue")
    give(blue, f"file://{tmp_path}/blue")
    settings.MOP_FILE_ROOTS = (tmp_path / "elsewhere",)
    with pytest.raises(ModelUrlForbiddenError, match="not under an allowed root"):
        allowed(blue, Purpose.MODELS, f"file://{tmp_path}/blue/m")


@pytest.mark.parametrize(
    "prefix", ["", "file:///etc", "https://elsewhere.blob.core.windows.net/c", "ftp://x/y", "/srv"]
)
def test_a_prefix_outside_the_configured_places_is_refused(prefix: str):
    with pytest.raises(ValidationFailedError) as caught:
        give(make_team(), prefix)
    assert list(caught.value.fields) == ["prefix"]


def test_the_same_prefix_twice_is_refused(tmp_path: Path):
    blue = make_team("blue")
    for team in (blue, None):
        give(team, f"file://{tmp_path}/x/")
        with pytest.raises(ValidationFailedError, match="has this prefix already"):
            give(team, f"file://{tmp_path}/x")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("{}", "write a JSON list"),
        ('[{"team": "a", "purpose": "models"}]', "entry 1: it must be an object"),
        ('[{"team": "a", "purpose": "models", "prefix": "*", "x": "y"}]', "entry 1: it must be an object"),
        ('[{"team": "a", "purpose": "logs", "prefix": "*"}]', "entry 1: purpose must be one of models, datasets"),
        ('[{"team": " ", "purpose": "models", "prefix": "*"}]', "entry 1: team must be a text"),
    ],
)
def test_a_setting_that_can_not_be_read_says_where(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        read_prefixes(text)


def test_the_doctor_names_shared_teams_that_may_read_nowhere(tmp_path: Path):
    blue, red = make_team("blue"), make_team("red")
    assert teams_without_places(Purpose.MODELS) == ["red"]  # the oldest shared team has every place by default
    give(red, f"file://{tmp_path}/red")
    assert teams_without_places(Purpose.MODELS) == ["blue"]
    (models, datasets) = list(_sources())
    assert (models.state, datasets.state) == (NOTE, NOTE)
    assert models.detail.endswith("nothing to read: blue")
    assert "--purpose models" in models.hint
    give(None, f"file://{tmp_path}/all")
    give(blue, f"file://{tmp_path}/blue", Purpose.DATASETS)
    give(red, f"file://{tmp_path}/red", Purpose.DATASETS)
    assert [finding.state for finding in _sources()] == [OK]
