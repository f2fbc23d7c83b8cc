from __future__ import annotations

from pathlib import Path

from mop.serving.service_log import LINE_CHARACTERS, LineSplitter, ServiceLog
from serving.conftest import MakeModel, StartService
from serving.probes import reached


def test_the_file_is_capped_and_says_so(tmp_path: Path):
    path = tmp_path / "log"
    lines: list[str] = []
    log = ServiceLog(path, 1000, lines.append)
    for number in range(1000):
        log.write("process-1", f"line {number}")
    assert path.stat().st_size < 1200
    assert path.read_text().endswith("the log is full; later lines are left out\n")
    assert len(lines) == 1000
    assert log.tail("process-1", 2) == ["line 998", "line 999"]
    assert log.tail("process-2", 2) == []


def test_a_log_goes_on_where_an_earlier_one_stopped(tmp_path: Path):
    path = tmp_path / "log"
    for text in ("first", "second"):
        ServiceLog(path, 1000, lambda _: None).write("p", text)
    assert path.read_text() == "[p] first\n[p] second\n"


def test_lines_are_cut_from_any_pieces():
    lines: list[str] = []
    splitter = LineSplitter(lines.append)
    for piece in (b"on", b"e\ntwo\r\nth", b"ree", b"\n", b"\xff\n", b"rest"):
        splitter.feed(piece)
    splitter.close()
    assert lines == ["one", "two", "three", "\ufffd", "rest"]


def test_an_endless_line_is_cut_and_its_rest_dropped():
    lines: list[str] = []
    splitter = LineSplitter(lines.append)
    for _ in range(100):
        splitter.feed(b"x" * 1000)
    splitter.feed(b"end of it\nnext\n")
    assert lines == ["x" * LINE_CHARACTERS, "next"]


async def test_the_owner_reads_the_lines_of_all_processes(make_model: MakeModel, start: StartService, tmp_path: Path):
    path = tmp_path / "service.log"
    folder = make_model("def init(self, model_root): print('loaded')")
    service = await start(folder, workers=2, log_path=path)

    async def logged() -> bool:
        await service.score(1, mop=False)
        return {"[process-1] loaded", "[process-2] loaded"} <= set(service.log_lines(0))

    await reached(logged)
    seen = service.log_count
    assert service.log_lines(seen) == []
    assert path.read_text().splitlines()[:seen] == service.log_lines(0)


async def test_a_model_that_prints_without_end_does_not_stop_the_service(
    make_model: MakeModel, start: StartService, tmp_path: Path
):
    folder = make_model("""
        def init(self, model_root):
            def chatter():
                while True:
                    print("x" * 1000)
                    time.sleep(0.0005)
            threading.Thread(target=chatter, daemon=True).start()
    """)
    path = tmp_path / "service.log"
    service = await start(folder, log_path=path, max_log_bytes=50_000)

    async def full() -> bool:
        assert await service.score(1, mop=False) == {"echo": 1}
        return "the log is full" in path.read_text()

    await reached(full)
    assert path.stat().st_size < 60_000
