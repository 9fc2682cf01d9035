// SPDX-License-Identifier: Apache-2.0
#include "tests/support/frame_text.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <vector>

#include "dataplane/net/ip_address.h"
#include "dataplane/net/mac_address.h"
#include "tests/support/wire_math.h"

namespace pollux::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMaxDifferences = 24;
constexpr int kMaxLayers = 16;

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
    char buffer[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    return buffer;
}

struct Layer {
    std::size_t offset = 0;
    std::string name;
    std::string fields;
};

// What stands before the L4 header that its checksum needs.
struct Pseudo {
    Bytes addresses;
    std::uint8_t protocol = 0;
};

enum class Next { Ethernet, Type, Protocol, Payload };

class Decoder {
  public:
    explicit Decoder(std::span<const std::uint8_t> frame) : bytes_(frame.begin(), frame.end()) {}

    std::vector<Layer> decode() {
        Next next = Next::Ethernet;
        for (int i = 0; i < kMaxLayers && next != Next::Payload; ++i) {
            if (next == Next::Ethernet)
                next = ethernet();
            else if (next == Next::Type)
                next = by_type();
            else
                next = by_protocol();
        }
        const std::size_t end = std::min(end_, bytes_.size());
        if (at_ < end) add("payload", text("%zu bytes", end - at_));
        if (end < bytes_.size()) {
            at_ = end;
            add("padding", text("%zu bytes", bytes_.size() - end));
        }
        return layers_;
    }

