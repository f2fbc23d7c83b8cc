from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0002_revision_allowed_hosts'),
    ]

    operations = [
        migrations.AddField(
            model_name='revision',
            name='server',
            field=models.CharField(choices=[('mop', 'mop'), ('gunicorn', 'gunicorn')], default='mop', max_length=16),
        ),
    ]
