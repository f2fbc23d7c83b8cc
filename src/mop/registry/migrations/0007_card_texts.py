from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_model_summaries")]

    operations = [
        migrations.AddField(
            model_name="model",
            name="intended_use",
            field=models.TextField(blank=True, default="", help_text="for the model card", max_length=5000),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="model",
            name="limits",
            field=models.TextField(
                blank=True, default="", help_text="what it is not for; for the model card", max_length=5000
            ),
            preserve_default=False,
        ),
    ]
