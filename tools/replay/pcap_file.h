// SPDX-License-Identifier: Apache-2.0
#pragma once

// Captures in and out: classic pcap and pcapng are read, classic pcap with nanoseconds is written.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/net/result.h"

struct pcap;
struct pcap_dumper;

namespace pollux::replay {

struct CapturedFrame {
    std::uint64_t nanoseconds = 0;  // since the epoch, from the capture
    std::uint32_t wire_length = 0;  // may exceed bytes.size(): captured with a snap length
    std::vector<std::uint8_t> bytes;
};

class PcapReader {
  public:
    // Errors: file not readable, not a capture, link type other than Ethernet.
    static Result<PcapReader> open(const std::string& path);
    PcapReader(PcapReader&&) noexcept;
    PcapReader& operator=(PcapReader&&) noexcept;
    ~PcapReader();

    // The next frame, or nothing at the end. A damaged file ends early and sets damage().
    std::optional<CapturedFrame> next();
    [[nodiscard]] const std::string& damage() const { return damage_; }

  private:
    explicit PcapReader(pcap* handle) : handle_(handle) {}
    pcap* handle_ = nullptr;
    std::string damage_;
};

class PcapWriter {
  public:
    static Result<PcapWriter> create(const std::string& path);
    PcapWriter(PcapWriter&&) noexcept;
    PcapWriter& operator=(PcapWriter&&) noexcept;
    ~PcapWriter();

    void write(std::uint64_t nanoseconds, std::span<const std::uint8_t> frame);
    // Writes what is buffered; the error of a full disk.
    Status finish();

  private:
    PcapWriter(pcap* handle, pcap_dumper* dumper, std::string path);
    pcap* handle_ = nullptr;
    pcap_dumper* dumper_ = nullptr;
    std::string path_;
};

}  // namespace pollux::replay
