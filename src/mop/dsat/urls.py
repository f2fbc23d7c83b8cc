"""Addresses of DSAT cases."""

from __future__ import annotations

from django.urls import path

from mop.dsat.views import adding, case, changes, listing, selection

app_name = "dsat"
urlpatterns = [
    path("dsat/", listing.cases, name="cases"),
    path("dsat-selection/close/", selection.close, name="close_selected"),
    path("dsat-selection/assign/", selection.assign, name="assign_selected"),
    path("dsat-selection/delete/", selection.delete, name="delete_selected"),
    path("add-dsat/", adding.add, name="add"),
    path("dsat-imports/", adding.imports, name="imports"),
    path("dsat-imports/<uuid:import_id>/", adding.import_page, name="import"),
    path("live/dsat-imports/<uuid:import_id>/", adding.live_import, name="live_import"),
    path("dsat-imports/<uuid:import_id>/faults.csv", adding.faults_csv, name="faults"),
    path("dsat-imports/<uuid:import_id>/cancel/", adding.cancel, name="cancel_import"),
    path("dsat-imports/<uuid:import_id>/delete/", adding.delete, name="delete_import"),
    path("dsat/<int:case_id>/", case.case, name="case"),
    path("dsat/<int:case_id>/open/", case.open_content, name="open"),
    path("dsat/<int:case_id>/comment/", case.comment, name="comment"),
    path("dsat/<int:case_id>/edit/", changes.edit, name="edit"),
    path("dsat/<int:case_id>/assign/", changes.assign, name="assign"),
    path("dsat/<int:case_id>/confirm/", changes.confirm, name="confirm"),
    path("dsat/<int:case_id>/fix/", changes.fix, name="fix"),
    path("dsat/<int:case_id>/reject/", changes.reject, name="reject"),
    path("dsat/<int:case_id>/close/", changes.close, name="close"),
    path("dsat/<int:case_id>/reopen/", changes.reopen, name="reopen"),
    path("dsat/<int:case_id>/restrict/", changes.restrict, name="restrict"),
    path("dsat/<int:case_id>/delete/", changes.delete, name="delete"),
    path("tasks/<int:task_id>/dsat-access/", changes.grant, name="grant"),
    path("tasks/<int:task_id>/dsat-access/<int:grant_id>/withdraw/", changes.withdraw_grant, name="withdraw"),
]
