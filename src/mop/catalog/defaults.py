"""What ships with MOP: taxonomies, and machine sizes as Azure publishes them."""

from __future__ import annotations

from dataclasses import dataclass

TAXONOMIES: tuple[tuple[str, str], ...] = (
    ("Hate", "Attacks or discriminates against people for what they are."),
    ("Self-harm", "Describes, encourages or instructs harm to oneself."),
    ("Violence", "Describes, threatens or glorifies physical harm."),
    ("Sexual", "Describes anatomy, acts or solicitation of a sexual nature."),
    ("Jailbreak", "Tries to turn a model against its instructions."),
    ("Defensive", "Answers of a model that deflect, refuse or lecture."),
)


@dataclass(frozen=True)
class Size:
    """One machine size: vCPUs, memory in GiB, GPUs."""

    name: str
    vcpus: int
    memory_gib: float
    gpus: int = 0
    gpu_name: str = ""


DEFAULT_INSTANCE_TYPE = "Standard_F4s_v2"

# vCPU, memory and GPU counts from Azure's public "Sizes for virtual machines" pages
INSTANCE_TYPES: tuple[Size, ...] = (
    Size("Standard_F2s_v2", 2, 4),
    Size("Standard_F4s_v2", 4, 8),
    Size("Standard_F8s_v2", 8, 16),
    Size("Standard_F16s_v2", 16, 32),
    Size("Standard_F32s_v2", 32, 64),
    Size("Standard_F64s_v2", 64, 128),
    Size("Standard_F72s_v2", 72, 144),
    Size("Standard_DS2_v2", 2, 7),
    Size("Standard_DS3_v2", 4, 14),
    Size("Standard_DS4_v2", 8, 28),
    Size("Standard_DS5_v2", 16, 56),
    Size("Standard_D2s_v3", 2, 8),
    Size("Standard_D4s_v3", 4, 16),
    Size("Standard_D8s_v3", 8, 32),
    Size("Standard_E2s_v3", 2, 16),
    Size("Standard_E4s_v3", 4, 32),
    Size("Standard_E8s_v3", 8, 64),
    Size("Standard_NC4as_T4_v3", 4, 28, 1, "NVIDIA T4"),
    Size("Standard_NC8as_T4_v3", 8, 56, 1, "NVIDIA T4"),
    Size("Standard_NC16as_T4_v3", 16, 110, 1, "NVIDIA T4"),
    Size("Standard_NC64as_T4_v3", 64, 440, 4, "NVIDIA T4"),
    Size("Standard_NC6s_v3", 6, 112, 1, "NVIDIA V100"),
    Size("Standard_NC24ads_A100_v4", 24, 220, 1, "NVIDIA A100"),
    Size("Standard_NC40ads_H100_v5", 40, 320, 1, "NVIDIA H100"),
)
