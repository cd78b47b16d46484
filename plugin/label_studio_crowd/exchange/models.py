"""The models that are annotators: which they are, and what they answered."""

from __future__ import annotations

from label_studio_crowd.project import Project
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.rows import as_time
from label_studio_crowd.studio.records import VersionState
from label_studio_crowd.studio.versions import check_models, is_ours


def models_of(settings: Settings) -> tuple[str, ...]:
    """Return the model versions whose predictions are answers.

    Raises
    ------
    UserError
        If one of them is ours.
    """
    versions = settings.names("model_annotators")
    check_models(versions)
    return versions


def update_model_answers(project: Project, *, anew: bool = False) -> bool:
    """Bring the store up to the models' predictions in Label Studio; return whether more was missing than a pull saw.

    A prediction that is made, changed or deleted by itself moves its task's `updated_at`, and a pull reads it with the
    task. Imports and deletions of a whole version leave no such trace, nor does any of them send an event: they are
    found by how many predictions a version has, and when the newest was made.

    Parameters
    ----------
    anew
        Read them all, whatever the numbers say.
    """
    versions, kept = models_of(project.settings), project.store.model_answers
    project.store.people.keep_models(versions)
    known = kept.states()
    if not versions and not known:
        return False
    there = project.studio.model_versions(project.number) if versions else {}
    wanted = {name: _as_kept(state) for name, state in there.items() if name in versions}
    if known == wanted and not anew:
        return False
    rows = project.studio.prediction_rows(project.number) if wanted else []
    return kept.replace(rows, versions)


def _as_kept(state: VersionState) -> VersionState:
    return VersionState(state.count, as_time(state.latest))


def other_versions(project: Project) -> list[str]:
    """Return the model versions of others that the project has, by name."""
    return sorted(version for version in project.studio.model_versions(project.number) if not is_ours(version))
