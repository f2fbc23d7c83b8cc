from django.db import migrations

from mop.engine.json_migrations import rename_key


class Migration(migrations.Migration):
    dependencies = [("findings", "0001_initial")]

    operations = [
        migrations.RenameField("scanfinding", "mend", "hint"),
        rename_key("findings", "rescan", "failure", old="mend", new="hint"),
    ]
