"""The table of the cache in which limits on guessing are counted."""

from django.core.management import call_command
from django.db import migrations

TABLE = "mop_cache"


def make_table(apps, schema_editor):
    call_command("createcachetable", TABLE, database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunPython(make_table, lambda apps, schema_editor: schema_editor.execute(f"DROP TABLE {TABLE}")),
    ]
