"""Pictures in peerannot's folders, networks for them, and machines with other devices."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from crowdcore import Crowd
from crowdcore.learning.networks import CoNAL, ConsensusNetwork, CrowdLayer, ImageTasks, NetworkClassifier

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install 'label-studio-crowd[deep]'")
pytestmark = pytest.mark.filterwarnings("ignore:.*answers for .* annotators and .* classes")
N = 60
QUICK = {"epochs": 2, "least_steps": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty digits as PNG, 0 to 3, under the names that peerannot gives; task 59 is the first."""
    train = tmp_path_factory.mktemp("digits") / "train"
    pixels, digit = load_digits(n_class=3, return_X_y=True)
    for place in range(N):
        path = train / str(digit[place]) / f"digit-{N - 1 - place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels[place].reshape(8, 8) * 15).astype(np.uint8)).save(path)
    return train


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(0)
    digit = load_digits(n_class=3, return_X_y=True)[1][:N][::-1]
    task, person = np.repeat(np.arange(N), 3), np.tile([0, 1, 2], N)
    said = np.where(rng.random(3 * N) < 0.2, rng.integers(0, 3, 3 * N), digit[task])
    return Crowd.from_codes(task, person, said, tasks=range(N), annotators="abc", classes=range(3))


def test_a_folder_is_tasks_by_number_with_the_folders_as_classes(folder):
    pictures = ImageTasks(folder, mode="L")
    digit = load_digits(n_class=3, return_X_y=True)[1][:N][::-1]
    assert pictures.tasks.tolist() == list(range(N))
    assert pictures.classes.tolist() == ["0", "1", "2"]
    assert pictures.labels.tolist() == digit.tolist()
    assert pictures[0].shape == (1, 8, 8)
    assert -1 <= pictures[0].min() < pictures[0].max() <= 1
    assert ImageTasks(folder, 16)[3].shape == (3, 16, 16)
    flipped = ImageTasks(folder, mode="L", transform=lambda picture: picture.transpose(Image.Transpose.ROTATE_180))
    assert np.array_equal(flipped[0], pictures[0][:, ::-1, ::-1])
    with pytest.raises(IndexError):
        pictures[N]


def test_a_folder_without_pictures_or_with_a_task_twice_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match=r"no picture in .*CLASS/NAME-TASK\.png"):
        ImageTasks(tmp_path)
    for name in ("a-1.png", "b-1.png"):
        (tmp_path / name).write_bytes((next(folder.rglob("*.png"))).read_bytes())
    with pytest.raises(ValueError, match="1"):
        ImageTasks(tmp_path)


@pytest.mark.parametrize("kind", [CrowdLayer, CoNAL, ConsensusNetwork])
def test_networks_learn_from_folders_of_pictures(kind, folder, crowd):
    pictures = ImageTasks(folder, mode="L")
    fitted = kind("cnn", epochs=30, least_steps=0, lr=3e-3).fit(pictures, crowd)
    assert np.mean(fitted.predict(pictures) == pictures.labels) > 0.9
    assert fitted.embed(pictures).shape == (N, 32 * 4 * 4)


def test_a_dataset_is_put_into_the_order_of_the_tasks(folder, crowd):
    order = np.random.default_rng(1).permutation(N)
    pictures = ImageTasks(folder, mode="L")
    found = CrowdLayer("mlp", batch_size=N, **QUICK).fit(pictures, crowd.select_tasks(order)).predict_proba(pictures)
    again = CrowdLayer("mlp", batch_size=N, **QUICK).fit(pictures, crowd).predict_proba(pictures)
    assert np.allclose(found, again, atol=0.02)  # the same answers; only what dropout leaves out is of other tasks
    few = SimpleImages(pictures, 59)
    with pytest.raises(ValueError, match=r"Task 59 is not in SimpleImages\.tasks"):
        CrowdLayer("mlp", **QUICK).fit(few, crowd)


class SimpleImages:
    """The first pictures of a folder, as a torch Dataset of (picture, label)."""

    def __init__(self, pictures, size):
        self._pictures, self._size = pictures, size
        self.tasks = pictures.tasks[:size]

    def __len__(self):
        return self._size

    def __getitem__(self, at):
        return self._pictures[at], 0


def test_reading_in_other_processes_changes_nothing(folder, crowd):
    pictures = ImageTasks(folder, mode="L")
    alone = CrowdLayer("mlp", **QUICK).fit(pictures, crowd).predict_proba(pictures)
    assert np.array_equal(CrowdLayer("mlp", num_workers=1, **QUICK).fit(pictures, crowd).predict_proba(pictures), alone)
    from crowdcore.learning.networks.tasks import as_tasks
    from crowdcore.learning.networks.torched.batches import AnswersOf, Batches

    batches = Batches(as_tasks(pictures, crowd.tasks), np.arange(N), AnswersOf(crowd))
    X, answers = pickle.loads(pickle.dumps(batches)).__getitems__([3, 1])  # as a process that is spawned has it
    assert X.shape == (2, 1, 8, 8)
    assert answers[0].tolist() == [0, 0, 0, 1, 1, 1]
    assert answers[2].tolist() == [*crowd.label[9:12], *crowd.label[3:6]]


def test_torchvisions_models_are_known_by_name(small, monkeypatch):
    torch = pytest.importorskip("torch")
    asked = {}

    def get_model(name, **options):
        if name != "tinynet":
            raise ValueError(f"Unknown model {name}")
        asked.update(options)
        classes = options.get("num_classes", 1000)
        return torch.nn.Sequential(
            torch.nn.Linear(5, 4), torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(4, classes))
        )

    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "torchvision.models", SimpleNamespace(get_model=get_model))
    X, _, truth = small
    NetworkClassifier("tinynet", **QUICK).fit(X, truth)
    assert asked == {"weights": None, "num_classes": 3}
    frozen = NetworkClassifier("tinynet", pretrained=True, freeze=True, **QUICK).fit(X, truth)
    assert asked["weights"] == "DEFAULT"
    learned = {name for name, parameter in frozen.module_.named_parameters() if parameter.requires_grad}
    assert learned == {"1.1.weight", "1.1.bias"}
    with pytest.raises(ValueError, match="There is no module 'nosuchnet'"):
        NetworkClassifier("nosuchnet", **QUICK).fit(X, truth)


def test_auto_takes_a_gpu_if_there_is_one_and_predicts_without(small, monkeypatch):
    torch = pytest.importorskip("torch")
    from crowdcore.learning.networks.torched import devices

    assert devices.find_device("auto").type in ("cpu", "cuda", "mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.find_device("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.device_here("cuda").type == "cpu"
    X, _, truth = small
    fitted = NetworkClassifier(device="cpu", **QUICK).fit(X, truth)
    P = fitted.predict_proba(X)
    assert np.array_equal(fitted.set_params(device="cuda").predict_proba(X), P)
    with pytest.raises(ValueError, match="device is 'gpu'; allowed are 'auto'"):
        NetworkClassifier(device="gpu").fit(X, truth)


def test_a_stop_by_labels_needs_them(small):
    X, _, truth = small
    with pytest.raises(ValueError, match="none is given: pass fit validation"):
        NetworkClassifier(early_stopping="validation").fit(X, truth)
    with pytest.raises(ValueError, match="early_stopping is 'answers'; allowed are 'validation', None"):
        NetworkClassifier(early_stopping="answers").fit(X, truth)
