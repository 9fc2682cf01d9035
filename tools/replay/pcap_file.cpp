// SPDX-License-Identifier: Apache-2.0
#include "tools/replay/pcap_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <pcap/pcap.h>

namespace pollux::replay {

namespace {
constexpr int kSnapLength = 262144;
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
}  // namespace

Result<PcapReader> PcapReader::open(const std::string& path) {
    char reason[PCAP_ERRBUF_SIZE] = {};
    pcap* handle =
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, reason);
    if (handle == nullptr) {
        return Error{"cannot read the capture " + path + ": " + reason,
                     "give a pcap or pcapng file, as tcpdump -w writes it"};
    }
    if (pcap_datalink(handle) != DLT_EN10MB) {
        const char* name = pcap_datalink_val_to_name(pcap_datalink(handle));
        const std::string link = name != nullptr ? name : std::to_string(pcap_datalink(handle));
        pcap_close(handle);
        return Error{path + " holds frames of link type " + link + ", not Ethernet",
                     "capture on an Ethernet interface (not on \"any\")"};
    }
    return PcapReader(handle);
}

PcapReader::PcapReader(PcapReader&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), damage_(std::move(other.damage_)) {}

PcapReader& PcapReader::operator=(PcapReader&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(damage_, other.damage_);
    return *this;
}

PcapReader::~PcapReader() {
    if (handle_ != nullptr) pcap_close(handle_);
}

std::optional<CapturedFrame> PcapReader::next() {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int result = pcap_next_ex(handle_, &header, &data);
    if (result == 1) {
        CapturedFrame frame;
        frame.nanoseconds = static_cast<std::uint64_t>(header->ts.tv_sec) * kNanosecondsPerSecond +
                            static_cast<std::uint64_t>(header->ts.tv_usec);
        frame.wire_length = header->len;
        frame.bytes.assign(data, data + header->caplen);
        return frame;
    }
    if (result == PCAP_ERROR) damage_ = pcap_geterr(handle_);
    return std::nullopt;
}

Result<PcapWriter> PcapWriter::create(const std::string& path) {
    pcap* handle =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper* dumper = pcap_dump_open(handle, path.c_str());
    if (dumper == nullptr) {
        const std::string reason = pcap_geterr(handle);
        pcap_close(handle);
        return Error{"cannot write the capture: " + reason, "give a path in a writable folder"};
    }
    return PcapWriter(handle, dumper, path);
}

PcapWriter::PcapWriter(pcap* handle, pcap_dumper* dumper, std::string path)
    : handle_(handle), dumper_(dumper), path_(std::move(path)) {}

PcapWriter::PcapWriter(PcapWriter&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      dumper_(std::exchange(other.dumper_, nullptr)),
      path_(std::move(other.path_)) {}

PcapWriter& PcapWriter::operator=(PcapWriter&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(dumper_, other.dumper_);
    std::swap(path_, other.path_);
    return *this;
}

PcapWriter::~PcapWriter() {
    if (dumper_ != nullptr) pcap_dump_close(dumper_);
    if (handle_ != nullptr) pcap_close(handle_);
}

void PcapWriter::write(std::uint64_t nanoseconds, std::span<const std::uint8_t> frame) {
    pcap_pkthdr header{};
    header.ts.tv_sec = static_cast<time_t>(nanoseconds / kNanosecondsPerSecond);
    // With nanosecond precision libpcap keeps the nanoseconds in this field.
    header.ts.tv_usec = static_cast<suseconds_t>(nanoseconds % kNanosecondsPerSecond);
    header.caplen = static_cast<bpf_u_int32>(frame.size());
    header.len = header.caplen;
    pcap_dump(reinterpret_cast<u_char*>(dumper_), &header, frame.data());
}

Status PcapWriter::finish() {
    const bool failed = pcap_dump_flush(dumper_) != 0 || std::ferror(pcap_dump_file(dumper_)) != 0;
    if (failed) {
        return Error{"writing " + path_ + " failed: " + std::strerror(errno),
                     "check the free space of the disk"};
    }
    return ok_status();
}

}  // namespace pollux::replay
