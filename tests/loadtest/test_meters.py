from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from mop.loadtest.utilization import Given, utilization
from mop.serving.gpus import Gpus
from mop.serving.meters import ProcessTree, ServiceMeter, cpus_of, disk_busy_s
from mop.serving.service import UsageSample
from support.waiting import wait_for

NS = 1_000_000_000
GIVEN = Given(cpus=2, memory_bytes=1000)
BURNING = "import time\nwhile time.process_time() < 0.3: pass\n"


def test_a_tree_counts_the_cpu_of_children_that_live_and_of_those_that_were_reaped():
    script = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {BURNING!r}])\n"
        f"child = subprocess.Popen([sys.executable, '-c', {BURNING + 'input()'!r}])\n"
        "print('started', flush=True)\ninput()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "started\n"
            tree = ProcessTree(process.pid)
            wait_for(lambda: (tree.cpu_s() or 0) >= 0.5, seconds=60, what="both burnt 0.3 s")
            assert len(tree.pids()) == 2
            assert (tree.memory_bytes() or 0) > 5 << 20
            assert cpus_of(tree.pids()) == os.sched_getaffinity(process.pid)
        finally:
            subprocess.run(["kill", "-9", *map(str, reversed(ProcessTree(process.pid).pids()))], check=False)


def test_a_tree_that_ended_is_not_known():
    process = subprocess.Popen(["true"])
    process.wait()
    sample = ServiceMeter(ProcessTree(process.pid))()
    assert (sample.cpu_s, sample.memory_bytes) == (None, None)
    assert cpus_of([process.pid]) == set()


def test_a_path_without_a_disk_of_its_own_has_no_busy_time():
    assert disk_busy_s(Path("/proc")) is None
    assert disk_busy_s(Path("/no/such/path")) is None


def test_the_disk_below_a_path_has_a_busy_time_that_does_not_fall():
    disks = [path for path in Path("/sys/dev/block").glob("*/stat") if path.read_text().split()[9:]]
    mounted = [
        line.split()[4]
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
        if any(line.split()[2] == disk.parent.name for disk in disks)
    ]
    if not mounted:
        assert disk_busy_s(Path("/")) is None
        return
    first = disk_busy_s(Path(mounted[0]))
    assert first is not None
    assert 0 <= first <= (disk_busy_s(Path(mounted[0])) or 0)


def test_gpus_tell_shares_and_a_host_without_a_driver_has_none():
    if (gpus := Gpus.open()) is None:
        with pytest.raises(pynvml.NVMLError):
            pynvml.nvmlInit()
    else:
        assert all(share is None or 0 <= share <= 1 for share in gpus.shares())


def test_shares_of_several_gpus_are_averaged_and_a_driver_that_fails_tells_nothing(monkeypatch: pytest.MonkeyPatch):
    """What NVML answers, as its documentation tells; no GPU is needed."""
    answers = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=(40, 100)[handle], memory=1),
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=80, used=(8, 40)[handle]),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    both, second = Gpus.open(), Gpus.open((1,))
    assert both is not None
    assert second is not None
    assert both.shares() == (pytest.approx(0.7), pytest.approx(0.3))
    assert second.shares() == (1, 0.5)

    def fail(_handle: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", fail)
    assert both.shares() == (None, None)


def test_utilization_is_the_average_over_the_step_alone():
    samples = [
        UsageSample(0, cpu_s=0, memory_bytes=900),
        UsageSample(1 * NS, cpu_s=100, memory_bytes=100, disk_busy_s=5, gpu=0.5, gpu_memory=0.1),
        UsageSample(2 * NS, cpu_s=100.5, memory_bytes=300, disk_busy_s=5.5, gpu=None, gpu_memory=None),
        UsageSample(3 * NS, cpu_s=102, memory_bytes=500, disk_busy_s=5.5, gpu=1.0, gpu_memory=0.3),
        UsageSample(4 * NS, cpu_s=500, memory_bytes=900),
    ]
    used = utilization(samples, 1 * NS, 3 * NS, GIVEN)
    assert used is not None
    assert (used.cpu, used.memory, used.disk, used.gpu) == (50, 30, 25, 75)
    assert used.gpu_memory == pytest.approx(20)


def test_what_is_not_known_is_none_and_too_few_samples_are_nothing():
    samples = [UsageSample(1 * NS, cpu_s=3.0), UsageSample(2 * NS, cpu_s=2.0)]
    used = utilization(samples, 0, 3 * NS, GIVEN)
    assert used is not None
    assert (used.cpu, used.memory, used.disk, used.gpu, used.gpu_memory) == (0, None, None, None, None)
    assert utilization(samples, 0, 1 * NS, GIVEN) is None
    assert utilization([], 0, 9 * NS, GIVEN) is None
