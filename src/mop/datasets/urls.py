"""Addresses of datasets. A dataset may bear any word as its name: fixed words stay out of `datasets/`."""

from __future__ import annotations

from django.urls import path

from mop.datasets.views import changes, decisions, detail, listing, owners, wizard

app_name = "datasets"
urlpatterns = [
    path("datasets/", listing.datasets, name="datasets"),
    path("live/datasets/", listing.live_datasets, name="live_datasets"),
    path("add-datasets/", wizard.file_step, name="add_datasets"),
    path("add-datasets/principal/", wizard.principal, name="principal"),
    path("add-datasets/<str:draft>/", wizard.datasets_step, name="label_columns"),
    path("datasets/<str:name>/", detail.dataset, name="dataset"),
    path("live/datasets/<str:name>/", detail.live_dataset, name="live_dataset"),
    path("datasets/<str:name>/faults.csv", detail.faults_csv, name="faults"),
    path("datasets/<str:name>/description/", changes.description, name="description"),
    path("datasets/<str:name>/owners/add/", owners.owner_add, name="add_owner"),
    path("datasets/<str:name>/owners/remove/", owners.owner_remove, name="remove_owner"),
    path("datasets/<str:name>/tasks/", changes.tasks, name="tasks"),
    path("datasets/<str:name>/retry/", changes.retry, name="retry"),
    path("datasets/<str:name>/cancel/", changes.cancel, name="cancel"),
    path("datasets/<str:name>/outdated/", changes.outdated, name="outdated"),
    path("datasets/<str:name>/delete/", changes.delete, name="delete"),
    path("connection-requests/<int:binding_id>/approve/", decisions.approve_request, name="approve"),
    path("connection-requests/<int:binding_id>/reject/", decisions.reject_request, name="reject"),
]
