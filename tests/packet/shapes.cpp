// SPDX-License-Identifier: Apache-2.0
#include "tests/packet/shapes.h"

#include <utility>

namespace pollux::test {
namespace {

using lb::Protocol;
using Layers = std::function<void(FrameBuilder&, const Ends&)>;

// `link`: tags behind the Ethernet header; `ip`: what changes or follows the IP header.
struct Parts {
    Layers link = [](FrameBuilder&, const Ends&) {};
    Layers ip = [](FrameBuilder&, const Ends&) {};
    Layers transport = [](FrameBuilder&, const Ends&) {};
    Layers behind = [](FrameBuilder&, const Ends&) {};
};

Shape shape(std::string name, Protocol protocol, bool is_v6, const Parts& parts) {
    return {std::move(name) + (is_v6 ? " v6" : " v4"), protocol, is_v6,
            [is_v6, parts](FrameBuilder builder, const Ends& ends) {
                parts.link(builder, ends);
                if (is_v6) {
                    builder.ipv6(ends.source, ends.destination).ttl(ends.ttl);
                } else {
                    builder.ipv4(ends.source, ends.destination).ttl(ends.ttl);
                }
                parts.ip(builder, ends);
                parts.transport(builder, ends);
                parts.behind(builder, ends);
                return builder;
            }};
}

void tcp_data(FrameBuilder& builder, const Ends& ends) {
    builder.tcp(ends.source_port, ends.destination_port, "PA").seq(7, 9).payload(33);
}
void udp_data(FrameBuilder& builder, const Ends& ends) {
    builder.udp(ends.source_port, ends.destination_port).payload(24);
}
void sctp_data(FrameBuilder& builder, const Ends& ends) {
    builder.sctp(ends.source_port, ends.destination_port, 7).sctp_chunk(0, 16);
}

Layers transport_of(Protocol protocol) {
    if (protocol == Protocol::Udp) return udp_data;
    if (protocol == Protocol::Sctp) return sctp_data;
    return tcp_data;
}

const char* name_of(Protocol protocol) {
    if (protocol == Protocol::Udp) return "udp";
    return protocol == Protocol::Sctp ? "sctp" : "tcp";
}

// What each protocol may have around it, in either family.
void add_common(std::vector<Shape>& all, Protocol protocol, bool is_v6) {
    const Layers transport = transport_of(protocol);
    const auto add = [&](const char* what, Parts parts) {
        parts.transport = transport;
        all.push_back(shape(std::string(name_of(protocol)) + " " + what, protocol, is_v6, parts));
    };
    add("data", {});
    add("in a VLAN", {.link = [](FrameBuilder& b, const Ends&) { b.vlan(5, 3); }});
    add("with a priority tag", {.link = [](FrameBuilder& b, const Ends&) { b.vlan(0, 6); }});
    add("in QinQ", {.link = [](FrameBuilder& b, const Ends&) { b.service_vlan(9).vlan(5); }});
    add("with DSCP and ECN", {.ip = [](FrameBuilder& b, const Ends&) { b.traffic_class(0xbb); }});
    add("padded", {.behind = [](FrameBuilder& b, const Ends&) { b.pad_to(200, 0xaa); }});
}

void add_ipv4(std::vector<Shape>& all, Protocol protocol) {
    const auto add = [&](const char* what, Parts parts) {
        parts.transport = transport_of(protocol);
        all.push_back(shape(std::string(name_of(protocol)) + " " + what, protocol, false, parts));
    };
    add("with router alert and padding options", {.ip = [](FrameBuilder& b, const Ends&) {
            b.ip_options({148, 4, 0, 0, 1, 1, 1, 0});
        }});
    add("that may be fragmented",
        {.ip = [](FrameBuilder& b, const Ends&) { b.may_fragment().id(0xfffe); }});
}

void add_ipv6(std::vector<Shape>& all, Protocol protocol) {
    const auto add = [&](const char* what, const Layers& headers) {
        Parts parts;
        parts.ip = headers;
        parts.transport = transport_of(protocol);
        all.push_back(shape(std::string(name_of(protocol)) + " " + what, protocol, true, parts));
    };
    add("behind hop-by-hop options", [](FrameBuilder& b, const Ends&) { b.hop_by_hop(16); });
    add("behind destination options",
        [](FrameBuilder& b, const Ends&) { b.destination_options(24); });
    add("behind a finished routing header",
        [](FrameBuilder& b, const Ends&) { b.routing(4, 0, 24); });
    add("behind an atomic fragment header",
        [](FrameBuilder& b, const Ends&) { b.fragment(0, false, 7); });
    add("with a flow label", [](FrameBuilder& b, const Ends&) { b.flow_label(0xabcde); });
}

void add_tcp(std::vector<Shape>& all, bool is_v6) {
    Parts options;
    options.transport = [](FrameBuilder& b, const Ends& ends) {
        b.tcp(ends.source_port, ends.destination_port, "A")
            .seq(7, 9)
            .tcp_options({1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8})
            .payload(100);
    };
    all.push_back(shape("tcp with time stamps", Protocol::Tcp, is_v6, options));
    Parts bare;
    bare.transport = [](FrameBuilder& b, const Ends& ends) {
        b.tcp(ends.source_port, ends.destination_port, "A");
    };
    all.push_back(shape("tcp bare acknowledgment", Protocol::Tcp, is_v6, bare));
}

void add_udp(std::vector<Shape>& all, bool is_v6) {
    Parts empty;
    empty.transport = [](FrameBuilder& b, const Ends& ends) {
        b.udp(ends.source_port, ends.destination_port);
    };
    all.push_back(shape("udp empty", Protocol::Udp, is_v6, empty));
    if (is_v6) return;
    Parts without;
    without.transport = [](FrameBuilder& b, const Ends& ends) {
        b.udp(ends.source_port, ends.destination_port).no_checksum().payload(31);
    };
    all.push_back(shape("udp without checksum", Protocol::Udp, is_v6, without));
}

}  // namespace

std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (const bool is_v6 : {false, true}) {
        for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Sctp}) {
            add_common(all, protocol, is_v6);
            if (is_v6) {
                add_ipv6(all, protocol);
            } else {
                add_ipv4(all, protocol);
            }
        }
        add_tcp(all, is_v6);
        add_udp(all, is_v6);
    }
    return all;
}

Shape opening_shape(Protocol protocol, bool is_v6) {
    Parts parts;
    switch (protocol) {
        case Protocol::Udp:
            parts.transport = udp_data;
            break;
        case Protocol::Sctp:
            parts.transport = [](FrameBuilder& b, const Ends& ends) {
                b.sctp(ends.source_port, ends.destination_port, 0).sctp_chunk(1, 16);
            };
            break;
        case Protocol::None:
        case Protocol::Tcp:
            parts.transport = [](FrameBuilder& b, const Ends& ends) {
                b.tcp(ends.source_port, ends.destination_port, "S");
            };
            break;
    }
    return shape("opening", protocol, is_v6, parts);
}

}  // namespace pollux::test
