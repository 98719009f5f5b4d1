"""Which hub a command means, and which addresses nobody should send a key to."""

import pytest

from mesoflow.cli.config import Config, HubProfile
from mesoflow.cli.hubs import choose
from mesoflow.runtime.refusal import Refusal

CONFIG = Config(
    hubs={
        "lab": HubProfile(url="http://127.0.0.1:5000/", simulator=True),
        "desk": HubProfile(url="https://live.example.com"),
        "liar": HubProfile(url="https://live.example.org", simulator=True),
    }
)


@pytest.mark.parametrize(
    ("name", "url", "kind"),
    [
        ("sim", None, "embedded"),
        ("lab", "http://127.0.0.1:5000", "simulator"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", "simulator"),
        ("http://localhost:5001", "http://localhost:5001", "hub"),
        ("http://[::1]:5001/", "http://[::1]:5001", "hub"),
        ("desk", "https://live.example.com", "hub"),
        ("liar", "https://live.example.org", "hub"),
    ],
)
def test_a_name_its_address_and_what_it_counts_as(name, url, kind):
    choice = choose(name, CONFIG)
    assert (choice.url, choice.kind) == (url, kind)


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("lap", "there is no hub lap"),
        ("http://live.example.com", "http://live.example.com is not encrypted"),
        ("http://127.0.0.1.example.com", "http://127.0.0.1.example.com is not encrypted"),
        ("ftp://h", "ftp://h is no address of a hub"),
        ("https://user:pass@h", "a hub's address holds no user, key or query"),
        ("https://h?api_key=1", "a hub's address holds no user, key or query"),
    ],
)
def test_what_is_refused(name, summary):
    with pytest.raises(Refusal) as refused:
        choose(name, CONFIG)
    assert refused.value.summary == summary
    assert refused.value.help
