"""The index of cases becomes one tree: what a case has in it stands with its content, not in a second index."""

import django.db.models.deletion
from django.db import migrations, models

_ROWS = 500


def _keep_terms(apps, _schema_editor):
    """Note with each case what it has in the index, as `mop.dsat.store` does it: 64-bit numbers, little-endian."""
    content, term = apps.get_model("dsat", "CaseContent"), apps.get_model("dsat", "CaseTerm")
    ids = list(content.objects.order_by("pk").values_list("pk", flat=True))
    for begin in range(0, len(ids), _ROWS):
        some = ids[begin : begin + _ROWS]
        terms: dict[int, list[bytes]] = {pk: [] for pk in some}
        for case_id, number in term.objects.filter(case_id__in=some).values_list("case_id", "term"):
            terms[case_id].append(number.to_bytes(8, "little", signed=True))
        rows = [content(pk=pk, terms=b"".join(numbers)) for pk, numbers in terms.items()]
        content.objects.bulk_update(rows, ["terms"])


def _without_row_ids(_apps, schema_editor):
    """SQLite keeps a table and the index of its key apart; this table is its key."""
    if schema_editor.connection.vendor != "sqlite":
        return
    schema_editor.execute(
        'CREATE TABLE "new__dsat_caseterm" ("term" bigint NOT NULL, "case_id" bigint NOT NULL, '
        'PRIMARY KEY ("term", "case_id")) WITHOUT ROWID'
    )
    schema_editor.execute('INSERT INTO "new__dsat_caseterm" SELECT term, case_id FROM "dsat_caseterm" ORDER BY 1, 2')
    schema_editor.execute('DROP TABLE "dsat_caseterm"')
    schema_editor.execute('ALTER TABLE "new__dsat_caseterm" RENAME TO "dsat_caseterm"')


class Migration(migrations.Migration):
    dependencies = [("dsat", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="casecontent",
            name="terms",
            field=models.BinaryField(
                default=b"", help_text="its terms in the index, 64-bit numbers: deletion finds them there"
            ),
            preserve_default=False,
        ),
        migrations.RunPython(_keep_terms, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="caseterm",
            name="case",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="terms",
                to="dsat.case",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("assignee__isnull", True)), fields=["state", "id"], name="dsat_case_unassigned"
            ),
        ),
        # Backwards, Django makes the table anew with row ids when it adds the index of the foreign key again.
        migrations.RunPython(_without_row_ids, migrations.RunPython.noop),
    ]
