from django.db import migrations

from mop.registry.summaries import summary


def fill(apps, _schema_editor):
    """Write what the rows of models tell of their versions; columns of later migrations are not there yet."""
    model, revision = apps.get_model("registry", "Model"), apps.get_model("registry", "Revision")
    columns = {field.name for field in model._meta.get_fields()}
    found = summary(revision.objects.all())
    model.objects.update(**{name: value for name, value in found.items() if name in columns})


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_owners")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
