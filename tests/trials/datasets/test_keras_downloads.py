import socket
from pathlib import Path

import numpy as np
import pytest

from search_spaces.datasets import NamedRef
from trials.datasets import load
from trials.errors import InfeasibleCohortError


def test_a_file_in_the_data_directory_takes_the_place_of_the_download(tmp_path: Path) -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    labels = np.arange(3)
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)

    raw = load(NamedRef(name="mnist"), tmp_path)

    assert raw.x_train.shape == raw.x_test.shape == (3, 28, 28, 1)


def test_without_network_the_reason_says_where_to_put_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "nothing downloaded before"))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{nobody.getsockname()[1]}")
            monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)

        with pytest.raises(InfeasibleCohortError) as refused:
            load(NamedRef(name="fashion_mnist"), tmp_path)

    assert str(tmp_path / "fashion_mnist.npz") in str(refused.value)
    assert "download failed" in str(refused.value)
    assert socket.getdefaulttimeout() is None


REAL_MNIST = Path(__file__).resolve().parents[4] / "shared" / "data" / "mnist.npz"


@pytest.mark.skipif(not REAL_MNIST.exists(), reason="the full MNIST is not on this machine")
def test_the_real_mnist_has_60000_and_10000_images_of_ten_classes() -> None:
    raw = load(NamedRef(name="mnist"), REAL_MNIST.parent)

    assert raw.x_train.shape == (60_000, 28, 28, 1)
    assert raw.x_test.shape == (10_000, 28, 28, 1)
    assert raw.n_classes == 10
