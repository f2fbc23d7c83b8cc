"""Limits that administrators give single teams."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_user_emails")]

    operations = [
        migrations.CreateModel(
            name="TeamLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quota", models.CharField(max_length=40)),
                ("limit", models.PositiveBigIntegerField(help_text="0: none")),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.team"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("team", "quota"), name="one_limit_per_team_and_quota")],
            },
        ),
    ]
