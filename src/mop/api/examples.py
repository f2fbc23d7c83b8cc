"""Examples of bodies in the API's description, by the names of their schemas. A test reads each with its schema."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "ModelIn": {
        "model_url": "https://account.blob.core.windows.net/models/toxicity",
        "connections": [{"task": "hate in text"}],
        "name": "toxicity",
        "note": "Trained on the data of November.",
        "load_test_option": "off",
    },
    "RevisionIn": {"model_url": "https://account.blob.core.windows.net/models/toxicity-2", "version": "v1.1.0"},
    "ModelPatch": {"description": "Toxicity in forum posts.", "tags": ["forum"]},
    "RevisionPatch": {"note": "The threshold of the second label is lower."},
    "OwnerIn": {"username": "olivia"},
    "AllowedHosts": {"hosts": ["api.example", "api.example:8443"]},
    "ConnectedTaskIn": {"task": "violence in text", "customized_name": "violence"},
    "LoadTestIn": {"option": "PerConcurrency"},
    "DatasetsIn": {
        "modality": "Text",
        "url": "https://account.blob.core.windows.net/eval/forum-2026",
        "language": "en",
        "datasets": [{"label_header": "hate", "name": "forum-hate", "label_type": "Binary", "tasks": ["hate in text"]}],
    },
    "DatasetPatch": {"description": "Posts of 2026.", "tasks": ["hate in text"]},
    "GroupIn": {"name": "candidates"},
    "GroupPatch": {"name": "candidates of spring"},
    "ShareIn": {"team": "safety"},
    "TaskIn": {
        "name": "hate in text",
        "team": "safety",
        "modality": "Text",
        "taxonomy": "Hate",
        "label_type": "Categorical",
        "labels": ["no", "yes"],
    },
    "TaxonomyIn": {"name": "Spam", "description": "Unwanted advertising."},
    "InstanceTypeIn": {"name": "Standard_F4s_v2", "vcpus": 4, "memory_gib": 8},
    "SourcePrefixIn": {
        "team": "safety",
        "purpose": "models",
        "prefix": "https://account.blob.core.windows.net/models/safety/",
    },
    "WebhookIn": {"url": "https://hooks.example.com/mop", "kinds": ["verified", "verifyFailed"]},
    "WebhookChange": {"kinds": None},
    "ReadAllIn": {"up_to": 1207},
    "TeamIn": {"name": "safety", "description": "Models of the safety group."},
}
