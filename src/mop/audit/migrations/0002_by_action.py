from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.AddIndex(
            "auditevent", models.Index(fields=["action", "-id"], name="audit_by_action")
        ),
    ]
