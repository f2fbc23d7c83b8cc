import django.db.models.deletion
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
    ]
