// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames for tests in readable form, with right lengths and checksums:
//
//     const Bytes syn = frame().eth().ipv4("10.0.0.1", "10.1.0.10").tcp(1001, 80, "S").payload(10);
//
// Layers nest in the order of the calls (ipv4().ipv4() is IPIP). A modifier changes the layer named
// last. Checksums and lengths are computed by plain code of this library, not by dataplane/net.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pollux::test {

using Bytes = std::vector<std::uint8_t>;

inline constexpr const char* kClientMac = "02:00:00:00:00:01";
inline constexpr const char* kOurMac = "02:00:00:00:00:02";

class FrameBuilder {
  public:
    // --- link layer. A frame without eth() is a bare IP packet.
    FrameBuilder& eth(std::string_view source = kClientMac, std::string_view destination = kOurMac);
    FrameBuilder& ether_type(std::uint16_t type);  // otherwise that of the next layer
    FrameBuilder& vlan(std::uint16_t id, std::uint8_t priority = 0);          // 0x8100
    FrameBuilder& service_vlan(std::uint16_t id, std::uint8_t priority = 0);  // 0x88a8
    FrameBuilder& arp_request(std::string_view sender_mac, std::string_view sender,
                              std::string_view target);
    FrameBuilder& arp_reply(std::string_view sender_mac, std::string_view sender,
                            std::string_view target_mac, std::string_view target);

    // --- IPv4 and IPv6. Defaults: TTL 64, id 1, don't fragment; hop limit 64.
    FrameBuilder& ipv4(std::string_view source, std::string_view destination);
    FrameBuilder& ipv6(std::string_view source, std::string_view destination);
    FrameBuilder& ttl(std::uint8_t value);            // also the hop limit
    FrameBuilder& traffic_class(std::uint8_t value);  // DSCP and ECN
    FrameBuilder& flow_label(std::uint32_t value);
    FrameBuilder& id(std::uint16_t value);
    FrameBuilder& may_fragment();                // clears don't fragment
    FrameBuilder& protocol(std::uint8_t value);  // otherwise that of the next layer
    FrameBuilder& ip_options(std::initializer_list<std::uint8_t> options);  // padded to 4 bytes
    // `offset` in bytes. IPv4: fields of the header. IPv6: adds a fragment header.
    FrameBuilder& fragment(std::uint16_t offset, bool more, std::uint32_t id);

    // --- IPv6 extension headers; `bytes` is the whole length, a multiple of 8.
    FrameBuilder& hop_by_hop(std::size_t bytes = 8);
    FrameBuilder& destination_options(std::size_t bytes = 8);
    FrameBuilder& routing(std::uint8_t type, std::uint8_t segments_left, std::size_t bytes = 8);
    FrameBuilder& authentication(std::size_t bytes = 24);

    // --- layer 4. TCP flags by letter: F S R P A U E C.
    FrameBuilder& tcp(std::uint16_t source, std::uint16_t destination, std::string_view flags);
    FrameBuilder& seq(std::uint32_t sequence, std::uint32_t acknowledgment = 0);
    FrameBuilder& window(std::uint16_t value);
    FrameBuilder& tcp_options(std::initializer_list<std::uint8_t> options);  // padded to 4 bytes
    FrameBuilder& udp(std::uint16_t source, std::uint16_t destination);
    FrameBuilder& no_checksum();  // UDP, GRE: zero or absent
    FrameBuilder& sctp(std::uint16_t source, std::uint16_t destination, std::uint32_t tag = 0);
    FrameBuilder& sctp_chunk(std::uint8_t type, std::size_t value_bytes = 0);
    FrameBuilder& icmp(std::uint8_t type, std::uint8_t code = 0, std::uint32_t body = 0);
    FrameBuilder& icmpv6(std::uint8_t type, std::uint8_t code = 0, std::uint32_t body = 0);
    FrameBuilder& gre();  // with checksum word; no_checksum() leaves it out
    FrameBuilder& gue();  // behind udp()

    // --- payload
    FrameBuilder& payload(std::size_t size);  // 0, 1, 2, ...
    FrameBuilder& payload(std::string_view text);
    FrameBuilder& raw(Bytes bytes);
    // The IP packet of `other` (without its link layer), cut off after `ip_bytes`.
    FrameBuilder& quote(const Bytes& other, std::size_t ip_bytes = SIZE_MAX);
    FrameBuilder& pad_to(std::size_t frame_length, std::uint8_t byte = 0);  // behind everything

    // --- lies. `offset` counts from the start of the layer; set before the checksums are computed.
    FrameBuilder& set8(std::size_t offset, std::uint8_t value);
    FrameBuilder& set16(std::size_t offset, std::uint16_t value);
    FrameBuilder& set32(std::size_t offset, std::uint32_t value);
    FrameBuilder& bad_checksum();  // of this layer

    [[nodiscard]] Bytes bytes() const;
    operator Bytes() const { return bytes(); }  // NOLINT(google-explicit-constructor)

  private:
    enum class Kind {
        Ethernet,
        Vlan,
        ServiceVlan,
        Arp,
        Ipv4,
        Ipv6,
        Extension,
        Authentication,
        Fragment,
        Tcp,
        Udp,
        Sctp,
        Icmp,
        Icmpv6,
        Gre,
        Gue,
        Raw
    };
    struct Layer {
        Kind kind = Kind::Raw;
        Bytes bytes;
        std::uint8_t extension = 0;  // protocol number of an Extension
        bool fixed_next = false;     // protocol or EtherType given by the test
        bool with_checksum = true;
        bool wrong_checksum = false;
        std::vector<std::pair<std::size_t, Bytes>> lies;
    };

    FrameBuilder& add(Kind kind, Bytes bytes);
    FrameBuilder& add_tag(Kind kind, std::uint16_t id, std::uint8_t priority);
    FrameBuilder& add_extension(std::uint8_t number, std::size_t bytes);
    Layer& last();
    Layer& last_ip();
    [[nodiscard]] bool inner_is_v4(std::size_t index) const;
    [[nodiscard]] std::uint8_t protocol_of(std::size_t index) const;
    [[nodiscard]] std::uint16_t ether_type_of(std::size_t index) const;
    void fill_next(std::size_t index, Bytes& bytes) const;
    void fill_length(std::size_t index, Bytes& bytes, std::size_t behind) const;
    void fill_checksum(std::size_t index, Bytes& bytes, const Bytes& behind) const;
    [[nodiscard]] Bytes pseudo_header(std::size_t index, std::size_t length) const;

    std::vector<Layer> layers_;
    std::size_t padded_length_ = 0;
    std::uint8_t padding_ = 0;
};

inline FrameBuilder frame() {
    return {};
}

// Splits the IP packet of an unfragmented frame into fragments of at most `mtu` bytes of IP, as a
// router (IPv4) or a sender (IPv6, without other extension headers) does.
[[nodiscard]] std::vector<Bytes> fragment_frame(const Bytes& whole, std::size_t mtu,
                                                std::uint32_t id);

}  // namespace pollux::test
