"""The demo, with a crowd as small as it can be."""

import httpx
import pytest

from examples.demo import demonstrate
from examples.tabular import tabular_crowd
from harness.local_studio import LocalStudio


@pytest.mark.studio
def test_the_demo_ends_with_a_report_and_the_address_of_the_pages(tmp_path, capfd):
    crowd = tabular_crowd(n_tasks=24)
    with LocalStudio(tmp_path / "label-studio") as studio:
        shown = demonstrate(studio, crowd, tmp_path)
        assert shown.followed, "the queue was followed"
        report = shown.report.read_text()
        assert crowd.title in report
        assert "What to do next" in report
        assert str(shown.report) in capfd.readouterr().out.replace("\n", "")
        with shown.plugin.serving() as pages:
            page = httpx.get(f"{pages}/projects/{shown.plugin.project}", trust_env=False, timeout=60)
            assert page.status_code == 200
            assert crowd.title in page.text