  private:
    [[nodiscard]] bool has(std::size_t size) const { return at_ + size <= bytes_.size(); }
    [[nodiscard]] unsigned u8(std::size_t offset) const { return bytes_.at(at_ + offset); }
    [[nodiscard]] unsigned u16(std::size_t offset) const { return read16(bytes_, at_ + offset); }
    [[nodiscard]] std::uint32_t u32(std::size_t offset) const {
        return read32(bytes_, at_ + offset);
    }
    [[nodiscard]] Bytes part(std::size_t from, std::size_t size) const {
        const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(from);
        return {begin, begin + static_cast<std::ptrdiff_t>(size)};
    }
    [[nodiscard]] std::string address(std::size_t offset, net::Family family) const {
        net::IpAddress result;
        result.family = family;
        const std::size_t size = family == net::Family::V4 ? 4 : 16;
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + offset), size,
                    result.bytes.begin());
        return result.to_string();
    }
    [[nodiscard]] std::string mac(std::size_t offset) const {
        net::MacAddress result;
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + offset), 6,
                    result.bytes.begin());
        return result.to_string();
    }

    void add(std::string name, std::string fields) {
        layers_.push_back({at_, std::move(name), std::move(fields)});
    }

    Next ethernet() {
        if (!has(14)) return Next::Payload;
        type_ = u16(12);
        add("ethernet", mac(6) + " > " + mac(0) + text(" type 0x%04x", type_));
        at_ += 14;
        end_ = bytes_.size();
        return Next::Type;
    }

    Next by_type() {
        if ((type_ == 0x8100 || type_ == 0x88a8) && has(4)) {
            add("vlan",
                text("id %u priority %u type 0x%04x", u16(0) & 0xfffU, u16(0) >> 13U, u16(2)));
            type_ = u16(2);
            at_ += 4;
            return Next::Type;
        }
        if (type_ == 0x0806 && has(28)) {
            add("arp", text("operation %u ", u16(6)) + mac(8) + " " + address(14, net::Family::V4) +
                           " > " + mac(18) + " " + address(24, net::Family::V4));
            at_ += 28;
            return Next::Payload;
        }
        if (type_ == 0x0800 && has(20)) return ipv4();
        if (type_ == 0x86dd && has(40)) return ipv6();
        return Next::Payload;
    }

    Next ipv4() {
        const std::size_t header = std::size_t{4} * (u8(0) & 0xfU);
        const unsigned fragment = u16(6);
        const bool readable = header >= 20 && has(header);
        const bool ok = readable && slow_checksum(part(at_, header)) == 0;
        add("ipv4", address(12, net::Family::V4) + " > " + address(16, net::Family::V4) +
                        text(" ttl %u class 0x%02x id %u%s%s offset %u header %zu length %u "
                             "protocol %u checksum 0x%04x %s",
                             u8(8), u8(1), u16(4), (fragment & 0x4000U) != 0 ? " DF" : "",
                             (fragment & 0x2000U) != 0 ? " MF" : "", (fragment & 0x1fffU) * 8,
                             header, u16(2), u8(9), u16(10), ok ? "ok" : "WRONG"));
        if (!readable) return Next::Payload;
        whole_ = (fragment & 0x3fffU) == 0;
        pseudo_ = {part(at_ + 12, 8), 0};
        protocol_ = u8(9);
        end_ = at_ + u16(2);
        at_ += header;
        return (fragment & 0x1fffU) == 0 ? Next::Protocol : Next::Payload;
    }

    Next ipv6() {
        add("ipv6", address(8, net::Family::V6) + " > " + address(24, net::Family::V6) +
                        text(" hop limit %u class 0x%02x flow 0x%05x payload %u next %u", u8(7),
                             (u32(0) >> 20U) & 0xffU, u32(0) & 0xfffffU, u16(4), u8(6)));
        whole_ = true;
        pseudo_ = {part(at_ + 8, 32), 0};
        protocol_ = u8(6);
        end_ = at_ + 40 + u16(4);
        at_ += 40;
        return Next::Protocol;
    }

    Next extension() {
        const unsigned number = protocol_;
        const std::size_t size = number == 51   ? 4 * (u8(1) + 2)
                                 : number == 44 ? 8
                                                : 8 * (u8(1) + 1);
        protocol_ = u8(0);
        if (number == 44) {
            add("fragment", text("offset %u%s id %u next %u", u16(2) & 0xfff8U,
                                 (u16(2) & 1U) != 0 ? " MF" : "", u32(4), protocol_));
            whole_ = whole_ && (u16(2) & 0xfff9U) == 0;
            const bool first = (u16(2) & 0xfff8U) == 0;
            at_ += size;
            return first ? Next::Protocol : Next::Payload;
        }
        add(text("extension %u", number), text("%zu bytes next %u", size, protocol_));
        at_ += size;
        return Next::Protocol;
    }

    // "ok", "WRONG", or why it cannot be told.
    [[nodiscard]] std::string verdict(bool with_pseudo_header) const {
        if (!whole_) return "of a fragment";
        if (end_ > bytes_.size() || end_ < at_) return "of a truncated packet";
        Bytes covered;
        if (with_pseudo_header) {
            const std::size_t length = end_ - at_;
            covered = pseudo_.addresses;
            covered.insert(covered.end(),
                           {0, 0, 0, static_cast<std::uint8_t>(protocol_), 0, 0, 0, 0});
            write32(covered, covered.size() - 4, static_cast<std::uint32_t>(length));
        }
        const Bytes message = part(at_, end_ - at_);
        covered.insert(covered.end(), message.begin(), message.end());
        return slow_checksum(covered) == 0 ? "ok" : "WRONG";
    }

    Next by_protocol() {
        const bool is_extension = protocol_ == 0 || protocol_ == 43 || protocol_ == 44 ||
                                  protocol_ == 51 || protocol_ == 60;
        if (is_extension && pseudo_.addresses.size() == 32 && has(8)) return extension();
        if (protocol_ == 6 && has(20)) return tcp();
        if (protocol_ == 17 && has(8)) return udp();
        if (protocol_ == 132 && has(12)) return sctp();
        if ((protocol_ == 1 || protocol_ == 58) && has(8)) return icmp();
        if (protocol_ == 47 && has(4)) return gre();
        if (protocol_ == 4 && has(20)) return ipv4();
        if (protocol_ == 41 && has(40)) return ipv6();
        return Next::Payload;
    }

    Next tcp() {
        std::string flags;
        for (unsigned bit = 0; bit < 8; ++bit) {
            if ((u8(13) >> bit & 1U) != 0) flags += "FSRPAUEC"[bit];
        }
        const std::size_t header = std::size_t{4} * (u8(12) >> 4U);
        add("tcp", text("%u > %u [%s] seq %u ack %u window %u header %zu checksum 0x%04x %s",
                        u16(0), u16(2), flags.c_str(), u32(4), u32(8), u16(14), header, u16(16),
                        verdict(true).c_str()));
        at_ += std::max<std::size_t>(header, 20);
        return Next::Payload;
    }

    Next udp() {
        const std::string state = u16(6) == 0 ? "none" : verdict(true);
        const bool is_gue = u16(2) == 6080 && has(12) && u16(8) < 0x100;
        add("udp", text("%u > %u length %u checksum 0x%04x %s", u16(0), u16(2), u16(4), u16(6),
                        state.c_str()));
        at_ += 8;
        if (!is_gue) return Next::Payload;
        protocol_ = u8(1);
        add("gue", text("protocol %u", protocol_));
        at_ += 4;
        return Next::Protocol;
    }

    Next sctp() {
        std::string state = whole_ && end_ <= bytes_.size() && end_ >= at_ + 12 ? "" : "unknown";
        if (state.empty()) {
            Bytes message = part(at_, end_ - at_);
            write32(message, 8, 0);
            state = slow_sctp_checksum(message) == u32(8) ? "ok" : "WRONG";
        }
        add("sctp", text("%u > %u tag 0x%08x checksum 0x%08x %s", u16(0), u16(2), u32(4), u32(8),
                         state.c_str()));
        at_ += 12;
        return Next::Payload;
    }

    Next icmp() {
        const bool v6 = protocol_ == 58;
        const unsigned type = u8(0);
        add(v6 ? "icmpv6" : "icmp", text("type %u code %u body 0x%08x checksum 0x%04x %s", type,
                                         u8(1), u32(4), u16(2), verdict(v6).c_str()));
        at_ += 8;
        const bool quotes =
            v6 ? type < 128 : type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        if (!quotes) return Next::Payload;
        if (!v6 && has(20)) return ipv4();
        if (v6 && has(40)) return ipv6();
        return Next::Payload;
    }

    Next gre() {
        const bool with_checksum = (u16(0) & 0x8000U) != 0 && has(8);
        type_ = u16(2);
        add("gre",
            text("flags 0x%04x type 0x%04x", u16(0), type_) +
                (with_checksum ? text(" checksum 0x%04x %s", u16(4), verdict(false).c_str()) : ""));
        at_ += with_checksum ? 8 : 4;
        return Next::Type;
    }

    Bytes bytes_;
    std::vector<Layer> layers_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;  // of the innermost packet, as its header says
    unsigned type_ = 0;
    unsigned protocol_ = 0;
    bool whole_ = true;
    Pseudo pseudo_;
};

