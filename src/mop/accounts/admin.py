"""The admin site's part of what has no page: who may sign in, and who is an administrator."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.admin import EmailAddress
from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from mop.accounts.addresses import client_address
from mop.accounts.models import User
from mop.accounts.services import actor_of, change_access

# one sign-in page, with its limits on guessing
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.unregister(Group)  # teams, not groups, say who belongs together
admin.site.unregister(EmailAddress)  # nothing of MOP reads it
# second factors and accounts at the provider have pages of their own; the provider stands in the settings
for model in (Authenticator, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic for the type checker only
    """Accounts: enable, disable, make administrator. `mop createuser` adds them; the audit log keeps them."""

    list_display = ("username", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("username",)
    fields = ("username", "is_active", "is_superuser", "last_login", "date_joined")
    readonly_fields = ("username", "last_login", "date_joined")
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the base class's signature
        """Nobody: an account needs a password, which its owner types."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002 - as above
        """Nobody: what a user made stays theirs."""
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A field that sends along what the page showed, so that a page which is old brings nothing back."""
        return super().formfield_for_dbfield(db_field, request, **kwargs, show_hidden_initial=True)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        """Change access by the service, which records it."""
        who = cast("User", request.user)
        given = {name: form.cleaned_data[name] for name in form.changed_data}
        change_access(
            actor=actor_of(who, client_address(request)),
            user=obj,
            is_active=given.get("is_active"),
            is_administrator=given.get("is_superuser"),
        )
