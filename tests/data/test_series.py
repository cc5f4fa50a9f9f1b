import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from gm_lab.data import series

ANOMALIES = range(1, len(series.KINDS))


@pytest.fixture(scope="module")
def twins():
    """The same hearts, all healthy and all with an anomaly, (n, length) each, and the kinds."""
    sick = series.heartbeats(1200, seed=5, anomalies=1.0)
    return series.heartbeats(1200, seed=5).values[..., 0], sick.values[..., 0], sick.kind


def test_series_have_the_promised_form():
    values, is_anomaly, kind = everything = series.heartbeats(50, length=120, anomalies=0.5)
    assert isinstance(everything, series.Series)
    assert (values.shape, is_anomaly.shape, kind.shape) == ((50, 120, 1), (50,), (50,))
    assert (values.dtype, is_anomaly.dtype, kind.dtype) == (torch.float32, torch.bool, torch.int64)
    assert torch.equal(is_anomaly, kind > 0)
    assert values.abs().max() < 2  # millivolts


def test_a_seed_decides_everything():
    torch.manual_seed(1)
    first = series.heartbeats(20, seed=3, anomalies=0.5)
    torch.manual_seed(2)
    again = series.heartbeats(20, seed=3, anomalies=0.5)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first.values, series.heartbeats(20, seed=4, anomalies=0.5).values)


def test_as_many_anomalies_as_asked_for_and_all_kinds_alike():
    assert not series.heartbeats(500).is_anomaly.any()
    kind = series.heartbeats(12_000, anomalies=0.25).kind
    share = kind.bincount(minlength=len(series.KINDS)) / len(kind)
    assert share[0].item() == pytest.approx(0.75, abs=0.015)
    assert torch.allclose(share[1:], torch.tensor(0.25 / 6), atol=0.008)


def test_healthy_rows_do_not_change_when_others_fall_ill():
    some = series.heartbeats(300, seed=5, anomalies=0.3)
    healthy = series.heartbeats(300, seed=5).values
    same = (some.values == healthy).all(2).all(1)
    assert torch.equal(same, ~some.is_anomaly)


@pytest.mark.parametrize("length", [series.SHORTEST, 96, 160])
@pytest.mark.parametrize("kind", ANOMALIES, ids=series.KINDS[1:])
def test_an_anomaly_shows_at_one_beat_and_never_at_the_first(kind, length):
    sick = series.heartbeats(300, length, seed=5, anomalies=1.0)
    change = (sick.values - series.heartbeats(300, length, seed=5).values)[sick.kind == kind, :, 0].abs()
    assert (change.amax(1) > 0.1).all()
    first_beat = 18  # samples; the R peak of the first beat is at 15 to 17, its T wave an extra beat may meet
    assert (change[:, :first_beat] < 0.02).all()
    for row in change:
        places = (row > 0.02).nonzero()
        assert places.max() - places.min() < 32  # one second


def test_every_kind_does_what_its_name_says(twins):
    healthy, sick, kind = twins

    def pair(name):
        chosen = kind == series.KINDS.index(name)
        return healthy[chosen], sick[chosen]

    def beats(values):  # R peaks: local maxima well above the rest
        middle = values[:, 1:-1]
        peak = (
            (middle > values[:, :-2]) & (middle >= values[:, 2:]) & (middle > 0.55 * values.amax(1)[:, None])
        )
        return peak.sum(1).float().mean()

    before, after = pair("missing beat")
    assert (beats(before) - beats(after)).item() == pytest.approx(1, abs=0.15)
    before, after = pair("extra beat")
    assert (beats(after) - beats(before)).item() == pytest.approx(1, abs=0.15)
    before, after = pair("wide beat")
    assert ((after - before).sum(1) > 0.5).all()  # a wider R covers more area
    before, after = pair("inverted T")
    assert ((after - before) < 0.05).all()
    assert ((after - before).amin(1) < -0.3).all()
    before, after = pair("weak beat")
    assert ((after - before).amin(1) < -0.25).all()
    before, after = pair("noise burst")
    assert (after - before).mean().abs() < 0.01


def test_healthy_hearts_beat_about_once_a_second(twins):
    healthy, _, _ = twins
    assert (healthy[:, 14:20].amax(1) > 0.4).all()  # the first R peak, half a second into the window
    assert healthy.mean(0)[14:18].max() > 0.5
    spectrum = torch.fft.rfft(healthy - healthy.mean(1, keepdim=True), n=3200).abs()
    per_second = 0.7 + spectrum[:, 70:160].argmax(1) / 100  # bins of 0.01 Hz, between 0.7 and 1.6 Hz
    assert ((per_second > 0.9) & (per_second < 1.3)).float().mean() > 0.95


def test_anomalies_are_neither_obvious_nor_invisible_to_pca():
    normal = series.heartbeats(1500, seed=0).values[..., 0].numpy()
    mixed = series.heartbeats(1500, seed=1, anomalies=0.3)
    values = mixed.values[..., 0].numpy()
    pca = PCA(12, random_state=0).fit(normal)
    error = ((values - pca.inverse_transform(pca.transform(values))) ** 2).sum(1)
    assert 0.8 < roc_auc_score(mixed.is_anomaly, error) < 0.95


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="n must be a positive whole number, got 0"):
        series.heartbeats(0)
    with pytest.raises(ValueError, match="length must be a whole number, at least 72, got 71"):
        series.heartbeats(5, length=71)
    with pytest.raises(ValueError, match=r"anomalies must lie in \[0, 1\], got 1\.5"):
        series.heartbeats(5, anomalies=1.5)
    with pytest.raises(ValueError, match=r"anomalies must lie in \[0, 1\], got nan"):
        series.heartbeats(5, anomalies=float("nan"))
