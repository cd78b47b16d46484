"""What a run compiles while it waits for Label Studio."""

import subprocess
import sys

SCORES = """
from label_studio_crowd.scoring.ahead import compile_ahead
compile_ahead().join()
from crowdcore.kernels.compiling import clock
ahead = clock.seconds
from harness.snapshots import made_up
made_up(60, 8, 200, 3)
print(ahead, clock.seconds - ahead)
"""


def test_a_scoring_finds_compiled_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", SCORES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ahead, afterwards = map(float, done.stdout.split())
    assert ahead > 1
    assert afterwards < 0.25 * ahead
