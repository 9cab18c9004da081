"""Fixtures and helpers for the core, which is tested without a Home Assistant."""

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir
import pytest
import pytest_socket

# A busy machine must not fail a test, and a test that passed must pass again.
set_hypothesis_home_dir(".cache/hypothesis")
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _loopback_sockets() -> None:
    """Let the core talk over the whole of loopback, so that it can meet strangers there."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"])
