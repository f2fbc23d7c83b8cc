from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_shared_counts")]

    operations = [migrations.RenameField("personalaccesstoken", "hint", "prefix")]
