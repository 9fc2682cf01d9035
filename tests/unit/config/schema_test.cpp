// SPDX-License-Identifier: Apache-2.0
// The rows of the schema agree with the structs and with configs/reference.toml.
#include "control/config/schema.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "control/config/draft.h"
#include "control/config/help.h"
#include "control/config/load.h"
#include "control/config/old_names.h"
#include "control/config/read_value.h"
#include "control/config/render.h"

namespace pollux::control {
namespace {

constexpr const char* kReference = POLLUX_SOURCE_ROOT "/configs/reference.toml";

// The rows of the object of one table, with its child tables left out.
template <typename Object>
void expect_defaults(const TableSchema& table, const Object& fresh) {
    for (const KeyRow& row : table.rows) {
        if (row.field.child != nullptr || row.initial.empty()) continue;
        const auto parsed = parse_toml("key = " + std::string(row.initial), 0);
        const auto* root = std::get_if<Node>(&parsed);
        ASSERT_NE(root, nullptr) << table.path << "." << row.key;
        Reading reading;
        const auto error = read_value(row, root->entries.at(0).value, reading);
        ASSERT_FALSE(error) << table.path << "." << row.key << ": " << error->label;
        Object object = fresh;
        row.field.store(&object, reading);
        EXPECT_EQ(object, fresh) << table.path << "." << row.key << " is not " << row.initial;
    }
}

const TableSchema& table_of(std::string_view path) {
    for (const TableSchema* table : all_tables()) {
        if (table->path == path) return *table;
    }
    throw std::out_of_range(std::string(path));
}

TEST(Schema, WrittenDefaultsAreThoseOfTheStructs) {
    expect_defaults(table_of(""), Draft{});
    expect_defaults(table_of("global"), GlobalDraft{});
    expect_defaults(table_of("global.email"), GlobalDraft{});
    expect_defaults(table_of("global.scripts"), GlobalDraft{});
    expect_defaults(table_of("global.vrrp"), GlobalDraft{});
    expect_defaults(table_of("log"), LogConfig{});
    expect_defaults(table_of("api"), ApiConfig{});
    expect_defaults(table_of("dpdk"), Draft{});
    expect_defaults(table_of("dpdk.port"), PortConfig{});
    expect_defaults(table_of("dpdk.port.exception"), ExceptionConfig{});
    expect_defaults(table_of("route"), RouteConfig{});
    expect_defaults(table_of("neighbour"), NeighbourConfig{});
    expect_defaults(table_of("mark"), MarkConfig{});
    expect_defaults(table_of("local_address"), LocalAddressConfig{});
    expect_defaults(table_of("conntrack"), ConntrackConfig{});
    expect_defaults(table_of("conntrack.timeout"), ConntrackConfig{});
    expect_defaults(table_of("vrrp_script"), VrrpScriptConfig{});
    expect_defaults(table_of("vrrp_track_process"), VrrpTrackProcessConfig{});
    expect_defaults(table_of("vrrp_track_file"), VrrpTrackFileConfig{});
    expect_defaults(table_of("vrrp_sync_group"), VrrpSyncGroupConfig{});
    expect_defaults(table_of("vrrp_instance"), InstanceDraft{});
    expect_defaults(table_of("vrrp_instance.virtual_ipaddress"), VirtualIpConfig{});
    expect_defaults(table_of("vrrp_instance.virtual_route"), RouteConfig{});
    expect_defaults(table_of("vrrp_instance.virtual_rule"), VirtualRuleConfig{});
    expect_defaults(table_of("vrrp_instance.track_script"), TrackConfig{});
    expect_defaults(table_of("virtual_server_group.member"), GroupMemberConfig{});
    expect_defaults(table_of("virtual_server"), ServiceDraft{});
    expect_defaults(table_of("virtual_server.sorry_server"), SorryDraft{});
    expect_defaults(table_of("virtual_server.real_server"), ServerDraft{});
    expect_defaults(table_of("virtual_server.real_server.check"), CheckDraft{});
}

TEST(Schema, ExamplesAreAccepted) {
    for (const TableSchema* table : all_tables()) {
        for (const KeyRow& row : table->rows) {
            if (row.field.child != nullptr) continue;
            const std::string example = example_value(row);
            ASSERT_NE(example, "") << table->path << "." << row.key;
            const auto parsed = parse_toml("key = " + example, 0);
            const auto* root = std::get_if<Node>(&parsed);
            ASSERT_NE(root, nullptr) << table->path << "." << row.key;
            Reading reading;
            EXPECT_FALSE(read_value(row, root->entries.at(0).value, reading))
                << table->path << "." << row.key << " = " << example;
        }
    }
}

TEST(Schema, KeysOccurOncePerTableAndSayWhatTheyAreFor) {
    for (const TableSchema* table : all_tables()) {
        std::set<std::string_view> seen;
        for (const KeyRow& row : table->rows) {
            EXPECT_TRUE(seen.insert(row.key).second) << table->path << "." << row.key;
            EXPECT_FALSE(row.help.empty()) << table->path << "." << row.key;
        }
    }
}

TEST(Schema, OldNamesAreNoKeysAndLeadToKeys) {
    std::set<std::string_view> keys;
    for (const TableSchema* table : all_tables()) {
        for (const KeyRow& row : table->rows) keys.insert(row.key);
    }
    for (const OldName& old : old_names()) {
        if (!old.now.empty()) {
            EXPECT_TRUE(keys.contains(old.now)) << old.name << " -> " << old.now;
        }
        if (!old.table.empty()) {
            EXPECT_EQ(find_row(table_of(old.table), old.name), nullptr) << old.name;
        }
    }
}

// Table -> the lines above the first occurrence of each key (or of `# key = `).
std::map<std::string, std::map<std::string, std::vector<std::string>>> documented_keys() {
    std::map<std::string, std::map<std::string, std::vector<std::string>>> tables;
    std::ifstream file(kReference);
    std::string table;
    std::vector<std::string> comment;
    for (std::string line; std::getline(file, line);) {
        const std::string bare = line.starts_with("# ") ? line.substr(2) : line;
        const auto equals = bare.find(" = ");
        const bool key = equals != std::string::npos &&
                         bare.substr(0, equals).find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
        if (line.starts_with('[')) {
            table = line.substr(line.find_first_not_of('['));
            table.resize(table.find(']'));
            tables[table];
            comment.clear();
        } else if (key) {
            tables[table].try_emplace(bare.substr(0, equals), comment);
            comment.clear();
        } else if (line.starts_with("# ")) {
            comment.push_back(bare);
        } else {
            comment.clear();
        }
    }
    return tables;
}

TEST(Reference, NamesEveryKeyWithWhatItsRowSays) {
    const auto tables = documented_keys();
    ASSERT_FALSE(tables.empty()) << kReference;
    for (const TableSchema* table : all_tables()) {
        const std::string path(table->path);
        ASSERT_TRUE(tables.contains(path)) << "no [" << path << "] in configs/reference.toml";
        for (const KeyRow& row : table->rows) {
            if (row.field.child != nullptr) continue;
            const auto& keys = tables.at(path);
            const auto found = keys.find(std::string(row.key));
            ASSERT_NE(found, keys.end())
                << "configs/reference.toml lacks " << path << "." << row.key;
            EXPECT_EQ(found->second, row_comment(row)) << path << "." << row.key;
        }
    }
}

TEST(Reference, IsGoodWithoutWarning) {
    LoadOptions options;
    options.require_secrets = false;
    const LoadResult result = load_config(kReference, options);
    EXPECT_TRUE(result.config);
    EXPECT_EQ(result.warnings, 0U) << render_all(result);
}

TEST(Help, PrintsATableAKeyAndSuggestions) {
    std::ostringstream out;
    std::ostringstream err;
    const std::vector<std::string> key = {"virtual_router_id"};
    EXPECT_EQ(run_config_help(key, out, err), 0);
    EXPECT_EQ(out.str(),
              "[[vrrp_instance]]\n"
              "# equal on all nodes of this instance, different from others on the network\n"
              "# a whole number from 1 to 255; must be written; reload\n"
              "virtual_router_id = 51\n");
    const std::vector<std::string> wrong = {"vrrp_instanc"};
    EXPECT_EQ(run_config_help(wrong, out, err), 1);
    EXPECT_EQ(err.str(),
              "no table or key is called \"vrrp_instanc\"; did you mean \"vrrp_instance\"?\n");
}

}  // namespace
}  // namespace pollux::control
