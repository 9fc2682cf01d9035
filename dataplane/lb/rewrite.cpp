// SPDX-License-Identifier: Apache-2.0
#include "dataplane/lb/rewrite.h"

#include "dataplane/net/sctp.h"

namespace pollux::lb {

void replace_sctp_ports(PacketContext& context, PortPair now) noexcept {
    auto& header = net::header_in<net::SctpHeader>(context.l4());
    if (header.source_port == now.source && header.destination_port == now.destination) return;
    const std::size_t length = context.parsed.l4_length();
    const std::size_t contiguous = context.packet->length - context.parsed.l4_offset;
    const std::span<const std::uint8_t> bytes(context.l4(), length);
    const bool whole = length <= contiguous && !context.parsed.is_fragment();
    const std::uint32_t error =
        whole ? header.checksum.wire() ^ net::sctp_checksum(bytes).wire() : 0;
    header.source_port = now.source;
    header.destination_port = now.destination;
    if (!whole) return;
    header.checksum = net::Be32::from_wire(net::sctp_checksum(bytes).wire() ^ error);
}

}  // namespace pollux::lb
