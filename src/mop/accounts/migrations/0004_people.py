import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


def write_scopes(apps, schema_editor):
    tokens = apps.get_model("accounts", "PersonalAccessToken")
    for scope in ("read", "write"):
        tokens.objects.filter(scope=scope).update(scopes=[f"all:{scope}"])


def write_scope(apps, schema_editor):
    """A token for some areas alone has no counterpart: it may read."""
    tokens = apps.get_model("accounts", "PersonalAccessToken")
    for token in tokens.objects.all():
        token.scope = "write" if "all:write" in token.scopes else "read"
        token.save(update_fields=["scope"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_token_prefix")]

    operations = [
        migrations.AddField(
            "personalaccesstoken",
            "scopes",
            models.JSONField(default=list, help_text="as mop.areas.scopes writes them"),
        ),
        migrations.AddField(
            "personalaccesstoken",
            "made_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="made",
                to="accounts.personalaccesstoken",
            ),
        ),
        migrations.RunPython(write_scopes, write_scope),
        migrations.RemoveField("personalaccesstoken", "scope"),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("is_administrator", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.team",
                    ),
                ),
            ],
            options={"ordering": ("-created_at", "-pk")},
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_key", models.CharField(editable=False, max_length=40, unique=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("address", models.CharField(blank=True, max_length=64)),
                ("browser", models.CharField(blank=True, max_length=200)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ("-seen_at", "-pk")},
        ),
    ]
