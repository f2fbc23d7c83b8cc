"""Addresses of sign-in, below /accounts/: those that MOP links or that a sign-in leads through, no others of allauth.

There is no sign-up: people are invited, made by the operator or come from the provider. The names are allauth's, which
reverses them.
"""

from __future__ import annotations

from allauth.account.views import account_inactive, logout
from django.urls import path

from mop.accounts import security_views as security
from mop.accounts import sign_in_views as views
from mop.accounts.views import change_password

urlpatterns = [
    path("login/", views.SignInView.as_view(), name="account_login"),
    path("login/cancelled/", views.cancelled, name="socialaccount_login_cancelled"),
    path("oidc/<str:provider_id>/login/", views.begin_single_sign_on, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", views.end_single_sign_on, name="openid_connect_callback"),
    path("logout/", logout, name="account_logout"),
    path("inactive/", account_inactive, name="account_inactive"),  # a right sign-in to a disabled account leads here
    path("password/change/", change_password, name="account_change_password"),
    path("password/reset/", security.request_reset, name="account_reset_password"),
    path("password/reset/<str:uid>/<str:key>/", security.reset, name="account_reset_password_from_key"),
    path("invitation/<str:secret>/", security.invitation, name="invitation"),
    path("reauthenticate/", security.reauthenticate, name="account_reauthenticate"),
    path("security/", security.security, name="mfa_index"),
    path("security/keys/", security.security, name="mfa_list_webauthn"),
    path("2fa/authenticate/", security.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", security.reauthenticate_by_code, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", security.activate_totp, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", security.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", security.recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", security.new_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/keys/add/", security.add_passkey, name="mfa_add_webauthn"),
    path("2fa/keys/login/", security.login_by_passkey, name="mfa_login_webauthn"),
    path("2fa/keys/reauthenticate/", security.reauthenticate_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("2fa/keys/<int:pk>/remove/", security.remove_passkey, name="mfa_remove_webauthn"),
]