std::string place(const std::vector<Layer>& layers, std::size_t offset) {
    const Layer* found = nullptr;
    for (const Layer& layer : layers) {
        if (layer.offset <= offset) found = &layer;
    }
    if (found == nullptr) return "?";
    return text("%s+%zu", found->name.c_str(), offset - found->offset);
}

}  // namespace

std::string describe(std::span<const std::uint8_t> frame) {
    std::string result = text("%zu bytes\n", frame.size());
    for (const Layer& layer : Decoder(frame).decode()) {
        result += text("%5zu %-10s ", layer.offset, layer.name.c_str()) + layer.fields + "\n";
    }
    for (std::size_t i = 0; i < frame.size(); ++i) {
        if (i % 16 == 0) result += text("%s%04zx:", i == 0 ? "" : "\n", i);
        result += text(" %02x", frame[i]);
    }
    return result + "\n";
}

::testing::AssertionResult same_frame(std::span<const std::uint8_t> actual,
                                      std::span<const std::uint8_t> expected) {
    if (std::equal(actual.begin(), actual.end(), expected.begin(), expected.end())) {
        return ::testing::AssertionSuccess();
    }
    std::string differences;
    std::size_t count = 0;
    const std::vector<Layer> layers = Decoder(expected).decode();
    for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
        if (actual[i] == expected[i]) continue;
        if (++count > kMaxDifferences) continue;
        differences += text("  byte %zu (%s): %02x, expected %02x\n", i, place(layers, i).c_str(),
                            actual[i], expected[i]);
    }
    if (count > kMaxDifferences) differences += text("  and %zu more\n", count - kMaxDifferences);
    if (actual.size() != expected.size()) {
        differences += text("  length %zu, expected %zu\n", actual.size(), expected.size());
    }
    return ::testing::AssertionFailure()
           << "frames differ:\n"
           << differences << "actual: " << describe(actual) << "expected: " << describe(expected);
}

}  // namespace pollux::test
