// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tables of the schema that other schema files refer to. Only the schema_*.cpp files include
// this.

#include <array>
#include <vector>

#include "control/config/schema.h"

namespace pollux::control::schema {

const TableSchema* global_table();
const TableSchema* log_table();
const TableSchema* api_table();
const TableSchema* dpdk_table();
const TableSchema* route_table();
const TableSchema* neighbour_table();
const TableSchema* mark_table();
const TableSchema* local_address_table();
const TableSchema* conntrack_table();
const TableSchema* vrrp_script_table();
const TableSchema* vrrp_track_process_table();
const TableSchema* vrrp_track_file_table();
const TableSchema* vrrp_sync_group_table();
const TableSchema* vrrp_instance_table();
const TableSchema* virtual_server_group_table();
const TableSchema* virtual_server_table();

// Rows of [[route]] and [[vrrp_instance.virtual_route]]; only the latter has `table`.
TableSchema route_schema(std::string_view path, bool with_table);

extern const std::array<Choice, 4> kProtocols;
extern const std::array<Choice, 2> kFamilies;

// Appends the rows of `more`.
std::vector<KeyRow> joined(std::vector<KeyRow> rows, const std::vector<KeyRow>& more);

}  // namespace pollux::control::schema
