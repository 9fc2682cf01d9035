// SPDX-License-Identifier: Apache-2.0
#include "control/health/probe_table.h"

#include <array>

namespace pollux::control {
namespace {

Duration connect_timeout(const CheckConfig& check) {
    return check.connect_timeout;
}

// The script helper keeps the limit, from when it starts the script.
Duration by_helper(const CheckConfig& /*check*/) {
    return Duration::zero();
}

// Without require_reply UDP_CHECK waits for connect_timeout by itself.
Duration unless_silence_is_good(const CheckConfig& check) {
    return check.require_reply ? check.connect_timeout : Duration::zero();
}

constexpr std::array kProbes = {
    ProbeRow{CheckType::Tcp, "TCP_CHECK", make_tcp_probe, connect_timeout},
    ProbeRow{CheckType::Http, "HTTP_GET", make_http_probe, connect_timeout},
    ProbeRow{CheckType::Ssl, "SSL_GET", make_http_probe, connect_timeout},
    ProbeRow{CheckType::Smtp, "SMTP_CHECK", make_smtp_probe, connect_timeout},
    ProbeRow{CheckType::Misc, "MISC_CHECK", make_misc_probe, by_helper},
    ProbeRow{CheckType::Dns, "DNS_CHECK", make_dns_probe, connect_timeout},
    ProbeRow{CheckType::Udp, "UDP_CHECK", make_udp_probe, unless_silence_is_good},
    ProbeRow{CheckType::Ping, "PING_CHECK", make_ping_probe, connect_timeout},
    ProbeRow{CheckType::File, "FILE_CHECK", make_file_probe, by_helper},
};

}  // namespace

const ProbeRow* find_probe(CheckType type) {
    for (const ProbeRow& row : kProbes) {
        if (row.type == type) return &row;
    }
    return nullptr;
}

}  // namespace pollux::control
