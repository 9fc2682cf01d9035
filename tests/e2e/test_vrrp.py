# SPDX-License-Identifier: Apache-2.0
"""VRRP over a real LAN: polluxd with itself and with Debian's keepalived as peer, in both roles."""

import time

import pytest
from vrrp_lab import Lan, gaps, instance, now, state, tap_holds, wait_state

SKEW_100 = 156 / 256  # seconds at priority 100 and 1 s adverts
SLACK = 0.25          # what a shared machine may add


@pytest.fixture
def lan(lab):
    return Lan(lab)


def test_alone_it_becomes_master_after_the_dead_time(lan):
    node = lan.pollux("a")
    wait_state(node, "MASTER")
    time.sleep(2.5)
    adverts = lan.capture.adverts(source="10.0.0.5")
    assert all(advert.priority == 100 and advert.version == 2 for advert in adverts)
    assert all(abs(gap - 1.0) < 0.1 for gap in gaps(adverts)), gaps(adverts)
    assert tap_holds(node, "10.0.0.3")
    assert lan.observer.ping("10.0.0.3")
    claims = lan.capture.claims(address="10.0.0.3", mac=node.mac)
    assert len(claims) >= 5
    assert claims[0].time >= adverts[0].time
