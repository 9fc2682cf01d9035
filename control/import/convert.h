// SPDX-License-Identifier: Apache-2.0
#pragma once

// Third stage of the keepalived importer: statements -> TOML. ImportContext is what the functions
// of convert_*.cpp share; they have the form of KeywordHandler: context, the statement, the table
// that its block is written to.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/import/import_log.h"
#include "control/import/keyword.h"
#include "dataplane/net/ip_address.h"

namespace pollux::control {

// Network interfaces that the file names, and what --port and --address say about them.
class ImportPorts {
  public:
    explicit ImportPorts(const ImportOptions& options) : options_(options) {}

    void use(std::string_view name, SourcePlace place);
    void add_address(std::string_view name, std::string address, SourcePlace place);
    // Writes [[dpdk.port]] elements; true if all have a device.
    bool write(TomlTable& dpdk) const;

  private:
    struct Port {
        std::string name;
        SourcePlace place;
        std::vector<std::string> addresses;
    };

    Port& port(std::string_view name, SourcePlace place);

    const ImportOptions& options_;
    std::vector<Port> ports_;
};

// Words that other statements refer to.
struct ImportNames {
    std::set<std::string, std::less<>> scripts;
    std::set<std::string, std::less<>> files;
    std::set<std::string, std::less<>> processes;
    std::set<std::string, std::less<>> instances;
    // Tracked things whose definition says `reverse`.
    std::set<std::string, std::less<>> reversed;
};

// What the importer knows of the machine's own addresses.
struct ImportOwn {
    std::vector<net::IpPrefix> ports;    // static_ipaddress and --address
    std::set<net::IpAddress> addresses;  // of `ports`, of instances, and their sources

