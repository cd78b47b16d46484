"""The losses and their slopes against a few lines of numpy."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, logsumexp, softmax

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'label-studio-crowd[deep]'")
criteria = pytest.importorskip("crowdcore.learning.networks.torched.criteria")

K, M, n, A, d = 3, 4, 6, 15, 5
rng = np.random.default_rng(0)
LOGITS, TASKS = rng.normal(size=(n, K)), rng.normal(size=(n, d))
ROW, WHO, SAID = rng.integers(0, n, A), rng.integers(0, M, A), rng.integers(0, K, A)
ANSWERS = tuple(torch.from_numpy(codes) for codes in (ROW, WHO, SAID))


def cross_entropy(scores):
    return -log_softmax(scores, axis=1)[np.arange(A), SAID].mean()


def crowd_layer(kind):
    def loss(z, own):
        p = softmax(z, axis=1)[ROW]
        if kind == "mw":
            return cross_entropy(np.einsum("ak,akl->al", p, own["weight"][WHO]))
        return cross_entropy(p * own.get("weight", np.ones((M, K)))[WHO] + own.get("bias", np.zeros((M, K)))[WHO])

    return loss


def conal(z, own):
    p, one = softmax(z, axis=1)[ROW], lambda v: v / np.linalg.norm(v, axis=1, keepdims=True)
    hidden = TASKS @ own["task_traits.1.weight"].T + own["task_traits.1.bias"]
    v = one(hidden @ own["task_traits.2.weight"].T + own["task_traits.2.bias"])
    u = one(own["annotator_traits.weight"].T + own["annotator_traits.bias"])
    omega = expit((v[ROW] * u[WHO]).sum(axis=1))[:, None]
    h = omega * (p @ own["common"]) + (1 - omega) * np.einsum("ak,akl->al", p, own["own"][WHO])
    return cross_entropy(h) - 0.1 * sum(np.linalg.norm(W - own["common"]) for W in own["own"])


def coupled(regularizer):
    def loss(z, own):
        logs, p = log_softmax(own["scores"], axis=2), softmax(z, axis=1)
        found = -logsumexp(log_softmax(z, axis=1)[ROW] + logs[WHO, :, SAID], axis=1).mean()
        eye = 1e-6 * np.eye(K)
        if regularizer == "geo-reg-w":
            found -= 0.1 * np.linalg.slogdet(sum(W.T @ W for W in np.exp(logs)) + eye)[1]
        if regularizer == "geo-reg-f":
            found -= 0.1 * np.linalg.slogdet(p.T @ p + eye)[1]
        if regularizer == "trace":
            found += 0.1 * np.mean([np.trace(W) for W in np.exp(logs)])
        return found

    return loss


CASES = {
    **{
        kind: (lambda k=kind: criteria.CrowdLayerLoss(M, K, k), crowd_layer(kind))
        for kind in ("mw", "vw", "vb", "vw+b")
    },
    "conal": (lambda: criteria.CoNALLoss(M, K, d, 0.1), conal),
    **{
        str(name): (lambda r=name: criteria.CoupledLoss(M, K, r, 0.1), coupled(name))
        for name in (None, "geo-reg-w", "geo-reg-f", "trace")
    },
}


def made(name):
    """Return a criterion with parameters drawn at random, and the numpy twin."""
    make, twin = CASES[name]
    criterion, drawn = make().double(), np.random.default_rng(1)
    for parameter in criterion.parameters():
        parameter.data = torch.from_numpy(drawn.normal(size=tuple(parameter.shape)))
    return criterion, twin


@pytest.mark.parametrize("name", CASES)
def test_losses_and_slopes_are_those_of_the_formulas(name):
    criterion, twin = made(name)
    own = {key: tensor.detach().numpy().copy() for key, tensor in criterion.named_parameters()}
    z = torch.from_numpy(LOGITS.copy()).requires_grad_()
    loss = criterion(z, ANSWERS, torch.from_numpy(TASKS))
    loss.backward()
    assert loss.item() == pytest.approx(twin(LOGITS, own), abs=1e-9)
    assert np.allclose(z.grad, slope(lambda at: twin(at, own), LOGITS), atol=1e-6)
    for key, parameter in criterion.named_parameters():
        expected = slope(lambda at, key=key: twin(LOGITS, {**own, key: at}), own[key])
        assert np.allclose(parameter.grad, expected, atol=1e-6), key


def slope(function, at, step=1e-5):
    """Return the central difference in each of an array's places."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        moved = np.zeros_like(at)
        moved[place] = step
        found[place] = (function(at + moved) - function(at - moved)) / (2 * step)
    return found


@pytest.mark.parametrize("name", CASES)
def test_annotators_and_classes_in_another_order_change_no_loss(name):
    criterion, _ = made(name)
    found = criterion(torch.from_numpy(LOGITS), ANSWERS, torch.from_numpy(TASKS)).item()
    people, classes = np.random.default_rng(2).permutation(M), np.random.default_rng(3).permutation(K)
    for key, parameter in criterion.named_parameters():
        value = parameter.data
        if key == "annotator_traits.weight":
            value = value[:, people]
        elif key in ("weight", "bias", "own", "scores"):
            value = value[people]
        if key in ("weight", "bias", "own", "scores", "common"):
            value = value[..., classes]
            value = value[..., classes, :] if key in ("own", "scores", "common") or name == "mw" else value
        parameter.data = value
    places, codes = np.argsort(people), np.argsort(classes)
    answers = (ANSWERS[0], torch.from_numpy(places[WHO]), torch.from_numpy(codes[SAID]))
    again = criterion(torch.from_numpy(LOGITS[:, classes].copy()), answers, torch.from_numpy(TASKS))
    assert again.item() == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_a_batch_without_answers_costs_nothing_and_has_a_slope(name):
    criterion, _ = made(name)
    z = torch.from_numpy(LOGITS.copy()).requires_grad_()
    none = torch.zeros(0, dtype=torch.int64)
    criterion(z, (none, none, none), torch.from_numpy(TASKS)).backward()
    assert not z.grad.any()


def test_beliefs_count_as_much_as_they_sum_to():
    loss, T = criteria.SoftCrossEntropy(), rng.random((n, K))
    expected = -(T * log_softmax(LOGITS, axis=1)).sum() / T.sum()
    assert float(loss(torch.from_numpy(LOGITS), torch.from_numpy(T), None)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_confusion_matrices_have_rows_that_sum_to_1(name):
    criterion, _ = made(name)
    confusion = criterion.confusion().detach().numpy()
    assert confusion.shape == (M, K, K)
    assert np.allclose(confusion.sum(axis=2), 1)
