from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_kinds_of_areas")]

    operations = [
        migrations.RenameField("alert", "mend", "hint"),
        migrations.RenameField("notification", "mend", "hint"),
        migrations.AlterField(
            "alert", "cause", models.CharField(help_text="digest of the fault's name and hint", max_length=64)
        ),
    ]