    void add(std::string_view text, bool port);
};

// Why packets to a server with this address would go to no other machine: "is this machine itself",
// "is the broadcast address of 10.0.0.0/24"; or "". Such a server is not imported: LVS would serve
// it on the spot, and behind Pollux there is no program.
std::string why_no_server(const ImportOwn& own, const net::IpAddress& address,
                          const net::IpAddress& service);
std::string_view no_server_remedy();

struct ImportContext {
    const ImportOptions& options;
    const ImportHost& host;
    ImportLog& log;
    TomlTable& root;
    ImportPorts ports;
    ImportNames names;
    ImportOwn own;
    const Statement* ssl = nullptr;      // SSL { } of the top level
    const Statement* parent = nullptr;   // the block that is being converted
    const Statement* service = nullptr;  // the virtual_server around it
    Block block = Block::Top;            // of `parent`
    int vrrp_version = 2;                // global_defs
    bool strict = false;                 // global_defs
    bool checker_alerts = false;         // smtp_alert_checker
    bool vrrp_alerts = false;            // smtp_alert_vrrp
    bool secrets = false;
    std::string default_interface = "eth0";  // global_defs: of static addresses
    bool rs_init_notifies = false;           // global_defs: of every service
    bool log_all_failures = false;           // global_defs: of every check
};

// All statements of a block into `table`; the context's parent and block while it lasts.
void convert_block(ImportContext& context, const Statement& block, Block kind, TomlTable& table);
void convert_statement(ImportContext& context, const Statement& statement, TomlTable& table);

// "`word` in vrrp_instance VI_1"
std::string import_title(const ImportContext& context, const Statement& statement);
// Reports a word that the block does not know.
void report_unknown(ImportContext& context, const Statement& statement);

// A value in TOML, empty with a report if it cannot be read. `statement` gives place and title.
std::string read_integer(ImportContext& context, const Statement& statement, std::string_view word,
                         long min, long max);
std::string read_seconds(ImportContext& context, const Statement& statement, std::string_view word);
// The command line that begins at word `first`, with a user and a group perhaps after it.
std::string read_command(ImportContext& context, const Statement& statement, std::size_t first);
// on, off, true, ...; nullopt with a report.
std::optional<bool> read_bool(ImportContext& context, const Statement& statement);
bool is_ip(std::string_view text);
// Reports words from position `first` on, which keepalived ignores.
void refuse_more_words(ImportContext& context, const Statement& statement, std::size_t first);

// Handlers. Top level:
void convert_global_defs(ImportContext&, const Statement&, TomlTable&);
void convert_static_addresses(ImportContext&, const Statement&, TomlTable&);
void convert_static_routes(ImportContext&, const Statement&, TomlTable&);
void convert_vrrp_script(ImportContext&, const Statement&, TomlTable&);
void convert_track_file(ImportContext&, const Statement&, TomlTable&);
void convert_track_process(ImportContext&, const Statement&, TomlTable&);
void convert_sync_group(ImportContext&, const Statement&, TomlTable&);
void convert_instance(ImportContext&, const Statement&, TomlTable&);
void convert_virtual_server_group(ImportContext&, const Statement&, TomlTable&);
void convert_virtual_server(ImportContext&, const Statement&, TomlTable&);
void convert_ssl(ImportContext&, const Statement&, TomlTable&);
void convert_garp_group(ImportContext&, const Statement&, TomlTable&);
// global_defs:
void convert_notification_email(ImportContext&, const Statement&, TomlTable&);
void convert_smtp_server(ImportContext&, const Statement&, TomlTable&);
void convert_smtp_alert(ImportContext&, const Statement&, TomlTable&);
void convert_lvs_timeouts(ImportContext&, const Statement&, TomlTable&);
void convert_min_garp(ImportContext&, const Statement&, TomlTable&);
void convert_vrrp_version(ImportContext&, const Statement&, TomlTable&);
void convert_fifo(ImportContext&, const Statement&, TomlTable&);
void convert_service_default(ImportContext&, const Statement&, TomlTable&);
// vrrp_instance and others:
void convert_state(ImportContext&, const Statement&, TomlTable&);
void convert_interface(ImportContext&, const Statement&, TomlTable&);
void convert_advert_int(ImportContext&, const Statement&, TomlTable&);
void convert_authentication(ImportContext&, const Statement&, TomlTable&);
void convert_preempt(ImportContext&, const Statement&, TomlTable&);
void convert_vmac(ImportContext&, const Statement&, TomlTable&);
void convert_unicast_peer(ImportContext&, const Statement&, TomlTable&);
void convert_addresses(ImportContext&, const Statement&, TomlTable&);
void convert_routes(ImportContext&, const Statement&, TomlTable&);
void convert_rules(ImportContext&, const Statement&, TomlTable&);
void convert_tracked(ImportContext&, const Statement&, TomlTable&);
void convert_group(ImportContext&, const Statement&, TomlTable&);
void convert_script_line(ImportContext&, const Statement&, TomlTable&);
void convert_weight(ImportContext&, const Statement&, TomlTable&);
void convert_process(ImportContext&, const Statement&, TomlTable&);
// virtual_server and below:
void convert_scheduler(ImportContext&, const Statement&, TomlTable&);
void convert_method(ImportContext&, const Statement&, TomlTable&);
void convert_protocol(ImportContext&, const Statement&, TomlTable&);
void convert_scheduler_flag(ImportContext&, const Statement&, TomlTable&);
void convert_persistence(ImportContext&, const Statement&, TomlTable&);
void convert_granularity(ImportContext&, const Statement&, TomlTable&);
void convert_gone(ImportContext&, const Statement&, TomlTable&);
void convert_family(ImportContext&, const Statement&, TomlTable&);
void convert_sorry_server(ImportContext&, const Statement&, TomlTable&);
void convert_sorry_method(ImportContext&, const Statement&, TomlTable&);
void convert_sorry_inhibit(ImportContext&, const Statement&, TomlTable&);
void convert_real_server(ImportContext&, const Statement&, TomlTable&);
void convert_check(ImportContext&, const Statement&, TomlTable&);
void convert_url(ImportContext&, const Statement&, TomlTable&);
void convert_status_code(ImportContext&, const Statement&, TomlTable&);
void convert_regex_options(ImportContext&, const Statement&, TomlTable&);
void convert_digest(ImportContext&, const Statement&, TomlTable&);
void convert_http_protocol(ImportContext&, const Statement&, TomlTable&);
void convert_smtp_host(ImportContext&, const Statement&, TomlTable&);
void convert_payload(ImportContext&, const Statement&, TomlTable&);
void convert_require_reply(ImportContext&, const Statement&, TomlTable&);
void convert_dns_type(ImportContext&, const Statement&, TomlTable&);

}  // namespace pollux::control
