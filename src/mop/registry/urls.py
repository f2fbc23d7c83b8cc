"""Addresses of models and revisions. A model may bear any word as its name: fixed words stay out of `models/`."""

from __future__ import annotations

from django.urls import path

from mop.registry.views import (
    changes,
    compare,
    deletion,
    detail,
    editing,
    groups,
    listing,
    publishing,
    selection,
    upgrade,
    wizard,
)

app_name = "registry"
urlpatterns = [
    path("models/", listing.models, name="models"),
    path("live/models/", listing.live_models, name="live_models"),
    path("model-selection/", selection.selection, name="selection"),
    path("delete-models/", selection.delete_models, name="delete_models"),
    path("groups/", groups.groups, name="groups"),
    path("groups/add/", groups.add, name="add_group"),
    path("groups/<int:group_id>/rename/", groups.rename, name="rename_group"),
    path("groups/<int:group_id>/share/", groups.share, name="share_group"),
    path("groups/<int:group_id>/share/<int:share_id>/end/", groups.unshare, name="unshare_group"),
    path("groups/<int:group_id>/show/", groups.show, name="show_group"),
    path("groups/<int:group_id>/hide/", groups.hide, name="hide_group"),
    path("groups/<int:group_id>/delete/", groups.delete, name="delete_group"),
    path("add-model/", wizard.model_step, name="add_model"),
    path("add-model/principal/", wizard.principal, name="principal"),
    path("add-model/keep/", wizard.keep_typed, name="keep_typed"),
    path("add-model/draft/<str:draft>/keep/", wizard.keep_typed, name="keep_draft"),
    path("add-model/draft/<str:draft>/", wizard.model_step, name="continue_model"),
    path("add-model/draft/<str:draft>/tasks/", wizard.tasks_step, name="connect_tasks"),
    path("version-columns/", detail.history_columns, name="history_columns"),
    path("models/<str:name>/", detail.model, name="model"),
    path("live/models/<str:name>/", detail.live_history, name="live_history"),
    path("models/<str:name>/description/", editing.description, name="description"),
    path("models/<str:name>/intended-use/", editing.intended_use, name="intended_use"),
    path("models/<str:name>/limits/", editing.limits, name="limits"),
    path("models/<str:name>/tags/", editing.tags, name="tags"),
    path("models/<str:name>/groups/", groups.put_model, name="model_groups"),
    path("models/<str:name>/owners/add/", changes.owner_add, name="add_owner"),
    path("models/<str:name>/owners/remove/", changes.owner_remove, name="remove_owner"),
    path("models/<str:name>/upgrade/", upgrade.upgrade, name="upgrade"),
    path("models/<str:name>/delete/", deletion.model, name="delete_model"),
    path("models/<str:name>/compare/", compare.compare, name="compare"),
    path("models/<str:name>/versions/<str:version>/", detail.details, name="revision"),
    path("live/models/<str:name>/versions/<str:version>/", detail.live_details, name="live_details"),
    path("models/<str:name>/versions/<str:version>/note/", changes.note, name="note"),
    path("models/<str:name>/versions/<str:version>/hosts/", changes.allowed_hosts, name="allowed_hosts"),
    path("models/<str:name>/versions/<str:version>/publish/", publishing.publish, name="publish"),
    path("models/<str:name>/versions/<str:version>/unpublish/", publishing.unpublish, name="unpublish"),
    path("models/<str:name>/versions/<str:version>/outdated/", publishing.outdated, name="outdated"),
    path("models/<str:name>/versions/<str:version>/retry/", changes.retry, name="retry"),
    path("models/<str:name>/versions/<str:version>/cancel/", changes.cancel, name="cancel"),
    path("models/<str:name>/versions/<str:version>/delete/", deletion.revision, name="delete_revision"),
]
