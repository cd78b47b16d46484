"""What `export` writes."""

from label_studio_crowd.files.tables import tables
from tests.plugin.pages.insights.small_projects import outweighed


def test_the_export_flags_where_the_model_disagrees_and_gives_both_labels():
    rows = tables(outweighed("a", "a"), {}).tasks.set_index("task")
    assert rows.index[rows.model_disagrees].tolist() == [13]
    flagged = rows.loc[13]
    assert (flagged.consensus, flagged.majority_vote, flagged.settled) == ("c", "a", False)
    assert (flagged.quality > 0.5, flagged.agreement) == (True, 0)
    assert rows.predicted.isna().all()  # of tasks without labels only
