"""The form of a new passkey in the portal's words. Named in the settings MFA_FORMS."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc] # allauth is untyped
    """A name, and whether the key signs in alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "What tells it from your other keys."
        self.fields["passwordless"].label = "Sign in with it alone, without a password"
        self.fields["passwordless"].help_text = "The device has to ask for a fingerprint, a face or a PIN."
