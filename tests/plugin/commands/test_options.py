from label_studio_crowd.commands.options import SCORING
from label_studio_crowd.settings import PROJECT_OPTIONS

WITHOUT_A_FLAG = {"retrain_share", "retrain_hours", "consensus_changes"}  # README says so


def test_every_option_that_connect_remembers_has_a_flag():
    """Both lists are spelt out, because importing the settings takes longer than `--help` may."""
    assert tuple(name for name in PROJECT_OPTIONS if name not in WITHOUT_A_FLAG) == SCORING
