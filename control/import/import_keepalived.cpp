// SPDX-License-Identifier: Apache-2.0
#include "control/import/import_keepalived.h"

#include <utility>

#include "control/config/values.h"
#include "control/import/convert.h"
#include "control/import/keepalived_lines.h"

namespace pollux::control {

namespace {

bool is_on(const Statement& statement) {
    const std::string_view word = statement.word(1);
    return word != "off" && word != "false" && word != "no";
}

// The addresses that this machine has, now or as MASTER.
void find_own(ImportContext& context, const Statement& block) {
    if (block.word() == "static_ipaddress") {
        for (const Statement& line : block.children) context.own.add(line.word(), true);
    }
    if (block.word() != "vrrp_instance") return;
    for (const Statement& child : block.children) {
        const std::string_view word = child.word();
        if (word == "mcast_src_ip" || word == "unicast_src_ip") {
            context.own.add(child.word(1), false);
        }
        if (word != "virtual_ipaddress" && word != "virtual_ipaddress_excluded") continue;
        for (const Statement& line : child.children) context.own.add(line.word(), false);
    }
}

// What must be known before the first block is converted.
void look_ahead(ImportContext& context, const std::vector<Statement>& tree) {
    for (const PortSetting& setting : context.options.addresses) {
        context.own.add(setting.value, true);
    }
    for (const Statement& block : tree) {
        find_own(context, block);
        if (block.word() == "SSL") context.ssl = &block;
        if (block.word() == "vrrp_instance") {
            context.names.instances.insert(std::string(block.word(1)));
        }
        if (block.word() != "global_defs") continue;
        if (const Statement* version = block.find("vrrp_version")) {
            context.vrrp_version = version->word(1) == "3" ? 3 : 2;
        }
        if (const Statement* strict = block.find("vrrp_strict")) context.strict = is_on(*strict);
        if (const Statement* device = block.find("default_interface")) {
            context.default_interface = std::string(device->word(1));
        }
    }
}

bool is_definition(std::string_view word) {
    return word == "vrrp_script" || word == "track_file" || word == "vrrp_track_file" ||
           word == "vrrp_track_process";
}

// keepalived resolves names after reading: definitions first, then defaults, then their users.
void convert_all(ImportContext& context, const std::vector<Statement>& tree) {
    const auto pass = [&context, &tree](auto&& chosen) {
        for (const Statement& block : tree) {
            if (chosen(block.word())) convert_statement(context, block, context.root);
        }
    };
    pass([](std::string_view word) { return word == "global_defs"; });
    pass(is_definition);
    pass([](std::string_view word) { return word != "global_defs" && !is_definition(word); });
}

void write_result(ImportContext& context, ImportResult& result) {
    TomlTable& root = context.root;
    TomlTable& dpdk = root.table("dpdk");
    dpdk.comment("One CPU for control, one per worker; see configs/reference.toml.");
    dpdk.set("control_lcore", "0");
    dpdk.set("worker_lcores", "\"1\"");
    const bool complete = context.ports.write(dpdk);
    if (!complete) {
        context.log.changed({}, "interface", "a port each: fill in its device, or give --port");
    }
    const std::vector<TomlLine> lines = root.lines();
    for (const TomlLine& line : lines) {
        if (!has_control_character(line.text)) continue;
        context.log.error(line.place, "not UTF-8 text: " + escaped(line.text),
                          "TOML files are UTF-8");
    }
    if (context.log.errors() > 0) return;
    for (const TomlLine& line : lines) result.toml += line.text + "\n";
    result.secrets = context.secrets;
}

}  // namespace

ImportResult import_keepalived(const std::vector<std::string>& paths, const ImportOptions& options,
                               const ImportHost& host) {
    ImportResult result;
    ImportLog log(options.lenient);
    const SourceText source = read_source(paths, host, log);
    result.files = source.files;
    result.unreadable = source.unreadable;
    const std::vector<SourceLine> lines = expand_source(source, options, log);
    const std::vector<Statement> tree = parse_statements(lines, log);
    TomlTable root;
    root.comment("Imported from keepalived's " +
                 (paths.empty() ? std::string("file") : escaped(paths.front())) +
                 "; judge it with `pollux check`.");
    // In this order in the file.
    root.table("global");
    root.table("dpdk");
    ImportContext context{.options = options,
                          .host = host,
                          .log = log,
                          .root = root,
                          .ports = ImportPorts(options),
                          .names = {},
                          .own = {}};
    if (!source.unreadable) {
        look_ahead(context, tree);
        convert_all(context, tree);
        write_result(context, result);
    }
    result.errors = log.errors();
    result.warnings = log.warnings();
    result.notes = log.take();
    return result;
}

}  // namespace pollux::control
