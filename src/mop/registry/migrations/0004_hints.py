from django.db import migrations, models

from mop.engine.json_migrations import rename_key


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_revision_server")]

    operations = [
        rename_key("registry", "revision", "error", old="mend", new="hint"),
        migrations.AlterField(
            "revision",
            "error",
            models.JSONField(blank=True, help_text="the catalogue error: name, message, hint, place, also", null=True),
        ),
    ]
