from django.db import migrations, models

from mop.engine.json_migrations import rename_key


class Migration(migrations.Migration):
    dependencies = [("loadtest", "0001_initial")]

    operations = [
        rename_key("loadtest", "loadtest", "error", old="mend", new="hint"),
        migrations.AlterField(
            "loadtest",
            "error",
            models.JSONField(blank=True, help_text="the catalogue error: name, message, hint, place, also", null=True),
        ),
    ]
