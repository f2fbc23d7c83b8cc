"""Addresses of access tokens and teams."""

from __future__ import annotations

from django.urls import path

from mop.accounts import administration_views as administration
from mop.accounts import security_views, views

app_name = "accounts"
urlpatterns = [
    path("account/tokens/", views.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", views.revoke, name="revoke_token"),
    path("account/tokens/<int:token_id>/rotate/", views.rotate, name="rotate_token"),
    path("account/sessions/<int:session_id>/end/", security_views.end_one, name="end_session"),
    path("account/sessions/end-others/", security_views.end_others, name="end_other_sessions"),
    path("account/", views.account, name="account"),
    path("account/quotas/", views.quotas_of_teams, name="quotas"),
    path("users/", administration.people, name="users"),
    path("users/invite/", administration.invite_person, name="invite"),
    path("users/invitations/<int:invitation_id>/withdraw/", administration.withdraw, name="withdraw_invitation"),
    path("users/<int:user_id>/", administration.person, name="user"),
    path("users/<int:user_id>/access/<str:change>/", administration.access, name="change_access"),
    path("users/<int:user_id>/end/<str:what>/", administration.end_all, name="end_access"),
    path("users/<int:user_id>/reset-link/", administration.reset_link, name="reset_link"),
    path("users/<int:user_id>/reassign/", administration.reassign, name="reassign"),
    path("people/", views.people, name="people"),
    path("teams/", views.teams, name="teams"),
    path("teams/<int:team_id>/", views.team, name="team"),
    path("teams/<int:team_id>/change/", views.change_one_team, name="change_team"),
    path("teams/<int:team_id>/delete/", views.delete_one_team, name="delete_team"),
    path("teams/<int:team_id>/quotas/<str:quota>/", views.limit_of_team, name="team_limit"),
    path("teams/<int:team_id>/members/add/", views.add_team_member, name="add_member"),
    path("teams/<int:team_id>/members/remove/", views.remove_team_member, name="remove_member"),
]
