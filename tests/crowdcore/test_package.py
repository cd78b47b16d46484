"""What users import: the names of former versions, lightly, and none of them in the way of another."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import crowdcore
import label_studio_crowd

PUBLIC = {
    "crowdcore": """
        AnnotatorStats Crowd CrowdlabResult HierarchicalResult active_learning_scores activelab apply_temperature
        confidence_scores crowdlab fit_temperature hierarchical_dawid_skene least_confidence majority_vote
    """,
    "crowdcore.aggregate": """
        ActiveLabelCleaning Aggregation Aggregator Agreement CROWDLAB DawidSkene DawidSkeneClust EmpiricalBayes
        FastDawidSkene FeatureEM GLAD HierarchicalDawidSkene IWMV InformedAggregator KOS LabelQualityScore MACE METHODS
        MMSR MajorityVote Method ModelAlone NaiveSoft OneCoinDawidSkene PlantNet SharedWeight TwoThird WDS Wawa
        WithModel ZeroBasedSkill find_method run_method
    """,
    "crowdcore.cleanlab_api": """
        convert_long_to_wide_dataset get_active_learning_scores get_active_learning_scores_ensemble
        get_label_quality_multiannotator get_label_quality_multiannotator_ensemble get_majority_vote_label
    """,
    "crowdcore.crowd": "Crowd",
    "crowdcore.estimates": "AccuracyEstimate AccuracySpread annotator_intervals estimate_accuracy",
    "crowdcore.forecast": "AccuracyForecast forecast_accuracy",
    "crowdcore.formats": """
        FORMATS Folder Reading add_classes from_cleanlab from_crowd_kit label_file labels_series probas_frame read_crowd
        read_features read_folder read_long read_matrix read_probabilities read_truth read_wide to_cleanlab to_crowd_kit
        truth_codes write_crowd write_folder write_long write_simulation write_wide
    """,
    "crowdcore.hierarchical": "HierarchicalResult hierarchical_dawid_skene",
    "crowdcore.identify": """
        AnnotatorAgreement AnnotatorPairs CredibleConfusions GladScores HoneypotScores Identification METHODS
        Reliability annotator_agreement annotator_pairs credible_confusions feedback_effort find_method fleiss_kappa
        gini glad_scores honeypot_scores krippendorff_alpha spam_score trace_confusion vote_entropy workload
    """,
    "crowdcore.partitioned": "PartitionedCrowd PartitionedResult",
    "crowdcore.simulation": """
        STRATEGIES Simulation Strategy correlated_errors discrete_difficulty find_strategy hammer_spammer
        imbalanced_votes independent_confusion student_teacher
    """,
}
"""The public names of version 0.1.0, by module."""

PACKAGES = [crowdcore.__name__, *(m.name for m in pkgutil.iter_modules(crowdcore.__path__, "crowdcore.") if m.ispkg)]


@pytest.mark.parametrize("module", PUBLIC)
def test_the_names_of_former_versions_are_still_there(module):
    found = importlib.import_module(module)
    assert [name for name in PUBLIC[module].split() if not hasattr(found, name)] == []


def test_importing_is_light():
    heavy = "{'pandas', 'sklearn', 'scipy', 'numba', 'cleanlab', 'importlib.metadata'}"
    code = f"import sys, crowdcore; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", PACKAGES)
def test_no_public_name_hides_a_module(name):
    package = importlib.import_module(name)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(getattr(package, "__all__", ()))


def test_the_version_is_the_plugins():
    assert crowdcore.__version__ == label_studio_crowd.__version__
    with pytest.raises(AttributeError, match="'crowdcore' has no attribute 'version'"):
        crowdcore.version  # noqa: B018
