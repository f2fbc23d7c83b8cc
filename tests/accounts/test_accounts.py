from __future__ import annotations

import pytest

from mop.accounts.models import Team, User
from mop.accounts.selectors import get_team, get_user, visible_teams
from mop.accounts.services import add_member, change_access, create_team, create_user, ensure_team, remove_member
from mop.errors import ConflictError, NotFoundError, ValidationFailedError
from support.factories import ACTOR, PASSWORD, make_team, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def test_a_new_user_gets_a_personal_team():
    user = make_user("ada")
    team = user.teams.get()
    assert (team.name, team.is_personal) == ("ada", True)


def test_a_taken_team_name_does_not_keep_anybody_without_a_team():
    create_team(actor=ACTOR, name="ada")
    create_team(actor=ACTOR, name="ada (personal)")
    assert make_user("ada").teams.get().name.startswith("ada ")


def test_who_has_a_team_gets_no_further_one_and_shared_teams_come_first():
    team = make_team("zebra")
    user = make_user(teams=(team,))
    assert ensure_team(actor=ACTOR, user=user) == team
    assert user.teams.count() == 2


def test_who_leaves_their_last_team_gets_a_personal_one():
    user = make_user("ada")
    first = user.teams.get()
    remove_member(actor=ACTOR, team=first, user=user)
    assert user.teams.get().name == "ada (personal)"
    assert user.teams.get() != first


def test_joining_and_leaving_twice_changes_nothing():
    user, team = make_user(), make_team()
    for _ in range(2):
        add_member(actor=ACTOR, team=team, user=user)
    assert user.teams.count() == 2
    for _ in range(2):
        remove_member(actor=ACTOR, team=team, user=user)
    assert user.teams.count() == 1


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [
        ("ada", "short", "password"),
        ("ada", "1234567890", "password"),
        ("adalovelace", "adalovelace1", "password"),
        ("", PASSWORD, "username"),
        ("a b", PASSWORD, "username"),
    ],
)
def test_weak_passwords_and_odd_names_are_refused(username: str, password: str, field: str):
    with pytest.raises(ValidationFailedError) as caught:
        create_user(actor=ACTOR, username=username, password=password)
    assert list(caught.value.fields) == [field]


def test_user_and_team_names_are_unique():
    make_user("ada")
    with pytest.raises(ValidationFailedError):
        make_user("ada")
    with pytest.raises(ValidationFailedError):
        create_team(actor=ACTOR, name="ada")
    with pytest.raises(ValidationFailedError):
        create_team(actor=ACTOR, name="")


def test_without_a_password_nobody_signs_in():
    user = create_user(actor=ACTOR, username="robot", password=None)
    assert not user.has_usable_password()


def test_personal_teams_of_others_are_not_shown_except_to_administrators():
    ada, team = make_user("ada"), make_team("shared")
    bob, administrator = make_user("bob"), make_user("root", is_administrator=True)
    assert [(row.name, row.is_member) for row in visible_teams(bob)] == [("bob", True), ("shared", False)]
    assert set(visible_teams(administrator)) == set(Team.objects.all())
    assert get_team(bob, "shared") == team
    with pytest.raises(NotFoundError):
        get_team(bob, ada.username)


def test_a_kept_out_user_is_not_found():
    make_user(is_administrator=True)
    change_access(actor=ACTOR, user=make_user("ada"), is_active=False, is_administrator=False)
    with pytest.raises(NotFoundError):
        get_user("ada")


def test_the_last_administrator_stays_one():
    first = make_user(is_administrator=True)
    for active, administrator in ((False, True), (True, False)):
        with pytest.raises(ConflictError):
            change_access(actor=ACTOR, user=first, is_active=active, is_administrator=administrator)
    second = make_user()
    change_access(actor=ACTOR, user=second, is_active=True, is_administrator=True)
    change_access(actor=ACTOR, user=first, is_active=True, is_administrator=False)
    first.refresh_from_db()
    assert (first.is_administrator, first.is_staff) == (False, False)


def test_who_changes_the_role_of_a_person_does_not_enable_an_account_that_was_disabled_meanwhile():
    make_user(is_administrator=True)
    person = make_user()
    as_read_before = User.objects.get(pk=person.pk)
    change_access(actor=ACTOR, user=person, is_active=False)
    change_access(actor=ACTOR, user=as_read_before, is_administrator=True)
    person.refresh_from_db()
    assert (person.is_active, person.is_superuser) == (False, True)
