// SPDX-License-Identifier: Apache-2.0
#pragma once

// AddressTable: addresses by position, 32 bytes each, in the memory region. The connection table
// takes from it what a 64-byte record only points at: the real server's address (position =
// RealServerId) and FullNAT's local address (position = LocalAddressId). Written by the control
// thread before the id is published in a snapshot; unchanged while any connection refers to it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "dataplane/net/ip_address.h"

namespace pollux::lb {

//   0              16     18     19                32
//   | address 16   | port | fam. | zero            |
struct alignas(32) AddressRecord {
    std::array<std::uint8_t, 16> bytes;  // IPv4 in the first four, the others zero
    net::Be16 port;                      // informative; a connection keeps its own
    net::Family family;
    std::array<std::uint8_t, 13> zero;

    [[nodiscard]] net::IpAddress address() const noexcept { return {bytes, family}; }
};
static_assert(offsetof(AddressRecord, bytes) == 0);
static_assert(sizeof(AddressRecord) == 32 && std::is_trivially_copyable_v<AddressRecord>);

class AddressTable {
  public:
    AddressTable() = default;
    explicit AddressTable(std::span<AddressRecord> records) noexcept : records_(records) {}

    // Control thread, before any reader can know the position.
    void set(std::uint32_t position, const net::IpAddress& address, net::Be16 port) noexcept {
        records_[position] = AddressRecord{address.bytes, port, address.family, {}};
    }
    // Precondition: position < size().
    [[nodiscard]] const AddressRecord& operator[](std::uint32_t position) const noexcept {
        return records_[position];
    }
    // The address bytes of a position that need not exist: only to be read when it does.
    [[nodiscard]] const std::uint8_t* bytes_at(std::uint32_t position) const noexcept {
        return reinterpret_cast<const std::uint8_t*>(records_.data() + position);
    }
    [[nodiscard]] std::uint32_t size() const noexcept {
        return static_cast<std::uint32_t>(records_.size());
    }

  private:
    std::span<AddressRecord> records_;
};

}  // namespace pollux::lb
