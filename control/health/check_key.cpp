// SPDX-License-Identifier: Apache-2.0
#include "control/health/check_key.h"

#include "control/health/probe_table.h"
#include "control/spec/server_states.h"
#include "dataplane/lb/method_name.h"

namespace pollux::control {
namespace {

// Lengths stand before texts, so that no two lists of texts look the same.
class KeyWriter {
  public:
    KeyWriter& operator<<(std::string_view text) {
        key_ += std::to_string(text.size());
        key_ += ':';
        key_ += text;
        return *this;
    }
    KeyWriter& operator<<(std::int64_t number) {
        key_ += std::to_string(number);
        key_ += ' ';
        return *this;
    }
    std::string take() { return std::move(key_); }

  private:
    std::string key_;
};

void write_url(KeyWriter& key, const UrlConfig& url) {
    key << url.path << url.digest << url.regex << url.virtualhost;
    key << std::int64_t{url.regex_no_match} << std::int64_t{url.regex_min_offset}
        << std::int64_t{url.regex_max_offset};
    key << static_cast<std::int64_t>(url.status_code.size());
    for (const NumberRange& range : url.status_code) {
        key << std::int64_t{range.first} << std::int64_t{range.last};
    }
    key << static_cast<std::int64_t>(url.regex_options.size());
    for (const std::string& option : url.regex_options) key << option;
}

}  // namespace

std::string check_key(const CheckConfig& check) {
    KeyWriter key;
    const auto number = [&](auto value) { key << static_cast<std::int64_t>(value); };
    number(check.type);
    key << check.connect_ip.to_string() << check.bindto.to_string();
    number(check.connect_port);
    number(check.bind_port);
    for (const Duration& duration :
         {check.delay_loop, check.warmup, check.connect_timeout, check.delay_before_retry}) {
        number(duration.count());
    }
    number(check.retry);
    number(check.alpha);
    number(check.via.has_value());
    if (check.via) {
        key << check.via->server.to_string();
        number(check.via->method);
        number(check.via->tunnel.type);
        number(check.via->tunnel.port);
        number(check.via->tunnel.checksum);
        number(check.via->tunnel.spread_source);
    }
    number(check.log_all_failures);
    number(check.http_protocol);
    number(check.fast_recovery);
    number(check.enable_sni);
    number(check.verify);
    number(check.cert_min_days);
    key << check.ca_file << check.certificate_file << check.key_file << check.helo_name;
    number(check.misc_path.argv.size());
    for (const std::string& argument : check.misc_path.argv) key << argument;
    number(check.misc_timeout.count());
    number(check.misc_dynamic);
    key << check.user << check.dns_type << check.dns_name;
    key << std::string_view(reinterpret_cast<const char*>(check.payload.data()),
                            check.payload.size());
    number(check.require_reply);
    number(check.min_reply_length);
    number(check.max_reply_length);
    key << check.track_file;
    number(check.file_weight);
    number(check.url.size());
    for (const UrlConfig& url : check.url) write_url(key, url);
    return key.take();
}

std::string_view to_string(CheckType type) {
    const ProbeRow* row = find_probe(type);
    return row == nullptr ? "" : row->name;
}

std::string describe(const CheckConfig& check) {
    std::string text(to_string(check.type));
    if (check.type == CheckType::File) return text + " " + check.track_file;
    if (check.type == CheckType::Misc) {
        for (const std::string& argument : check.misc_path.argv) text += " " + argument;
        return text;
    }
    text += " " + (check.type == CheckType::Ping ? check.connect_ip.to_string()
                                                 : endpoint(check.connect_ip, check.connect_port));
    if (!check.via) return text;
    return text + " through " + std::string(lb::method_name(check.via->method)) + " to " +
           check.via->server.to_string();
}

}  // namespace pollux::control
