"""Which addresses accounts have and had."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


def keep_present_ones(apps: Any, _schema_editor: object) -> None:
    """Write down the addresses that accounts have now."""
    users = apps.get_model("accounts", "User").objects.exclude(email="").values_list("pk", "email")
    kept = apps.get_model("accounts", "UserEmail").objects
    kept.bulk_create([kept.model(user_id=pk, email=email.strip().casefold()) for pk, email in users])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_people")]

    operations = [
        migrations.CreateModel(
            name="UserEmail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.CharField(db_index=True, max_length=254)),
                ("first_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="emails", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "email"), name="each_address_once_of_a_user")
                ],
            },
        ),
        migrations.RunPython(keep_present_ones, migrations.RunPython.noop),
    ]
