# SPDX-License-Identifier: Apache-2.0
"""The demo's acts with two balancers: a master is killed; two masters share the work."""

import sys
import time

from pair import Download, Pair, RequestLoop, outage
from lab import wait_until
from text import say, show_command, title

INTERVAL = 0.2  # of the configurations' adverts
BAR_WIDTH = 60


class Story:
    """Events with the time since the beginning."""

    def __init__(self):
        self.start = time.time()
        self.events = []

    def note(self, text, when=None):
        self.events.append((when or time.time(), text))

    def tell(self):
        for when, text in sorted(self.events):
            say(f"    {when - self.start:7.3f} s  {text}")


def owner_bar(reigns, start, end):
    """One character per slice of time: 1 and 2 for the owner, '.' for nobody."""
    bar = ""
    for slot in range(BAR_WIDTH):
        when = start + (end - start) * (slot + 0.5) / BAR_WIDTH
        owner = [each for each in reigns if each.start <= when <= each.end + INTERVAL / 2]
        bar += owner[-1].node[-1] if owner else "."
    return bar


def tell_owners(pair, vip, vrid, story):
    """The bar of who owned the address, and how long nobody did at each change."""
    reigns = [each for each in pair.reigns(story.start) if each.vrid == vrid]
    say(f"    {vip}  |{owner_bar(reigns, reigns[0].start, reigns[-1].end)}|")
    return reigns


def note_reigns(reigns, vip, story):
    for before, after in zip(reigns, reigns[1:]):
        said = "says goodbye" if before.released else "advertises for the last time"
        story.note(f"{before.node} {said}", before.end)
        story.note(f"{after.node} is MASTER of {vip}: advert, gratuitous ARP "
                   f"({max(after.start - before.end, 0):.3f} s later)", after.start)


def failover_seconds(reigns, kill):
    """From the last advert of the killed master to the first one of its successor."""
    before = [each for each in reigns if each.start < kill][-1]
    after = next(each for each in reigns if each.start > kill)
    return after.start - before.end


def tell_requests(results, kill, label):
    lost = sum(not each["server"] for each in results)
    slow = sum(each["seconds"] > 0.5 for each in results)
    gap, _ = outage(results, kill)
    servers = {}
    for each in results:
        if each["server"]:
            servers[each["server"]] = servers.get(each["server"], 0) + 1
    shares = ", ".join(f"{name} {count}" for name, count in sorted(servers.items()))
    say(f"    {label}: {len(results)} sent, {lost} lost, {slow} had to wait "
        f"(the slowest {max(each['seconds'] for each in results):.2f} s); "
        f"no answer for {gap:.2f} s; {shares}")
    return {"sent": len(results), "lost": lost, "gap": gap}


def wait_for_more(pair, seconds):
    """Lets the traffic go on, and the picture with it."""
    end = time.time() + seconds
    wait_until(lambda: time.time() > end, "time passes", deadline=seconds + 5, pause=0.1)


def play_failover(lab):
    title("VRRP: a pair; the master is killed")
    say("lb1 (priority 150) and lb2 (100) share the VIP 192.168.10.10, an advert every 200 ms (VRRP version 3).\n"
        "lb1 is killed with SIGKILL during a download and a loop of requests, and comes back later.")
    vip = "192.168.10.10"
    pair = Pair(lab, "vrrp-pair", [vip]).start()
    pair.wait_settled({"VI_1": "lb1"})
    say()
    show_command("lb2", "pollux show vrrp", brief(pair.nodes["lb2"].pollux("show", "vrrp").stdout))
    story = Story()
    requests = RequestLoop(pair, vip)
    download = Download(pair, vip, megabytes=80, seconds=9)
    wait_for_more(pair, 1.5)
    killed = pair.kill("lb1")
    story.note("lb1: kill -9", killed)
    pair.wait_settled({"VI_1": "lb2"})
    wait_for_more(pair, 2.5)
    story.note("lb1 starts again")
    pair.nodes["lb1"].start()
    pair.wait_settled({"VI_1": "lb1"})
    size, seconds, connections = download.finish()
    story.note(f"the download ends: {size / 1e6:.0f} MB in {seconds:.1f} s over "
               f"{connections} connection")
    results = requests.stop()
    say("\nWho owned the VIP (1: lb1, 2: lb2, '.': nobody), by the adverts that the client's network saw:")
    reigns = tell_owners(pair, vip, 51, story)
    note_reigns(reigns, vip, story)
    say()
    story.tell()
    say()
    seen = tell_requests(results, killed, "requests")
    takeover = failover_seconds(reigns, killed)
    say(f"    failover: {takeover:.3f} s from the last advert to the next "
        f"(3 intervals + skew are {3 * INTERVAL + INTERVAL * 156 / 256:.3f} s)")
    back, _ = outage(results, reigns[-1].start)
    say(f"    preemption: lb2 yields at lb1's first advert; no answer for {back:.2f} s at the most since")
    return {"method": "pair", "failed": seen["lost"] + (size != download.size),
            "line": f"failover {takeover:.2f} s, download complete, {seen['sent']} requests, "
                    f"{seen['lost']} lost"}, pair


def play_two_masters(lab):
    title("VRRP: two masters, each with a VIP of its own")
    say("lb1 is MASTER of 192.168.10.10, lb2 of 192.168.10.20; each is the other's BACKUP. lb2 is killed and\n"
        "comes back.")
    vips = {"192.168.10.10": 51, "192.168.10.20": 52}
    pair = Pair(lab, "vrrp-dual-master", list(vips)).start()
    pair.wait_settled({"VI_1": "lb1", "VI_2": "lb2"})
    story = Story()
    loops = {vip: RequestLoop(pair, vip) for vip in vips}
    wait_for_more(pair, 1.0)
    killed = pair.kill("lb2")
    story.note("lb2: kill -9", killed)
    pair.wait_settled({"VI_1": "lb1", "VI_2": "lb1"})
    say()
    show_command("lb1", "pollux show vrrp", brief(pair.nodes["lb1"].pollux("show", "vrrp").stdout))
    wait_for_more(pair, 1.5)
    story.note("lb2 starts again")
    pair.nodes["lb2"].start()
    pair.wait_settled({"VI_1": "lb1", "VI_2": "lb2"})
    wait_for_more(pair, 1.0)
    results = {vip: loop.stop() for vip, loop in loops.items()}
    say("\nWho owned which VIP:")
    reigns = {vip: tell_owners(pair, vip, vrid, story) for vip, vrid in vips.items()}
    for vip in vips:
        note_reigns(reigns[vip], vip, story)
    say()
    story.tell()
    say()
    seen = [tell_requests(results[vip], killed, f"requests to {vip}") for vip in vips]
    lost = sum(each["lost"] for each in seen)
    return {"method": "two masters", "failed": lost,
            "line": f"lb1 took both VIPs over and gave one back; "
                    f"{sum(each['sent'] for each in seen)} requests, {lost} lost"}, pair


def brief(text):
    """`pollux show vrrp` without its counters."""
    return text.split("\n\n")[0]


if __name__ == "__main__":
    sys.exit("start it by: tools/dev demo")
