"""Addresses of sign-in, below /accounts/: those that MOP links or that a sign-in leads through, no others of allauth.

There is no sign-up, no reset by mail, no list of addresses: operators make accounts and set passwords. The names are
allauth's, which reverses them.
"""

from __future__ import annotations

from allauth.account.views import account_inactive, login, logout
from django.urls import path

from mop.accounts.views import change_password

urlpatterns = [
    path("login/", login, name="account_login"),
    path("logout/", logout, name="account_logout"),
    path("inactive/", account_inactive, name="account_inactive"),  # a sign-in that is right but kept out leads here
    path("password/change/", change_password, name="account_change_password"),
]
