// SPDX-License-Identifier: Apache-2.0
#pragma once

// Walks the documents along the schema: finds unknown keys, wrong values and missing keys, and
// fills the Draft. Control thread.

#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/config/document.h"
#include "control/config/draft.h"
#include "control/config/report.h"
#include "control/config/schema.h"

namespace pollux::control {

struct ReadOptions {
    std::string node;  // elements whose `when` excludes this node are left out
};

struct ReadResult {
    Draft draft;
    std::set<std::string> nodes;  // every node that a `when` names
};

// Where a schema's root lands, for files of tools that are written like the configuration.
struct ReadTarget {
    const TableSchema& root;
    std::span<const TableSchema* const> tables;  // all of the schema, for suggestions
    void* object = nullptr;                      // the root's
    Origin& origin;                              // of the keys at the top level
};

// Fills target.object. `nodes` receives every node that a `when` names.
void read_into(std::span<const Node> documents, const ReadTarget& target,
               const ReadOptions& options, std::set<std::string>& nodes, Reporter& reporter);

// `documents`: the roots of all files, in order of reading.
ReadResult read_documents(std::span<const Node> documents, const ReadOptions& options,
                          Reporter& reporter);

// `[[vrrp_instance]] "VI_1"`: an element for messages.
std::string element_title(const TableSchema& table, const Node& node);

}  // namespace pollux::control
