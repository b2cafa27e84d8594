"""Ports of an installation."""

import socket
from pathlib import Path

from deploy.embedded.layout import fixed_layout, free_layout


def test_free_ports_are_all_different() -> None:
    layout = free_layout(Path("anywhere"))
    servers = [layout.postgres, layout.kafka, layout.kafka_controller]
    ports = [*servers, *layout.services.values(), *layout.sandbox.values()]

    assert len(set(ports)) == len(ports) == 16
    assert layout.taken() == []


def test_a_port_that_something_else_listens_on_is_named() -> None:
    layout = free_layout(Path("anywhere"))
    with socket.create_server(("127.0.0.1", layout.kafka)):
        assert layout.taken() == [f"kafka {layout.kafka}"]


def test_friendly_ports_follow_the_order_of_the_design() -> None:
    layout = fixed_layout(Path("anywhere"))

    assert layout.service_url("payroll") == "http://127.0.0.1:8101"
    assert layout.service_url("portal") == "http://127.0.0.1:8107"
    assert layout.sandbox_url("control") == "http://127.0.0.1:8201"
