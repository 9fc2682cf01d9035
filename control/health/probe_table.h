// SPDX-License-Identifier: Apache-2.0
#pragma once

// The check types as rows of a table (decision D16). Control thread.

#include <memory>
#include <string_view>

#include "control/health/probe.h"

namespace pollux::control {

struct ProbeRow {
    CheckType type;
    std::string_view name;  // the file's word
    // `check` and `context` outlive the probe. Null: this version has no such probe.
    std::unique_ptr<Probe> (*make)(const CheckConfig& check, ProbeContext& context);
    // What `connect_timeout` is for this type: the limit of a try, or of each of its steps.
    Duration (*limit)(const CheckConfig& check);
};

// Never null for a type that the configuration knows.
[[nodiscard]] const ProbeRow* find_probe(CheckType type);

std::unique_ptr<Probe> make_tcp_probe(const CheckConfig& check, ProbeContext& context);
std::unique_ptr<Probe> make_http_probe(const CheckConfig& check, ProbeContext& context);
std::unique_ptr<Probe> make_smtp_probe(const CheckConfig& check, ProbeContext& context);
std::unique_ptr<Probe> make_misc_probe(const CheckConfig& check, ProbeContext& context);
std::unique_ptr<Probe> make_dns_probe(const CheckConfig& check, ProbeContext& context);
std::unique_ptr<Probe> make_udp_probe(const CheckConfig& check, ProbeContext& context);
std::unique_ptr<Probe> make_ping_probe(const CheckConfig& check, ProbeContext& context);
std::unique_ptr<Probe> make_file_probe(const CheckConfig& check, ProbeContext& context);

}  // namespace pollux::control
