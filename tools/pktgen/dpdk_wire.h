// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Wire over the data plane's own port layer. The worker task's thread.

#include "dataplane/dpdk/worker_io.h"
#include "tools/pktgen/wire.h"

namespace pollux::pktgen {

class DpdkWire : public Wire {
  public:
    explicit DpdkWire(dpdk::WorkerIo& io) : io_(io) {}

    lb::TimePoint now() override { return io_.now(); }
    bool stopping() override { return io_.stopping(); }
    unsigned receive(std::size_t port, std::span<lb::Packet> out) override {
        return io_.receive(static_cast<lb::PortId>(port), out);
    }
    unsigned transmit(std::size_t port, std::span<lb::Packet> packets) override {
        return io_.transmit(static_cast<lb::PortId>(port), packets);
    }
    unsigned allocate(std::span<lb::Packet> out) override { return io_.allocate(out); }
    void release(std::span<lb::Packet> packets) override { io_.release(packets); }

  private:
    dpdk::WorkerIo& io_;
};

}  // namespace pollux::pktgen
